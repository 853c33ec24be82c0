"""Return answers as JSON, with the marks by which a program says later what it has seen."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Protocol

import flask
from flask import Response

from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.api.fields import Answer
from tickerq_dashboard.filters import ListQuery
from tickerq_dashboard.visits import Visit

# It ends the version in an ETag, and is in no version.
VERSION_END = "~"


class Paged(Protocol):
    """A page of a list, as the core returns it."""

    @property
    def next_cursor(self) -> str | None: ...


def answered(answer: Answer, *, version: str | None = None) -> Response:
    """Return an answer, or 304 where the program has the same already.

    ``version`` is that of the object which the answer is; it becomes part of the ETag, for ``If-Match``.
    """
    response = written(answer.model_dump(mode="json"))
    digest = sha256(response.get_data()).hexdigest()[:16]
    response.set_etag(digest if version is None else f"{version}{VERSION_END}{digest}")
    if "If-Match" not in flask.request.headers:
        # That is for what changes something, and has been looked at there.
        response.make_conditional(flask.request)
    return response


def written(value: object, status: int = 200) -> Response:
    """Return a value as JSON; what no UTF-8 holds is escaped."""
    body = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Response(f"{body}\n", status=status, mimetype="application/json")


def opened(visit: Visit, query: ListQuery) -> str | None:
    """Return the core's cursor of what a program asks to go on from."""
    return None if query.cursor is None else visit.dashboard.cursors.opened(query.cursor)


def marks_of(visit: Visit, page: Paged) -> Mapping[str, Any]:
    """Return where a page goes on, and what stands before it, as the fields of a list's answer."""
    signed = visit.dashboard.cursors.signed
    return {
        "next": signed(page.next_cursor),
        "previous": signed(getattr(page, "previous_cursor", None)),
        "looked_back_to": getattr(page, "looked_back_to", None),
        "looked_at": getattr(page, "looked_at", 0) or None,
    }


def may_see(visit: Visit) -> bool:
    """Return whether the visitor may see payloads and the texts of errors."""
    return visit.may(Permission.PAYLOAD_VIEW)
