"""What a browser is shown when something fails: a status and a sentence, never a cause."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, Response
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
    TickerNotFoundError,
    TickerValidationError,
)
from tickerq_dashboard.access.refusals import (
    ForgedRequestError,
    NeedsTokenError,
    ThrottledError,
    WrongAddressError,
)
from tickerq_dashboard.access.roles import ForbiddenError
from tickerq_dashboard.access.visitors import current_request_id, current_visitor
from tickerq_dashboard.parsing import InvalidCommandError, InvalidQueryError
from tickerq_dashboard.problem_details import (
    ProblemDetails,
    RefusedError,
    as_problem,
    by_field,
    field_problems,
    is_of_a_program,
)
from tickerq_dashboard.reading.cursors import CursorError
from tickerq_dashboard.rendering import Renderer

logger = logging.getLogger(__name__)


class UnknownPageError(LookupError):
    """No page has this address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An error as a page: HTTP status, headline, and what to do about it."""

    status: int
    title: str
    advice: str


BAD_REQUEST = Problem(
    status=400,
    title="This address cannot be answered",
    advice="A filter or a page mark in it is not valid. Start again from the list.",
)
NOT_FOUND = Problem(
    status=404,
    title="Nothing is here",
    advice="It may have been deleted, or the address is not complete. Look for it in the lists.",
)
FORBIDDEN = Problem(
    status=403,
    title="Your role does not allow this",
    advice="Nothing was changed. Ask an administrator of this dashboard to do it, or for another role.",
)
WRONG_METHOD = Problem(
    status=405,
    title="This address is not used so",
    advice="Nothing was changed. Go back, and use what the page offers.",
)
FORGED = Problem(
    status=403,
    title="This form is no longer valid",
    advice="Nothing was changed. Load its page again, and send it from there. A form lasts for 12 hours.",
)
NEEDS_TOKEN = Problem(
    status=403,
    title="This needs a program's token",
    advice="Nothing was changed. A log-in only reads here: send a token, as Authorization: Bearer.",
)
INVALID = Problem(
    status=422,
    title="This cannot be done as it was asked",
    advice="Nothing was changed. A field of the form is missing, or has a value that means nothing.",
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
THROTTLED = Problem(
    status=429,
    title="Too many log-ins were tried",
    advice="Wait as long as the header Retry-After says, then load the page again.",
)
WRONG_ADDRESS = Problem(
    status=400,
    title="This address is not allowed",
    advice="The dashboard has no such host, or a proxy in front of it passes on a prefix that is no path.",
)
STORE_SILENT = Problem(
    status=503,
    title="The store does not answer",
    advice="The database cannot be reached or is too busy. Tickers are safe in it; reload in a moment.",
)
TOO_WIDE = Problem(
    status=503,
    title="This is too much to read at once",
    advice="Narrow the filter and load the page again. If it asks for little, the store is busy or locked.",
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

# Those that have a sentence for each field.
_BY_FIELD = (InvalidQueryError, InvalidCommandError, RefusedError)
PROBLEMS: dict[type[Exception], Problem] = {
    InvalidQueryError: BAD_REQUEST,
    CursorError: BAD_REQUEST,
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
    ThrottledError: THROTTLED,
    WrongAddressError: WRONG_ADDRESS,
    TickerValidationError: BAD_REQUEST,
    TickerNotFoundError: NOT_FOUND,
    # Before StoreError, of which it is a kind.
    QueryTooWideError: TOO_WIDE,
    StoreError: STORE_SILENT,
    SchemaError: NO_TABLES,
}


def problem_of(error: Exception) -> Problem:
    """Return how an error is shown; what is not in the table is unexpected."""
    if isinstance(error, RefusedError):
        return Problem(status=error.status, title=error.title, advice=error.detail)
    for kind, problem in PROBLEMS.items():
        if isinstance(error, kind):
            return problem
    if isinstance(error, HTTPException) and error.code is not None and error.code < 500:
        return Problem(status=error.code, title=error.name, advice=BAD_REQUEST.advice)
    return UNEXPECTED


def _said_by_field(error: Exception) -> Mapping[str, str]:
    """Return a sentence for each field that an error is about."""
    if isinstance(error, TickerValidationError):
        return by_field(error)
    return error.errors if isinstance(error, _BY_FIELD) else {}


class ErrorPages:
    """Shows every error as a page inside the layout, or in plain words to an unauthenticated visitor."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def register(self, blueprint: Blueprint) -> None:
        """Show the errors of a blueprint's views."""
        # By code as well: a host's own handler of a code would come before ours of every exception.
        for kind in (400, 403, 404, 405, 413, 415, Exception):
            blueprint.register_error_handler(kind, self.show)

    def show(self, error: Exception) -> Response:
        """Return an error as a response."""
        if isinstance(error, HTTPException) and isinstance(error.response, Response):
            return error.response
        problem = problem_of(error)
        request_id = current_request_id()
        if problem.status >= 500:
            # The text of an expected error says all; the way to an unexpected one must be known.
            logger.error(
                "a dashboard page failed with %s: %s",
                problem.status,
                error,
                exc_info=error if problem is UNEXPECTED else None,
                extra={"request_id": request_id},
            )
        response = self._response(problem, error, request_id)
        response.headers["X-Request-Id"] = request_id
        if isinstance(error, ThrottledError):
            response.headers["Retry-After"] = str(error.retry_after)
        if isinstance(error, MethodNotAllowed):
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
        return response

    def _response(self, problem: Problem, error: Exception, request_id: str) -> Response:
        if is_of_a_program():
            return as_problem(
                ProblemDetails(
                    title=problem.title,
                    status=problem.status,
                    detail=problem.advice,
                    request_id=request_id,
                    errors=field_problems(_said_by_field(error)),
                )
            )
        if current_visitor() is None:
            # What the layout shows, such as the state of the system, is for those who have logged in.
            words = f"{problem.title}. {problem.advice}\nRequest id {request_id}\n"
            return Response(words, status=problem.status, mimetype="text/plain")
        page = self._renderer.page("problem.html", flash=None, problem=problem, request_id=request_id)
        return Response(page, status=problem.status)
