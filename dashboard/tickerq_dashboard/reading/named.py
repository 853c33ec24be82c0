"""What is known of a function or a Celery task by its name: whether it exists, and what it takes."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from tickerq_celery.limits import LONGEST_FUNCTION
from tickerq_celery.views import FunctionView
from tickerq_dashboard.commands.work import Work
from tickerq_dashboard.reading.reader import SLOW, Reader

MOST_NAMES = 200
_CELERYS_OWN = "celery."
NO_FUNCTION = "No function of this name is registered here or by any worker."
NO_TASK = "The app of this dashboard has no Celery task of this name."


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a name stands for; ``problem`` says why nothing of it can be scheduled."""

    name: str
    is_task: bool = False
    is_here: bool = False
    view: FunctionView | None = None
    problem: str | None = None

    @property
    def schema(self) -> Any:
        """What its request must be, as a JSON schema; None where that is not known."""
        return None if self.view is None else self.view.request_schema

    @property
    def example(self) -> Any:
        """A request that fits the schema; None where there is no schema, or none was found."""
        return None if self.view is None else self.view.request_example


def names_of(reader: Reader) -> list[tuple[str, str]]:
    """Return what can be named, with its kind in words."""
    tickerq = reader.tickerq
    read = partial(tickerq.functions.find, limit=MOST_NAMES, with_awaited=False, with_figures=False)
    found = reader.cached_or_none("names of functions", read, fresh=SLOW)
    functions = sorted({*(each.name for each in found or ()), *(each.name for each in tickerq.registry)})
    tasks = sorted(name for name in tickerq.app.tasks if _is_own_task(reader, name))
    return [(name, "function") for name in functions] + [(name, "Celery task") for name in tasks]


def named(reader: Reader, name: str, *, is_task: bool) -> Named:
    """Return what is known of a function, or of a task."""
    if is_task:
        return Named(name=name, is_task=True, problem=None if _is_own_task(reader, name) else NO_TASK)
    if not 0 < len(name) <= LONGEST_FUNCTION:
        return Named(name=name, problem=NO_FUNCTION)
    read = partial(reader.tickerq.functions.get, name, with_figures=False)
    view = reader.cached_or_none(("named", name), read, fresh=2.0)
    is_here = reader.tickerq.registry.get(name) is not None
    is_known = is_here or (view is not None and view.is_registered)
    return Named(name=name, is_here=is_here, view=view, problem=None if is_known else NO_FUNCTION)


def unknown_in(reader: Reader, work: Work, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield, for what a command names that nothing knows, the path of its field and why it is refused.

    The core takes any name of a Celery task; from a browser only tasks of this app can be started.
    """
    name = work.task if work.task is not None else work.function
    if name is not None:
        found = named(reader, name, is_task=work.task is not None)
        if found.problem is not None:
            yield f"{path}function", found.problem
    for at, child in enumerate(getattr(work, "children", ())):
        yield from unknown_in(reader, child, f"{path}children.{at}.")


def _is_own_task(reader: Reader, name: str) -> bool:
    is_function = reader.tickerq.registry.get(name) is not None
    return name in reader.tickerq.app.tasks and not name.startswith(_CELERYS_OWN) and not is_function
