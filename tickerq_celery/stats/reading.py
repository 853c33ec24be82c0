"""Read what happened in a window: the rows of the roll-up, and live what it has not counted yet."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias, TypedDict

from tickerq_celery.enums import TickerStatus
from tickerq_celery.stats.windows import Window
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.stats import counted_ends, rolled_figures, rollup_state
from tickerq_celery.tickers.tallies import SpreadName, Tally, TallyKey
from tickerq_celery.tickers.uncounted_ends import EndPosition, ReadEnds

# How many ends that are not counted yet are read.
MOST_LIVE = 2_000
# The values of the columns that ends are grouped by.
Group: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which ends are meant, and by which fields of their keys they are grouped.

    ``functions`` and ``statuses`` are all where None. Of the histograms that of the ``spread`` is read.
    """

    window: Window
    by: tuple[str, ...]
    functions: Collection[str] | None = None
    statuses: Collection[TickerStatus] | None = None
    spread: SpreadName | None = None

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


def read_uncounted(tx: Transaction) -> ReadEnds:
    """Return the ends that are not counted at present."""
    counted, at = rollup_state.position_and_time(tx)
    return _newest(tx, counted, at=at)


def ask(tx: Transaction, question: Question, known: ReadEnds | None = None) -> Answer:
    """Return what happened in a window, each end once; of the ends not counted those that are ``known``.

    Raises:
        TickerValidationError: The roll-up has too many rows in the window.
    """
    window = question.window
    rolled = _rolled(tx, question)
    counted = rolled.position
    groups: dict[Group, Tally] = {}
    _add(groups, rolled.rows)
    uncounted = ReadEnds.none_after(counted, at=window.until)
    if known is not None:
        uncounted = known.beyond(counted)
    elif counted.ended_at < window.until:
        uncounted = _newest(tx, counted, at=window.until)
    _add(groups, _live(tx, question, uncounted))
    live_from = max(uncounted.since, window.since)
    return Answer(
        groups=groups,
        counted_until=None if counted == rollup_state.START else counted.ended_at,
        live_from=live_from,
        is_complete=not uncounted.is_cut or live_from == window.since,
    )


def _newest(tx: Transaction, counted: EndPosition, *, at: datetime) -> ReadEnds:
    ends = counted_ends.newest(tx, counted, limit=MOST_LIVE + 1)
    is_cut = len(ends) > MOST_LIVE
    return ReadEnds.of(ends[:MOST_LIVE], at=at, after=counted, is_cut=is_cut)


def _rolled(tx: Transaction, question: Question) -> rolled_figures.RolledFigures:
    """Return what the roll-up says, and its watermark."""
    which = rolled_figures.Which(
        since=question.window.since,
        until=question.window.until,
        functions=question.functions,
        statuses=question.statuses,
    )
    if question.spread is None:
        return rolled_figures.sums(tx, which, by=question.by)
    return rolled_figures.with_spreads(tx, which, by=question.by, spread=question.spread)


def _live(tx: Transaction, question: Question, ends: ReadEnds) -> Iterable[tuple[Group, Tally]]:
    for key, tally in ends.tallies.items():
        if question.covers(tx.namespace, key):
            yield question.group_of(key), tally


def _add(groups: dict[Group, Tally], more: Iterable[tuple[Group, Tally]]) -> None:
    for group, tally in more:
        groups[group] = groups[group].plus(tally) if group in groups else tally
