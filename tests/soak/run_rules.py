"""What must have become of each ticker that was added."""

from collections import Counter
from collections.abc import Iterator
from uuid import UUID

from tests.soak.history import History
from tests.soak.traces import Added, Certainty, RunRow
from tests.soak.violation import Rule, Violation
from tickerq_celery.enums import TERMINAL, HoldReason, TickerStatus

_ACTIVE = frozenset({TickerStatus.QUEUED, TickerStatus.IN_PROGRESS})


def committed_tickers_are_there(history: History) -> Iterator[Violation]:
    """Each ticker whose transaction committed has its row."""
    for added in history.added:
        if added.certainty is Certainty.COMMITTED and added.ticker_id not in history.run_of:
            yield Violation(
                rule=Rule.COMMITTED_IS_TERMINAL, subject=added.ticker_id, evidence=f"has no row: {added}"
            )


def rows_are_terminal(history: History) -> Iterator[Violation]:
    """Each row has ended, but for occurrences that the pause of their cron ticker holds."""
    for run in history.runs:
        if run.status in TERMINAL:
            continue
        if run.status in _ACTIVE:
            yield Violation(rule=Rule.NOTHING_IS_ACTIVE, subject=run.id, evidence=str(run))
        elif run.held_for is not HoldReason.PAUSED or run.serial is not None:
            yield Violation(rule=Rule.COMMITTED_IS_TERMINAL, subject=run.id, evidence=str(run))


def rolled_back_tickers_are_nothing(history: History) -> Iterator[Violation]:
    """A ticker whose transaction was rolled back is nowhere."""
    for added in history.added:
        if added.certainty is not Certainty.ROLLED_BACK:
            continue
        for trace in _traces(history, added):
            yield Violation(
                rule=Rule.ROLLED_BACK_IS_NOTHING, subject=added.ticker_id, evidence=f"{added}: {trace}"
            )


def _traces(history: History, added: Added) -> Iterator[object]:
    yield from (run for run in history.runs if run.serial == added.serial or run.id == added.ticker_id)
    if added.ticker_id is not None:
        yield from history.starts_of.get(added.ticker_id, ())


def rows_were_added_once(history: History) -> Iterator[Violation]:
    """No row stands for a ticker that was not added, or for one that has a row already."""
    rows = Counter(run.serial for run in history.runs if run.serial is not None)
    fired = {each.run_id for each in history.occurrences} | {each.run_id for each in history.skips}
    for run in history.runs:
        if run.serial is None:
            strange = "neither added nor fired" if run.id not in fired else ""
        else:
            strange = _strangeness(history, run, rows[run.serial])
        if strange:
            yield Violation(rule=Rule.ROW_WAS_ADDED, subject=run.id, evidence=f"{strange}: {run}")


def _strangeness(history: History, run: RunRow, rows: int) -> str:
    added = history.added_of.get(run.serial if run.serial is not None else -1)
    if added is None:
        return "never added"
    if rows > 1:
        return f"one of {rows} rows"
    return "another id than the add returned" if added.ticker_id not in {None, run.id} else ""


def only_rows_run(history: History) -> Iterator[Violation]:
    """No body ran for a ticker that has no row."""
    rolled_back: set[UUID | None] = {
        each.ticker_id for each in history.added if each.certainty is Certainty.ROLLED_BACK
    }
    for run_id, starts in history.starts_of.items():
        if run_id not in history.run_of and run_id not in rolled_back:
            yield Violation(
                rule=Rule.ROW_WAS_ADDED, subject=run_id, evidence=f"ran without a row: {starts[0]}"
            )


RUN_RULES = (
    committed_tickers_are_there,
    rows_are_terminal,
    rolled_back_tickers_are_nothing,
    rows_were_added_once,
    only_rows_run,
)
