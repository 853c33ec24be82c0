"""What a browser is shown when something fails: a status and a sentence, never a cause."""

import logging
from dataclasses import dataclass
from uuid import uuid4

from flask import Blueprint, Response
from werkzeug.exceptions import HTTPException
from werkzeug.sansio.response import Response as SansIOResponse

from tickerq_celery.errors import SchemaError, StoreError, TickerNotFoundError, TickerValidationError
from tickerq_dashboard.filters import FilterError
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
STORE_SILENT = Problem(
    status=503,
    title="The store does not answer",
    advice="The database cannot be reached or is too busy. Tickers are safe in it; reload in a moment.",
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
    FilterError: BAD_REQUEST,
    UnknownPageError: NOT_FOUND,
    TickerValidationError: BAD_REQUEST,
    TickerNotFoundError: NOT_FOUND,
    StoreError: STORE_SILENT,
    SchemaError: NO_TABLES,
}


def problem_of(error: Exception) -> Problem:
    """Return how an error is shown; what is not in the table is unexpected."""
    for kind, problem in PROBLEMS.items():
        if isinstance(error, kind):
            return problem
    if isinstance(error, HTTPException) and error.code is not None and error.code < 500:
        return (
            NOT_FOUND
            if error.code == 404
            else Problem(status=error.code, title=error.name, advice=BAD_REQUEST.advice)
        )
    return UNEXPECTED


def register_errors(blueprint: Blueprint, renderer: Renderer) -> None:
    """Show every error of the blueprint's views as a page inside its layout."""

    def show(error: Exception) -> SansIOResponse:
        if isinstance(error, HTTPException) and error.response is not None:
            return error.response
        problem = problem_of(error)
        request_id = uuid4().hex[:12]
        if problem.status >= 500:
            # The text of an expected error says all; the way to an unexpected one must be known.
            logger.error(
                "a dashboard page failed with %s: %s",
                problem.status,
                error,
                exc_info=error if problem is UNEXPECTED else None,
                extra={"request_id": request_id},
            )
        page = renderer.page("problem.html", problem=problem, request_id=request_id)
        return Response(page, status=problem.status, headers={"X-Request-Id": request_id})

    # By code as well: a host's own handler of a code would come before ours of every exception.
    for kind in (400, 404, Exception):
        blueprint.register_error_handler(kind, show)
