"""Why a request is refused, as errors that the error pages show."""

from math import ceil
from typing import Protocol

from tickerq_dashboard.access.visitors import Visitor


class ThrottledError(Exception):
    """This cannot be tried now; ``retry_after`` is the number of seconds after which it can."""

    retry_after = 1


class TooManyFailuresError(ThrottledError):
    """Too many wrong passwords or tokens came from this address."""

    def __init__(self, wait: float) -> None:
        super().__init__(f"too many failed log-ins; {ceil(wait)} s to wait")
        self.retry_after = max(1, ceil(wait))


class TooManyLoginsError(ThrottledError):
    """Too many passwords are checked at this moment."""


class WrongPasswordError(Exception):
    """A name and a password belong to no account; ``account`` is the one of that name, if there is one.

    ``wait`` is how many seconds must pass before this address may try again.
    """

    def __init__(self, account: str | None, wait: float) -> None:
        super().__init__("wrong name or password" if account is None else "wrong password")
        self.account = account
        self.wait = wait


class RefusalLog(Protocol):
    """Keeps what was refused; ``account`` is whose log-in was tried."""

    def __call__(
        self, action: str, error: str, *, visitor: Visitor | None = None, account: str | None = None
    ) -> None: ...


class ForgedRequestError(PermissionError):
    """A request that would change something came from no page of ours that was made for its user."""


class NeedsTokenError(ForgedRequestError):
    """A program would change something as a person, whose log-in browsers send unasked: it needs a token."""

    def __init__(self) -> None:
        super().__init__("there is neither a program's token nor a form's")


class WrongAddressError(ValueError):
    """The request names a host that is not allowed, or a prefix that leads to another host."""
