"""Checking a name and a password, without paying for the hash at every request."""

import hmac
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from hashlib import sha256

from werkzeug.security import check_password_hash

from tickerq_dashboard.accounts import Account

MAX_PASSWORD_BYTES = 1024


class VerifiedCredentials:
    """Remembers for a while which credentials were right: keyed digests only, never a password."""

    def __init__(
        self, *, lifetime: float = 300.0, limit: int = 256, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._key = secrets.token_bytes(32)
        self._expiry: dict[bytes, float] = {}
        self._lock = threading.Lock()
        self._lifetime = lifetime
        self._limit = limit
        self._monotonic = monotonic

    def __contains__(self, credentials: tuple[str, str, str]) -> bool:
        expiry = self._expiry.get(self._digest(credentials))
        return expiry is not None and self._monotonic() < expiry

    def add(self, credentials: tuple[str, str, str]) -> None:
        """Remember these credentials, forgetting the oldest ones over the limit."""
        digest = self._digest(credentials)
        with self._lock:
            self._expiry.pop(digest, None)
            self._expiry[digest] = self._monotonic() + self._lifetime
            while len(self._expiry) > self._limit:
                del self._expiry[next(iter(self._expiry))]

    def _digest(self, credentials: tuple[str, str, str]) -> bytes:
        # Each part is hashed alone, so that no two different triples join to the same text.
        parts = (sha256(part.encode("utf-8", "surrogatepass")).digest() for part in credentials)
        return hmac.digest(self._key, b"".join(parts), sha256)


class PasswordCheck:
    """Says which account a name and a password belong to."""

    def __init__(self, accounts: Mapping[str, Account], verified: VerifiedCredentials | None = None) -> None:
        self._accounts = accounts
        self._verified = verified if verified is not None else VerifiedCredentials()
        # The method of a real hash: an unknown name costs what a wrong password costs.
        method = next(iter(accounts.values())).password_hash.partition("$")[0]
        self._no_account = f"{method}${secrets.token_hex(8)}${secrets.token_hex(32)}"

    def __call__(self, name: str, password: str) -> str | None:
        """Return the name that these credentials prove, or None."""
        # A NUL at its end would go unnoticed: the hashes pad a password with zeros.
        if "\0" in password or len(password.encode("utf-8", "surrogatepass")) > MAX_PASSWORD_BYTES:
            return None
        account = self._accounts.get(name)
        password_hash = account.password_hash if account is not None else self._no_account
        credentials = (name, password, password_hash)
        if account is not None and credentials in self._verified:
            return name
        if not check_password_hash(password_hash, password) or account is None:
            return None
        self._verified.add(credentials)
        return name
