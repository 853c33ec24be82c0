"""A chain in words: what it is as a whole, and what each of its runs did or waits for."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from tickerq_celery import TickerStatus
from tickerq_celery.enums import UNSTARTED
from tickerq_celery.views import ChainRun, RunSummary
from tickerq_dashboard.show.moments import Clock
from tickerq_dashboard.show.reasons import reason_words
from tickerq_dashboard.show.statuses import CANCELLING, LOOKS, LOST, PUBLISHED, Look, in_words
from tickerq_dashboard.show.words import held_words, name_of, plural

LONGEST_LABEL, LONGEST_REASON = 23, 28
_NEVER_RAN = UNSTARTED | {TickerStatus.CANCELLED, TickerStatus.SKIPPED}
# What asks for a look first.
_ORDER = (
    LOOKS[TickerStatus.FAILED],
    LOST,
    LOOKS[TickerStatus.CANCELLED],
    LOOKS[TickerStatus.SKIPPED],
    LOOKS[TickerStatus.IN_PROGRESS],
    CANCELLING,
    LOOKS[TickerStatus.QUEUED],
    PUBLISHED,
    LOOKS[TickerStatus.IDLE],
    LOOKS[TickerStatus.DUE_DONE],
    LOOKS[TickerStatus.DONE],
)


def in_order(runs: Sequence[ChainRun]) -> tuple[ChainRun, ...]:
    """Return the runs of a chain, each followed by all that is below it; they come level by level."""
    below: dict[UUID | None, list[ChainRun]] = {}
    for each in runs[1:]:
        below.setdefault(each.run.parent_id, []).append(each)
    found: list[ChainRun] = []
    # A stack, not recursion: a chain is up to a hundred levels deep.
    waiting = list(runs[:1])
    while waiting:
        each = waiting.pop()
        found.append(each)
        waiting.extend(reversed(below.get(each.run.id, [])))
    return tuple(found)


def has_run(run: RunSummary) -> bool:
    """Return whether a run's function was ever called, as far as that is known."""
    return run.started_at is not None or run.status not in _NEVER_RAN


def chain_words(looks: Sequence[Look], *, truncated: bool) -> str:
    """Return in one sentence how the runs of a chain are, what went wrong first."""
    counts = Counter(looks)
    parts = [f"{counts[look]:,} {look.word}" for look in _ORDER if counts[look]]
    number, _, word = parts[0].partition(" ")
    parts[0] = f"{number} {'is' if number == '1' else 'are'} {word}"
    runs = plural(len(looks), "run")
    if truncated:
        return f"The chain has more than {runs}; of the first {len(looks):,}, {', '.join(parts)}."
    state = "has ended" if all(look.has_ended for look in looks) else "has not ended"
    return f"The chain of {runs} {state}: {', '.join(parts)}."


def label_of(function: str) -> str:
    """Return a function's name as it fits into a box: its last part, with the path where there is room."""
    if len(function) <= LONGEST_LABEL:
        return function
    last = name_of(function).last
    shown = "\N{HORIZONTAL ELLIPSIS}" + last
    return shown if len(shown) <= LONGEST_LABEL else f"{last[: LONGEST_LABEL - 1]}\N{HORIZONTAL ELLIPSIS}"


def label_of_reason(reason: str) -> str:
    """Return as much of a reason as fits into a box."""
    return (
        reason if len(reason) <= LONGEST_REASON else f"{reason[: LONGEST_REASON - 1]}\N{HORIZONTAL ELLIPSIS}"
    )


def short_reason(run: RunSummary, clock: Clock) -> str:
    """Return in a few words why a run is as it is, or else when it got there."""
    if run.exception_type or run.skipped_head or run.held_for is not None:
        return _cause(run)
    if run.ended_at is not None:
        return f"ended {clock.short(run.ended_at)}"
    if run.started_at is not None and run.status is TickerStatus.IN_PROGRESS:
        return f"since {clock.short(run.started_at)}"
    due = run.next_attempt_at or run.execution_time
    return "" if due is None else f"due {clock.short(due)}"


def reason_of(run: RunSummary, clock: Clock, *, may_see: bool) -> str:
    """Return why a run is as it is: its error, why it was skipped, what it waits for; empty of all others."""
    cause = _cause(run)
    if run.exception_type:
        return f"{cause}: {run.error_head}" if run.error_head and may_see else cause
    due = run.next_attempt_at or run.execution_time
    if run.status is not TickerStatus.IDLE or due is None:
        return cause
    moment = clock.single(due)
    return f"{cause}, not before {moment}" if cause else f"Due {moment}"


def _cause(run: RunSummary) -> str:
    if run.exception_type:
        return run.exception_type
    if run.skipped_head:
        return in_words(reason_words(run.skipped_head))
    return "" if run.held_for is None else held_words(run.held_for)
