"""Read what happened in a window: the rows of the roll-up, and live what it has not counted yet."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias, TypedDict

from tickerq_celery.enums import TickerStatus
from tickerq_celery.stats.windows import PeriodWindow
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.stats import counted_ends, rolled_figures, rollup_state
from tickerq_celery.tickers.tallies import HALF_HOURS, HOURS, EndedRun, Grain, SpreadName, Tally, TallyKey
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

    window: PeriodWindow
    by: tuple[str, ...]
    functions: Collection[str] | None = None
    statuses: Collection[TickerStatus] | None = None
    spread: SpreadName | None = None

    def grain(self, now: datetime) -> Grain:
        """Return of which periods the rows are read: there are far fewer of those that know few functions."""
        has_function = self.functions is not None or "function" in self.by
        if has_function and self.statuses != {TickerStatus.FAILED}:
            return self.window.grain
        is_kept = self.window.grain is HOURS and HALF_HOURS.keeps(self.window.since, now)
        return HALF_HOURS if is_kept else self.window.grain

    def covers(self, namespace: str, key: TallyKey) -> bool:
        """Return True if it is about the ends of a key."""
        return (
            key.namespace == namespace
            and self.window.since <= key.begins_at < self.window.until
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

    def about(self, window: PeriodWindow) -> About:
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
    found = counted_ends.newest_uncounted(tx, limit=MOST_LIVE + 1)
    if found is None:
        return _newest(tx, rollup_state.START, at=tx.now)
    return _read_ends(found.ends, found.after, at=found.at)


def ask(tx: Transaction, question: Question, known: ReadEnds | None = None) -> Answer:
    """Return what happened in a window, each end once; of the ends not counted those that are ``known``.

    Raises:
        TickerValidationError: The roll-up has too many rows in the window.
    """
    window = question.window
    grain = question.grain(tx.now if known is None else known.at)
    rolled = _rolled(tx, question, grain)
    counted = rolled.position
    groups: dict[Group, Tally] = {}
    _add(groups, rolled.rows)
    uncounted = ReadEnds.none_after(counted, at=window.until)
    if known is not None:
        uncounted = known.beyond(counted)
    elif counted.ended_at < window.until:
        uncounted = _newest(tx, counted, at=window.until)
    _add(groups, _live(tx, question, uncounted.tallies(grain)))
    live_from = max(uncounted.since, window.since)
    return Answer(
        groups=groups,
        counted_until=None if counted == rollup_state.START else counted.ended_at,
        live_from=live_from,
        is_complete=not uncounted.is_cut or live_from == window.since,
    )


def _newest(tx: Transaction, counted: EndPosition, *, at: datetime) -> ReadEnds:
    return _read_ends(counted_ends.newest(tx, counted, limit=MOST_LIVE + 1), counted, at=at)


def _read_ends(ends: Sequence[EndedRun], after: EndPosition, *, at: datetime) -> ReadEnds:
    return ReadEnds(at=at, after=after, ends=ends[:MOST_LIVE], is_cut=len(ends) > MOST_LIVE)


def _rolled(tx: Transaction, question: Question, grain: Grain) -> rolled_figures.RolledFigures:
    """Return what the roll-up says, and its watermark."""
    which = rolled_figures.Which(
        grain=grain,
        since=question.window.since,
        until=question.window.until,
        functions=question.functions,
        statuses=question.statuses,
    )
    if question.spread is None:
        return rolled_figures.sums(tx, which, by=question.by)
    return rolled_figures.with_spreads(tx, which, by=question.by, spread=question.spread)


def _live(
    tx: Transaction, question: Question, tallies: Mapping[TallyKey, Tally]
) -> Iterable[tuple[Group, Tally]]:
    for key, tally in tallies.items():
        if question.covers(tx.namespace, key):
            yield question.group_of(key), tally


def _add(groups: dict[Group, Tally], more: Iterable[tuple[Group, Tally]]) -> None:
    for group, tally in more:
        groups[group] = groups[group].plus(tally) if group in groups else tally
