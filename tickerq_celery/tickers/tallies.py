"""Ends of runs as the roll-up counts them: what is read of each, and what many come to."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from tickerq_celery.enums import TickerKind, TickerStatus
from tickerq_celery.tickers.histograms import Spread
from tickerq_celery.tickers.known_outcomes import outcome_known

HOUR = timedelta(hours=1)
# What is known of ends beside their number.
SpreadName: TypeAlias = Literal["durations", "lags"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grain:
    """How long the periods are in which ends are counted together, and how long those are ``kept``.

    ``kept`` is None where retention says so. Periods that are kept for a while only tell functions apart in
    failures alone: they are there for charts of all functions.
    """

    length: timedelta
    kept: timedelta | None = None

    @property
    def minutes(self) -> int:
        """The length in minutes."""
        return self.length // timedelta(minutes=1)

    def begin_of(self, moment: datetime) -> datetime:
        """Return the beginning of the period that a moment is in."""
        return moment.replace(minute=moment.minute // self.minutes * self.minutes, second=0, microsecond=0)

    def keeps(self, moment: datetime, now: datetime) -> bool:
        """Return True if the period of a moment is kept still."""
        return self.kept is None or moment >= now - self.kept


HOURS = Grain(length=HOUR)
# A month, and a week before it in which failures may have been seen already: figures of all functions are
# read from few rows. And two hours, of which the later is compared with the earlier.
HALF_HOURS = Grain(length=HOUR / 2, kept=timedelta(days=40))
MINUTES = Grain(length=timedelta(minutes=1), kept=timedelta(hours=3))
GRAINS = (HOURS, HALF_HOURS, MINUTES)
# In a key, the type and the kind of ends of all of them.
_ANY_TYPE, _ANY = -1, ""


def hour_of(moment: datetime) -> datetime:
    """Return the beginning of the hour that a moment is in."""
    return HOURS.begin_of(moment)


class TallyKey(NamedTuple):
    """Which ends are counted together; ``error_type`` is empty where there was no exception.

    Type and kind are as they are stored: a newer version may have stored others than this one knows. Of
    periods shorter than an hour they are -1 and empty, and so is the function, but of failures.
    """

    namespace: str
    minutes: int
    begins_at: datetime
    function: str
    type: int
    kind: str
    status: TickerStatus
    error_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedRun:
    """A run that has ended, as far as its end is counted; times are aware UTC."""

    id: UUID
    namespace: str
    function: str
    type: int
    kind: str
    status: TickerStatus
    error_type: str | None
    is_late: bool
    retry_count: int
    rescue_count: int
    executions: int
    has_parent: bool
    execution_time: datetime | None
    created_at: datetime
    retried_at: datetime | None
    started_at: datetime | None
    ended_at: datetime
    elapsed: timedelta | None

    def key(self, grain: Grain) -> TallyKey:
        """Return what it is counted with in periods of one length."""
        is_whole = grain.kept is None
        has_function = is_whole or self.status is TickerStatus.FAILED
        return TallyKey(
            namespace=self.namespace,
            minutes=grain.minutes,
            begins_at=grain.begin_of(self.ended_at),
            function=self.function if has_function else _ANY,
            type=self.type if is_whole else _ANY_TYPE,
            kind=self.kind if is_whole else _ANY,
            status=self.status,
            # MariaDB takes names that differ in spaces at their end for one, and an exception may have any.
            error_type=(self.error_type or "").rstrip(" "),
        )

    @property
    def is_published(self) -> bool:
        """Whether nothing but its publication is known, see ``Run.outcome_known``."""
        is_call = self.kind == TickerKind.CELERY_TASK
        return is_call and not outcome_known(TickerKind.CELERY_TASK, self.status, self.started_at)

    @property
    def lag(self) -> timedelta | None:
        """How long after it should have started it started; None where that is not known.

        It should have started at its execution time, or when it was added where that was later or it has
        none. That is not known of a child, which its parent lets start, and of a run with more than one
        attempt, since the start of the last one is all that it has.
        """
        is_first = not self.retry_count and not self.rescue_count and self.executions <= 1
        if self.started_at is None or self.has_parent or self.retried_at is not None or not is_first:
            return None
        planned = self.created_at if self.execution_time is None else self.execution_time
        return max(timedelta(0), self.started_at - max(planned, self.created_at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What many ends come to; ``last_id`` is the run that ended last, None where that was not read."""

    ends: int
    late: int
    retried: int
    published: int
    first_ended_at: datetime
    last_ended_at: datetime
    last_id: UUID | None = None
    durations: Spread = field(default_factory=Spread)
    lags: Spread = field(default_factory=Spread)

    def spread(self, name: SpreadName) -> Spread:
        """Return the durations, or the lags."""
        return self.durations if name == "durations" else self.lags

    def plus(self, other: "Tally") -> "Tally":
        """Return what the ends of both come to."""
        last = max(self, other, key=lambda each: (each.last_ended_at, each.last_id or UUID(int=0)))
        return Tally(
            ends=self.ends + other.ends,
            late=self.late + other.late,
            retried=self.retried + other.retried,
            published=self.published + other.published,
            first_ended_at=min(self.first_ended_at, other.first_ended_at),
            last_ended_at=last.last_ended_at,
            last_id=last.last_id,
            durations=self.durations.plus(other.durations),
            lags=self.lags.plus(other.lags),
        )


def tallies(ends: Iterable[EndedRun], grain: Grain) -> Mapping[TallyKey, Tally]:
    """Return what ends come to in periods of one length, by what they are counted with."""
    together: dict[TallyKey, list[EndedRun]] = defaultdict(list)
    for each in ends:
        together[each.key(grain)].append(each)
    return {key: tally(those) for key, those in together.items()}


def kept_tallies(ends: Sequence[EndedRun], now: datetime) -> Mapping[TallyKey, Tally]:
    """Return what ends come to in periods of each length, where these are kept still."""
    return {
        key: counted
        for grain in GRAINS
        for key, counted in tallies((each for each in ends if grain.keeps(each.ended_at, now)), grain).items()
    }


def tally(ends: list[EndedRun]) -> Tally:
    """Return what some ends, at least one, come to."""
    last = max(ends, key=lambda each: (each.ended_at, each.id))
    return Tally(
        ends=len(ends),
        late=sum(each.is_late for each in ends),
        retried=sum(each.retry_count > 0 for each in ends),
        published=sum(each.is_published for each in ends),
        first_ended_at=min(each.ended_at for each in ends),
        last_ended_at=last.ended_at,
        last_id=last.id,
        durations=Spread.of(each.elapsed for each in ends if each.elapsed is not None),
        lags=Spread.of(each.lag for each in ends if each.lag is not None),
    )
