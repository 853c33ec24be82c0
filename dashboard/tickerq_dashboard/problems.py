"""How errors are shown: a status, a headline, and what to do about it, never a cause."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from werkzeug.exceptions import (
    HTTPException,
    MethodNotAllowed,
    NotFound,
    RequestEntityTooLarge,
    UnsupportedMediaType,
)

from tickerq_celery.errors import (
    QueryTooWideError,
    SchemaError,
    StoreError,
    StoreTimeoutError,
    StoreUnreachableError,
    TickerNotFoundError,
    TickerValidationError,
)
from tickerq_dashboard.access.refusals import (
    ForgedRequestError,
    NeedsTokenError,
    ThrottledError,
    TooManyFailuresError,
    WrongAddressError,
)
from tickerq_dashboard.access.roles import ForbiddenError
from tickerq_dashboard.parsing import InvalidCommandError, InvalidQueryError
from tickerq_dashboard.problem_details import RefusedError
from tickerq_dashboard.reading.cursors import CursorError
from tickerq_dashboard.show.durations import exact

_SHORT: Mapping[int, str] = {
    400: "Not understood",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    413: "Too large",
    422: "Not understood",
    429: "Too many log-ins",
    500: "Failed",
    503: "Not read",
}


class UnknownPageError(LookupError):
    """No page has this address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An error as a page: HTTP status, headline, and what to do about it."""

    status: int
    title: str
    advice: str

    @property
    def short(self) -> str:
        """The words for it at the end of a path of pages."""
        return _SHORT.get(self.status, "Not done")


BAD_FILTER = Problem(
    status=400,
    title="A filter in this address is not understood",
    advice="Correct it in the address, or start again from the list.",
)
BAD_CURSOR = Problem(
    status=400,
    title="This page of the list cannot be opened",
    advice="Its address was cut, or made by an earlier version. Start again from the first page.",
)
BAD_ADDRESS = Problem(
    status=400,
    title="This address is not understood",
    advice="A part of it has no meaning here. Start again from the list.",
)
NOT_FOUND = Problem(
    status=404,
    title="Nothing is at this address",
    advice="It may not be complete, or have a typing error. Start again from the overview.",
)
FORBIDDEN = Problem(
    status=403,
    title="Your role does not allow this",
    advice="Nothing was changed. Ask an administrator of this dashboard to do it for you, or to give you "
    "another role.",
)
WRONG_METHOD = Problem(
    status=405,
    title="This address cannot be opened like this",
    advice="Nothing was changed. It belongs to a button: go back, and press it there.",
)
FORGED = Problem(
    status=403,
    title="This form is no longer valid",
    advice="Nothing was changed. Load its page again, and send it from there. A form lasts for 12 hours.",
)
NEEDS_TOKEN = Problem(
    status=403,
    title="This needs a program's token",
    advice="Nothing was changed. With a log-in a program can only read: send a token, as Authorization: "
    "Bearer.",
)
INVALID = Problem(
    status=422,
    title="This cannot be done as it was asked",
    advice="Nothing was changed. A field is missing, or its value is not understood.",
)
NO_JSON = Problem(
    status=415,
    title="This is not JSON",
    advice="Nothing was changed. Send application/json.",
)
TOO_LARGE = Problem(
    status=413,
    title="This is too large to send",
    advice="Nothing was changed. A form may have 256 KB.",
)
WRONG_ADDRESS = Problem(
    status=400,
    title="The dashboard does not answer at this address",
    advice="Its host name is not allowed, or a proxy passes on a prefix that is not a path.",
)
STORE_FAILED = Problem(
    status=503,
    title="The store answered with an error",
    advice="What is stored stays. Load the page again in a moment; the server's log has the error under this "
    "request id.",
)
STORE_UNREACHABLE = Problem(
    status=503,
    title="The store cannot be reached",
    advice="The database accepts no connection. What is stored stays. Load the page again in a moment.",
)
NO_TABLES = Problem(
    status=503,
    title="The store is not ready",
    advice="Its tables are missing, or of another version: run `celery -A yourapp tickerq migrate`.",
)
UNEXPECTED = Problem(
    status=500,
    title="The dashboard failed",
    advice="This is a bug or a misconfiguration. The server's log has the cause under this request id.",
)

PROBLEMS: dict[type[Exception], Problem] = {
    InvalidQueryError: BAD_FILTER,
    CursorError: BAD_CURSOR,
    UnknownPageError: NOT_FOUND,
    NotFound: NOT_FOUND,
    MethodNotAllowed: WRONG_METHOD,
    RequestEntityTooLarge: TOO_LARGE,
    UnsupportedMediaType: NO_JSON,
    ForbiddenError: FORBIDDEN,
    # Before ForgedRequestError, of which it is a kind.
    NeedsTokenError: NEEDS_TOKEN,
    ForgedRequestError: FORGED,
    InvalidCommandError: INVALID,
    WrongAddressError: WRONG_ADDRESS,
    TickerValidationError: BAD_ADDRESS,
    TickerNotFoundError: NOT_FOUND,
    # Before StoreError, of which it is a kind.
    StoreUnreachableError: STORE_UNREACHABLE,
    StoreError: STORE_FAILED,
    SchemaError: NO_TABLES,
}


def problem_of(error: Exception, thing: str = "") -> Problem:
    """Return how an error is shown, on the page of one ``thing`` or of many; others are unexpected."""
    if isinstance(error, RefusedError):
        return Problem(status=error.status, title=error.title, advice=error.detail)
    if isinstance(error, ThrottledError):
        return _throttled(error)
    if isinstance(error, StoreTimeoutError):
        return _unanswered(error.seconds)
    if isinstance(error, QueryTooWideError):
        return _unread(thing, error.seconds) if thing else _too_wide(error.seconds)
    for kind, problem in PROBLEMS.items():
        if isinstance(error, kind):
            return _missing(thing) if thing and problem is NOT_FOUND else problem
    if isinstance(error, HTTPException) and error.code is not None and error.code < 500:
        return replace(BAD_ADDRESS, status=error.code, title=error.name)
    return UNEXPECTED


def _missing(thing: str) -> Problem:
    return Problem(
        status=404,
        title=f"There is no such {thing}",
        advice="It may have been deleted, or its address is not complete. Look for it in the list.",
    )


def _throttled(error: ThrottledError) -> Problem:
    wait = f"Wait {exact(timedelta(seconds=error.retry_after))}, then load the page again."
    if isinstance(error, TooManyFailuresError):
        title = "Too many log-ins from here have failed"
        return Problem(status=429, title=title, advice=f"No more are checked for now. {wait}")
    return Problem(status=429, title="Too many log-ins are being checked", advice=wait)


def _unanswered(seconds: float) -> Problem:
    return Problem(
        status=503,
        title=f"The store gave no answer within {seconds:g} s",
        advice="The database is busy, or it hangs. What is stored stays. Load the page again in a moment.",
    )


def _too_wide(seconds: float) -> Problem:
    return Problem(
        status=503,
        title="This is too much to read at once",
        advice=f"{_not_in(seconds)} Narrow the filter and load the page again. If it asks for little, the "
        "store is busy or locked.",
    )


def _unread(thing: str, seconds: float) -> Problem:
    return Problem(
        status=503,
        title=f"This {thing} could not be read in time",
        advice=f"{_not_in(seconds)} The {thing} is not to blame: the store is busy or locked. Load the "
        "page again in a moment; Health says what is slow.",
    )


def _not_in(seconds: float) -> str:
    # None are left where what the page had read before took all of its time.
    return (
        f"It was not read within {seconds:.2g} s."
        if seconds
        else "What the page read before it took all of the time."
    )
