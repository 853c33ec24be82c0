"""``pause`` and ``resume``: cron tickers, a function, a tag, or everything."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any
from uuid import UUID

import click

from tickerq_celery.cli import cells
from tickerq_celery.cli.changing.selection import expected_option, reason_option
from tickerq_celery.cli.cron_words import show_cron_state, state_of
from tickerq_celery.cli.ids import TickerId
from tickerq_celery.cli.output import Output
from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.cli.tables import Column
from tickerq_celery.managers.cron.pausing import MISSING
from tickerq_celery.tickers.cron_batches import CronBatch
from tickerq_celery.tickers.pauses import Pause
from tickerq_celery.tickers.skip_reasons import who_and_why


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseTarget:
    """What is paused or resumed: one of the four."""

    cron_ids: Sequence[UUID]
    function: str | None
    tag: str | None
    everything: bool

    def __post_init__(self) -> None:
        named = (self.function, self.tag)
        if bool(self.cron_ids) + sum(each is not None for each in named) + self.everything != 1:
            raise click.UsageError("pass one of CRON_ID, --function, --tag and --everything")

    def check(self, expected: str | None) -> None:
        """Refuse the version of one cron ticker where it is about several.

        Raises:
            click.UsageError: It is.
        """
        if expected is not None and len(self.cron_ids) > 1:
            raise click.UsageError("--expected is of one id")

    @property
    def wide(self) -> dict[str, Any]:
        """What the calls about more than one cron ticker take."""
        return {"function": self.function, "tag": self.tag, "everything": self.everything}


_OPTIONS = (
    click.argument("cron_ids", metavar="[CRON_ID]...", nargs=-1, type=TickerId()),
    click.option(
        "--function", metavar="NAME", help="All cron tickers and runs of a function or Celery task."
    ),
    click.option("--tag", metavar="TAG", help="All that have this tag."),
    click.option("--everything", is_flag=True, help="All of the application."),
    reason_option,
)


def _targeted(body: Callable[..., None]) -> Callable[..., None]:
    """Give a command what it is about as one argument: ``target``."""

    def gathered(
        shell: Shell,
        cron_ids: Sequence[UUID],
        function: str,
        tag: str,
        everything: bool,
        **options: Any,
    ) -> None:
        target = PauseTarget(cron_ids=cron_ids, function=function, tag=tag, everything=everything)
        body(shell, target=target, **options)

    decorated: Callable[..., None] = update_wrapper(gathered, body)
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


@command("pause", acts=True)
@_targeted
@expected_option
@click.option("--allow-unknown", is_flag=True, help="Also a function that nothing knows yet.")
def pause(
    shell: Shell, target: PauseTarget, reason: str | None, expected: str | None, allow_unknown: bool
) -> None:
    """Stop cron tickers from firing; or hold the runs of a function, a tag, or the application."""
    managers = shell.managers
    target.check(expected)
    if len(target.cron_ids) > 1:
        show_batch(shell.output, managers.cron_tickers.pause_batch(target.cron_ids, reason=reason), "paused")
        return
    if target.cron_ids:
        [cron_id] = target.cron_ids
        before = managers.cron_tickers.get(cron_id)
        cron = managers.cron_tickers.pause(cron_id, expected=expected, reason=reason)
        show_cron_state(shell.output, cron, before=before)
        return
    if expected is not None:
        raise click.UsageError("--expected is of a cron ticker: there is no pause yet that could be expected")
    earlier = {pause.key: pause.version for pause in managers.pauses.find()}
    found = managers.pauses.pause(**target.wide, reason=reason, allow_unknown=allow_unknown)
    is_same = earlier.get(found.key) == found.version
    already, same = (" already", "; nothing was changed") if is_same else ("", "")
    said = f"{_of(found)} is paused{already}{_since(found)}{same}"
    shell.output.value(found, lambda: shell.output.line(said))


@command("resume", acts=True)
@_targeted
@expected_option
@click.option("--missed", is_flag=True, help="Let misfire policies decide on the instants that passed.")
def resume(shell: Shell, target: PauseTarget, reason: str | None, expected: str | None, missed: bool) -> None:
    """End a pause: what was held runs now, and cron tickers fire from their next instant on."""
    managers = shell.managers
    target.check(expected)
    if len(target.cron_ids) > 1:
        batch = managers.cron_tickers.resume_batch(target.cron_ids, missed=missed, reason=reason)
        show_batch(shell.output, batch, "resumed")
        return
    if target.cron_ids:
        [cron_id] = target.cron_ids
        before = managers.cron_tickers.get(cron_id)
        cron = managers.cron_tickers.resume(cron_id, missed=missed, expected=expected, reason=reason)
        show_cron_state(shell.output, cron, before=before)
        return
    ended = managers.pauses.resume(**target.wide, missed=missed, expected=expected, reason=reason)
    shell.output.value(
        ended, lambda: shell.output.line(f"{_of(ended)} is resumed: it was paused{_since(ended)}")
    )


def _of(pause: Pause) -> str:
    return f"{pause.kind} {pause.name}".rstrip()


def _since(pause: Pause) -> str:
    """Return since when, by whom and why; an earlier pause stays, so that these may be another's."""
    return f" since {cells.moment(pause.paused_at)}{who_and_why(pause.paused_by, pause.reason)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CronResult:
    """What became of one of the ids: what was done, or why it was skipped.

    ``state`` and ``version`` are those of the cron ticker as it now is.
    """

    id: UUID
    done: str | None
    function: str | None = None
    state: str | None = None
    version: str | None = None
    skipped: str | None = None


def show_batch(output: Output, batch: CronBatch, done: str) -> None:
    """Show which cron tickers were changed, and why the others were skipped."""
    changed = [
        CronResult(id=each.id, done=done, function=each.function, state=state_of(each), version=each.version)
        for each in batch.changed
    ]
    skipped = [CronResult(id=each.id, done=None, skipped=each.reason) for each in batch.skipped]
    output.listing([*changed, *skipped], _COLUMNS, empty="")
    if any(each.reason == MISSING for each in batch.skipped):
        raise SystemExit(1)


_COLUMNS: Sequence[Column[CronResult]] = (
    Column("ID", lambda result: str(result.id)),
    Column(
        "RESULT",
        lambda result: result.done or "skipped",
        lambda result: "green" if result.skipped is None else "yellow",
    ),
    Column("FUNCTION", lambda result: result.function or ""),
    Column("NOTE", lambda result: result.skipped or result.state or "", folds=True),
)
