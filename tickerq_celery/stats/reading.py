"""Read what happened in a window: the rows of the roll-up, and live what it has not counted yet."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias, TypedDict

from tickerq_celery.enums import TickerStatus
from tickerq_celery.stats.windows import Window
from tickerq_celery.store import counted_ends, rolled_figures, rollup_state
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.past_runs import EndPosition
from tickerq_celery.tickers.tallies import EndedRun, Tally, TallyKey, tallies

# How many ends that are not counted yet are read.
MOST_LIVE = 2_000
# The values of the columns that ends are grouped by.
Group: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which ends are meant, and by which fields of their keys they are grouped.

    ``functions`` and ``statuses`` are all where None. Histograms are read ``with_spreads`` only.
    """

    window: Window
    by: tuple[str, ...]
    functions: Collection[str] | None = None
    statuses: Collection[TickerStatus] | None = None
    with_spreads: bool = False

    def covers(self, namespace: str, key: TallyKey) -> bool:
        """Return True if it is about the ends of a key."""
        return (
            key.namespace == namespace
            and self.window.since <= key.hour < self.window.until
            and (self.functions is None or key.function in self.functions)
            and (self.statuses is None or key.status in self.statuses)
        )

    def group_of(self, key: TallyKey) -> Group:
        """Return the group that the ends of a key are in."""
        return tuple(getattr(key, name) for name in self.by)


class About(TypedDict):
    """The fields of ``Figures``."""

    since: datetime
    until: datetime
    counted_until: datetime | None
    live_from: datetime
    is_complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the ends of each group come to, and what the answer is made of, as ``Figures`` say it."""

    groups: Mapping[Group, Tally]
    counted_until: datetime | None
    live_from: datetime
    is_complete: bool

    def about(self, window: Window) -> About:
        """Return the fields of ``Figures``."""
        return {
            "since": window.since,
            "until": window.until,
            "counted_until": self.counted_until,
            "live_from": self.live_from,
            "is_complete": self.is_complete,
        }


def ask(tx: Transaction, question: Question) -> Answer:
    """Return what happened in a window, each end once.

    Raises:
        TickerValidationError: The roll-up has too many rows in the window.
    """
    groups: dict[Group, Tally] = {}
    counted = _add_rolled(tx, question, groups)
    since, until = question.window.since, question.window.until
    ends: Sequence[EndedRun] = ()
    if counted.ended_at < until:
        ends = counted_ends.newest(tx, counted, limit=MOST_LIVE + 1)
    is_cut = len(ends) > MOST_LIVE
    if is_cut:
        ends = ends[:MOST_LIVE]
    _add(groups, _live(tx, question, ends))
    live_from = max(ends[-1].ended_at if is_cut else counted.ended_at, since)
    return Answer(
        groups=groups,
        counted_until=None if counted == rollup_state.START else counted.ended_at,
        live_from=live_from,
        is_complete=not is_cut or live_from == since,
    )


def _add_rolled(tx: Transaction, question: Question, groups: dict[Group, Tally]) -> EndPosition:
    """Add what the roll-up says, and return its watermark."""
    window = question.window
    which = rolled_figures.Which(
        since=window.since,
        until=window.until,
        functions=question.functions,
        statuses=question.statuses,
    )
    if not question.with_spreads:
        summed = rolled_figures.sums(tx, which, by=question.by)
        _add(groups, summed.rows)
        return summed.position
    whole = rolled_figures.rows(tx, which)
    _add(groups, ((question.group_of(key), tally) for key, tally in whole.rows))
    return whole.position


def _live(tx: Transaction, question: Question, ends: Iterable[EndedRun]) -> Iterable[tuple[Group, Tally]]:
    for key, tally in tallies(ends).items():
        if question.covers(tx.namespace, key):
            yield question.group_of(key), tally


def _add(groups: dict[Group, Tally], more: Iterable[tuple[Group, Tally]]) -> None:
    for group, tally in more:
        groups[group] = groups[group].plus(tally) if group in groups else tally
