"""How the rows of the route table are made of what programs can do to an object."""

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel

from tickerq_dashboard.api.acting import acting, deleting
from tickerq_dashboard.api.queries import Deleting
from tickerq_dashboard.api.rows import write
from tickerq_dashboard.api.run_answers import RunAnswer
from tickerq_dashboard.routing import Route
from tickerq_dashboard.show.actions import Action

# What a cron ticker answers with another object than itself.
_MAKES_RUNS = {"cron_tickers.run_now"}


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
