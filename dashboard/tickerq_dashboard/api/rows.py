"""How the rows of the route table are made that change something for programs."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flask import Response
from pydantic import BaseModel

from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.api.acting import acting, deleting
from tickerq_dashboard.api.queries import Deleting
from tickerq_dashboard.api.reading_routes import ROOT
from tickerq_dashboard.api.run_answers import RunAnswer
from tickerq_dashboard.routing import Method, Route
from tickerq_dashboard.show.actions import Action

# What a cron ticker answers with another object than itself.
_MAKES_RUNS = {"cron_tickers.run_now"}


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


def rows_of_actions(
    path: str,
    noun: str,
    name: str,
    answer: type[BaseModel],
    actions: Iterable[Action[Any]],
    id_name: str,
) -> Iterator[Route]:
    """Yield the rows of what can be done to an object: what deletes it is the method of that name."""
    for action in actions:
        if action.removes:
            yield write(
                "DELETE",
                path,
                f"delete_{name}",
                deleting(action, noun, id_name),
                action.permission,
                None,
                None,
                action.verb,
                query=Deleting,
                status=204,
            )
            continue
        yield write(
            "POST",
            f"{path}/{action.slug}",
            f"{name}_{action.name}",
            acting(action, noun, id_name),
            action.permission,
            action.command,
            RunAnswer if action.verb in _MAKES_RUNS else answer,
            action.verb,
        )
