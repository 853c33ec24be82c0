"""Which runs a command is about, and how it goes about it: by their ids, or by filters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any, TypeVar
from uuid import UUID

import click

from tickerq_celery.cli.asking import yes_option
from tickerq_celery.cli.field_options import given
from tickerq_celery.cli.ids import NoId, each_id
from tickerq_celery.cli.run_filters import run_filters
from tickerq_celery.cli.words import Moment

T = TypeVar("T")
ENDS, DUES = ("ended_from", "ended_until"), ("due_from", "due_until")

reason_option = click.option("--reason", metavar="TEXT", help="Why, for the audit.")
expected_option = click.option(
    "--expected",
    metavar="VERSION",
    help="Refuse if it has another version by now than `show --json` had.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The runs of ``ids``, or of a ``chain``, or those that meet ``filters``, or with ``everything`` all."""

    ids: Sequence[UUID | NoId]
    chain: UUID | None
    filters: dict[str, Any]
    everything: bool
    expected: str | None
    reason: str | None
    is_sure: bool
    count_only: bool
    no_wait: bool

    def __post_init__(self) -> None:
        """Refuse what does not go together.

        Raises:
            click.UsageError: It is not exactly one of them, or an option is of another one.
        """
        if bool(self.ids) + (self.chain is not None) + bool(self.filters) + self.everything != 1:
            raise click.UsageError("pass ids, or --chain alone, or filters, or --everything")
        if self.expected is not None and len(self.ids) != 1 and self.chain is None:
            raise click.UsageError("--expected is of one id")
        is_job = bool(self.filters) or self.everything
        if not is_job and (self.count_only or self.no_wait):
            raise click.UsageError("--count-only and --no-wait are of filters: all else is done at once")


def selecting(times: tuple[str, str], *, chains: bool) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Give a command its runs as one argument, ``selection``.

    ``times`` are the filters of ``--since`` and ``--until``: when the runs ended, or when they are due. Of a
    command that ``chains`` have a verb of their own for, ``--chain`` is none of the filters.
    """
    what = "ended" if times == ENDS else "are due"

    def decorate(body: Callable[..., T]) -> Callable[..., T]:
        def gathered(*args: Any, filters: dict[str, Any], **options: Any) -> T:
            span = given({name: options.pop(name) for name in times})
            own = {name: options.pop(name) for name in _OWN}
            chain = filters.pop("root_id", None) if chains else None
            selection = Selection(chain=chain, filters=filters | span, **own)
            return body(*args, selection=selection, **options)

        decorated: Callable[..., T] = update_wrapper(gathered, body)
        for option in reversed(_AFTER):
            decorated = option(decorated)
        since, until = times
        for word, name, said in (("--until", until, "before"), ("--since", since, "from")):
            text = f"That {what} {said} this moment."
            decorated = click.option(word, name, type=Moment(), help=text)(decorated)
        return click.argument("ids", metavar="[ID]...", nargs=-1, callback=each_id)(run_filters(decorated))

    return decorate


_OWN = ("ids", "everything", "expected", "reason", "is_sure", "count_only", "no_wait")
_AFTER = (
    click.option("--everything", is_flag=True, help="All runs, where there is neither an id nor a filter."),
    click.option("--count-only", is_flag=True, help="Only say how many meet the filters."),
    click.option("--no-wait", is_flag=True, help="Return at once: beat does it later."),
    reason_option,
    expected_option,
    yes_option,
)
