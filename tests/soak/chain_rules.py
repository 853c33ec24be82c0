"""What must have become of each child of a chain, given what became of its parent."""

from collections.abc import Iterator

from tests.inner import is_met
from tests.soak.history import History
from tests.soak.time_rules import CLOCKS_APART
from tests.soak.traces import Added, RunRow
from tests.soak.violation import Rule, Violation
from tests.unmet import is_unmet_reason
from tickerq_celery.enums import TERMINAL, RunCondition, TickerStatus


def children_follow_their_parents(history: History) -> Iterator[Violation]:
    """A child is stored with its parent, runs if that one's end meets its condition, and else is skipped."""
    rows = {run.serial: run for run in history.runs if run.serial is not None}
    for child in history.added:
        parent = None if child.follows is None else rows.get(child.follows)
        if parent is None:
            continue
        run = rows.get(child.serial)
        if run is None:
            yield _violation(parent, f"was stored without its child: {child}")
        elif strange := _strangeness(history, child, run, parent):
            yield _violation(run, f"{strange}: {run} of {parent}")


def _strangeness(history: History, child: Added, run: RunRow, parent: RunRow) -> str:
    if run.parent_id != parent.id:
        return "it is the child of another"
    if not {run.status, parent.status} <= TERMINAL:
        return ""  # the rules of rows say so
    is_skipped = run.status is TickerStatus.SKIPPED and is_unmet_reason(run.skipped_reason)
    if is_skipped == _is_let_start(history, child, parent):
        return "it was skipped" if is_skipped else "it was not skipped"
    if is_skipped:
        return "it ran" if run.id in history.starts_of else ""
    first = history.starts_of.get(run.id, ())[:1]
    is_early = run.id in history.due_of and any(
        start.at < history.due_of[run.id] - CLOCKS_APART for start in first
    )
    return "it began before its parent let it" if is_early else ""


def _is_let_start(history: History, child: Added, parent: RunRow) -> bool:
    if child.condition is RunCondition.IN_PROGRESS:
        return bool(history.attempts_of.get(parent.id))
    return is_met(child.condition, parent.status)


def _violation(run: RunRow, evidence: str) -> Violation:
    return Violation(rule=Rule.CHILDREN_FOLLOW, subject=run.id, evidence=evidence)


CHAIN_RULES = (children_follow_their_parents,)
