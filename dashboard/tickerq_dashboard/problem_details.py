"""Errors as programs read them: problem details of RFC 9457, which never repeat what was sent."""

import json
from collections.abc import Mapping

from flask import Response, request
from pydantic import BaseModel, ConfigDict

from tickerq_celery.errors import TickerValidationError, UnknownFunctionError

MIMETYPE = "application/problem+json"
_ROOT = "/api/v1/"


class FieldProblem(BaseModel):
    """What is wrong with one field; ``path`` leads to it, such as ``children.0.retries``."""

    model_config = ConfigDict(frozen=True)

    path: str
    message: str


class ProblemDetails(BaseModel):
    """Why a request was not answered, or nothing was changed."""

    model_config = ConfigDict(frozen=True)

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    request_id: str
    errors: tuple[FieldProblem, ...] = ()


class RefusedError(Exception):
    """Something is not done for a program; ``errors`` are sentences by the paths of fields."""

    def __init__(self, status: int, title: str, detail: str, errors: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{title}: {detail}")
        self.status, self.title, self.detail = status, title, detail
        self.errors = errors or {}


def is_of_a_program() -> bool:
    """Return whether the address of this request is one of the API's."""
    name = (request.endpoint or "").rpartition(".")[2]
    # An address that matches no row has no name, or that of the row which takes all others.
    return _ROOT in request.path if name in {"", "unknown"} else name.startswith("api_")


def as_problem(details: ProblemDetails) -> Response:
    """Return problem details as a response."""
    body = json.dumps(details.model_dump(mode="json"))
    return Response(f"{body}\n", status=details.status, mimetype=MIMETYPE)


def path_of(field: str) -> str:
    """Return the path of a field that the core names: ``children[0].retries`` as children.0.retries."""
    return field.replace("[", ".").replace("]", "")


def by_field(error: TickerValidationError) -> dict[str, str]:
    """Return what the core refuses, by the paths of fields."""
    return {path_of(each.field): _reason(each) for each in (*error.others, error)[::-1]}


def field_problems(errors: Mapping[str, str]) -> tuple[FieldProblem, ...]:
    """Return sentences by paths as a list."""
    return tuple(FieldProblem(path=path, message=said) for path, said in errors.items())


def _reason(error: TickerValidationError) -> str:
    # What follows is for code.
    return error.reason.partition("; ")[0] if isinstance(error, UnknownFunctionError) else error.reason
