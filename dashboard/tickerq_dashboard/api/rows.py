"""How a row of the route table is made that changes something for programs."""

from collections.abc import Callable

from flask import Response
from pydantic import BaseModel

from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.api.reading_routes import ROOT
from tickerq_dashboard.routing import Method, Route


def write(
    method: Method,
    path: str,
    name: str,
    handler: Callable[..., Response],
    permission: Permission,
    command: type[BaseModel] | None,
    answer: type[BaseModel] | None,
    audit: str | None = None,
    *,
    query: type[BaseModel] | None = None,
    status: int = 200,
) -> Route:
    """Return the row of what a program does; a refusal is recorded as ``audit``."""
    return Route(
        method=method,
        path=ROOT + path,
        name=f"api_{name}",
        permission=permission,
        handler=handler,
        query=query,
        command=command,
        answer=answer,
        status=status,
        audit=audit,
    )
