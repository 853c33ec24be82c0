"""What a browser is shown when something fails: a status and a sentence, never a cause."""

import logging
from collections.abc import Mapping
from typing import NamedTuple

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from tickerq_celery.errors import TickerValidationError
from tickerq_dashboard.access.refusals import ThrottledError
from tickerq_dashboard.access.visitors import current_request_id, current_visitor
from tickerq_dashboard.parsing import InvalidFieldsError
from tickerq_dashboard.problem_details import (
    ProblemDetails,
    RefusedError,
    as_problem,
    by_field,
    field_problems,
    is_of_a_program,
)
from tickerq_dashboard.problems import UNEXPECTED, Problem, problem_of
from tickerq_dashboard.rendering import Renderer

logger = logging.getLogger(__name__)

# Those that have a sentence for each field.
_BY_FIELD = (InvalidFieldsError, RefusedError)


class _Thing(NamedTuple):
    """What the page of one thing shows, and the list where others of its kind are."""

    noun: str
    listing: str


# By the argument in its address.
_THINGS = {
    "run_id": _Thing("run", "runs"),
    "cron_id": _Thing("cron ticker", "crons"),
    "name": _Thing("function", "functions"),
    "job_id": _Thing("bulk job", "bulk_jobs"),
}


def _thing() -> _Thing | None:
    """Return what the page of this request is about, None for a list."""
    thing = next((_THINGS[name] for name in request.view_args or () if name in _THINGS), None)
    return thing._replace(noun="chain") if thing and "/chains/" in request.path else thing


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
        thing = _thing()
        problem = problem_of(error, thing.noun if thing else "")
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
        response = self._response(problem, error, thing, request_id)
        response.headers["X-Request-Id"] = request_id
        if isinstance(error, ThrottledError):
            response.headers["Retry-After"] = str(error.retry_after)
        if isinstance(error, MethodNotAllowed):
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
        return response

    def _response(
        self, problem: Problem, error: Exception, thing: _Thing | None, request_id: str
    ) -> Response:
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
            page = self._renderer.apart("outside.html", problem=problem, request_id=request_id)
            return Response(page, status=problem.status)
        page = self._renderer.page(
            "problem.html",
            flash=None,
            problem=problem,
            page_here=thing.listing if thing else (request.endpoint or "").rpartition(".")[2],
            listing=thing.listing if thing else "runs",
            errors=_said_by_field(error),
            request_id=request_id,
        )
        return Response(page, status=problem.status)
