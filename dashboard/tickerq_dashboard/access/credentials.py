"""Checking a name and a password, without paying for the hash at every request."""

import hmac
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256

from tickerq_dashboard.access.accounts import Account
from tickerq_dashboard.access.hashing import fits, kind_of, no_password
from tickerq_dashboard.access.refusals import TooManyLoginsError, WrongPasswordError
from tickerq_dashboard.access.throttle import Throttle

AT_ONCE, IN_QUEUE, WAIT_TIMEOUT = 2, 4, 2.0
MAX_PASSWORD_BYTES = 1024


class HashSlots:
    """Lets two passwords be hashed at once and four wait, for two seconds at most; others are refused."""

    def __init__(
        self, *, at_once: int = AT_ONCE, in_queue: int = IN_QUEUE, wait_timeout: float = WAIT_TIMEOUT
    ) -> None:
        self._running = threading.BoundedSemaphore(at_once)
        self._admitted = threading.BoundedSemaphore(at_once + in_queue)
        self._wait_timeout = wait_timeout

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold one of the slots.

        Raises:
            TooManyLoginsError: All are taken, and as many as may wait do.
        """
        if not self._admitted.acquire(blocking=False):
            raise TooManyLoginsError
        try:
            if not self._running.acquire(timeout=self._wait_timeout):
                raise TooManyLoginsError
            try:
                yield
            finally:
                self._running.release()
        finally:
            self._admitted.release()


class VerifiedCredentials:
    """Remembers which credentials were right, until they are not used for a while.

    It keeps keyed digests only, never a password.
    """

    def __init__(
        self, *, lifetime: float = 300.0, limit: int = 256, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._key = secrets.token_bytes(32)
        self._expiry: dict[bytes, float] = {}
        self._lock = threading.Lock()
        self._lifetime = lifetime
        self._limit = limit
        self._monotonic = monotonic

    def use(self, credentials: tuple[str, str, str]) -> bool:
        """Return True if these credentials were right, and remember them for longer."""
        digest = self.digest(credentials)
        with self._lock:
            expiry = self._expiry.get(digest)
            is_known = expiry is not None and self._monotonic() < expiry
            if is_known:
                self._remember(digest)
        return is_known

    def add(self, credentials: tuple[str, str, str]) -> None:
        """Remember these credentials, forgetting over the limit those that were not used for longest."""
        digest = self.digest(credentials)
        with self._lock:
            self._remember(digest)
            while len(self._expiry) > self._limit:
                del self._expiry[next(iter(self._expiry))]

    def _remember(self, digest: bytes) -> None:
        self._expiry.pop(digest, None)
        self._expiry[digest] = self._monotonic() + self._lifetime

    def digest(self, credentials: tuple[str, str, str]) -> bytes:
        """Return what stands for credentials in this process's memory."""
        # Each part is hashed alone, so that no two different triples join to the same text.
        parts = (sha256(part.encode("utf-8", "surrogatepass")).digest() for part in credentials)
        return hmac.digest(self._key, b"".join(parts), sha256)


class Trials:
    """The credentials under check: a concurrent check of the same ones waits for the result.

    A browser with many tabs asks many times at once when its verification has expired.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[bytes, threading.Event] = {}

    @contextmanager
    def of(self, digest: bytes) -> Iterator[None]:
        """Check alone, after the check of the same credentials that is in progress, if there is one."""
        with self._lock:
            other = self._running.get(digest)
            mine = self._running.setdefault(digest, threading.Event())
        if other is not None:
            other.wait(WAIT_TIMEOUT)
            yield
            return
        try:
            yield
        finally:
            with self._lock:
                del self._running[digest]
            mine.set()


class PasswordCheck:
    """Says which account a name and a password belong to, for one address as often as its throttle allows."""

    def __init__(
        self,
        accounts: Mapping[str, Account],
        throttle: Throttle,
        *,
        slots: HashSlots | None = None,
        verified: VerifiedCredentials | None = None,
    ) -> None:
        self._accounts = accounts
        self._throttle = throttle
        self._slots = slots if slots is not None else HashSlots()
        self._verified = verified if verified is not None else VerifiedCredentials()
        self._trials = Trials()
        # One hash of each kind that a user has, belonging to no password.
        hashes = (account.password_hash for account in accounts.values())
        self._no_passwords = {kind_of(each): no_password(each) for each in hashes}

    def account(self, name: str, password: str, address: str | None) -> Account:
        """Return the account that these credentials prove.

        Raises:
            WrongPasswordError: They prove none.
            TooManyFailuresError: Too many were wrong before, from this address.
            TooManyLoginsError: Too many are checked at this moment.
        """
        account = self._accounts.get(name)
        credentials = (name, password, "" if account is None else account.password_hash)
        # Before the throttle: an attacker behind the same address would lock everyone out.
        if account is not None and self._verified.use(credentials):
            return account
        with self._trials.of(self._verified.digest(credentials)):
            if account is not None and self._verified.use(credentials):
                return account
            proven = self._proven(account, password, address)
            self._verified.add(credentials)
        return proven

    def _proven(self, account: Account | None, password: str, address: str | None) -> Account:
        wait = self._throttle.begin(address)
        try:
            is_right = self._is_right(account, password)
        except TooManyLoginsError:
            self._throttle.succeed(address)
            raise
        if account is None or not is_right:
            raise WrongPasswordError(None if account is None else account.name, wait)
        self._throttle.succeed(address)
        return account

    def _is_right(self, account: Account | None, password: str) -> bool:
        # A NUL at its end would go unnoticed: the hashes pad a password with zeros.
        if "\0" in password or len(password.encode("utf-8", "surrogatepass")) > MAX_PASSWORD_BYTES:
            return False
        hashes = dict(self._no_passwords)
        if account is not None:
            hashes[kind_of(account.password_hash)] = account.password_hash
        with self._slots.taken():
            # One of each kind at each trial: the time says neither whether a user exists nor of which kind.
            found = [fits(each, password) for each in hashes.values()]
        return account is not None and any(found)
