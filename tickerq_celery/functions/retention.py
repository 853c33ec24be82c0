"""How long ended runs are kept: by their status, and by function where that differs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias, TypedDict

from tickerq_celery import validation
from tickerq_celery.enums import TERMINAL, TickerStatus
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.wording import exactly, meant_by

# None keeps for ever.
Kept: TypeAlias = timedelta | None
_MONTH, _QUARTER, _YEAR = timedelta(days=30), timedelta(days=90), timedelta(days=365)
# A year, and the month before it to compare with.
_ROLLUPS = timedelta(days=400)
_OF_STATUS: Mapping[TickerStatus, Kept] = {
    TickerStatus.DONE: _MONTH,
    TickerStatus.DUE_DONE: _MONTH,
    TickerStatus.FAILED: _QUARTER,
    TickerStatus.CANCELLED: _QUARTER,
    TickerStatus.SKIPPED: _MONTH,
}
_STATUSES = {status.name.lower(): status for status in sorted(TERMINAL)}
# A worker that does not know whether its end was committed asks for the row once more.
_DAY = timedelta(days=1)
_LEAST = timedelta(minutes=1)
_MOST = timedelta(days=36_525)
_SETTING = "retention"
# What is kept besides runs.
_RECORDS = ("audit", "bulk", "rollups")


class KeptByStatus(TypedDict, total=False):
    """How long runs are kept, by the status they end with; None keeps for ever."""

    done: timedelta | float | None
    due_done: timedelta | float | None
    skipped: timedelta | float | None
    failed: timedelta | float | None
    cancelled: timedelta | float | None


class RetentionSettings(KeptByStatus, total=False):
    """The setting ``retention``: what differs from the defaults."""

    audit: timedelta | float | None
    bulk: timedelta | float | None
    rollups: timedelta | float | None
    functions: Mapping[str, KeptByStatus | timedelta | float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How long runs that ended with a ``status`` are kept: those of a function, or of all ``but`` some."""

    status: TickerStatus
    function: str | None
    but: frozenset[str]
    after: timedelta

    def covers(self, function: str) -> bool:
        """Whether it is about the runs of a function."""
        return function not in self.but if self.function is None else function == self.function


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long everything that ends is kept; None keeps for ever."""

    statuses: Mapping[TickerStatus, Kept] = field(default_factory=lambda: dict(_OF_STATUS))
    functions: Mapping[str, Mapping[TickerStatus, Kept]] = field(default_factory=dict)
    audit: Kept = _YEAR
    bulk: Kept = _QUARTER
    rollups: Kept = _ROLLUPS

    def __str__(self) -> str:
        times: dict[str, Kept] = {status.name.lower(): kept for status, kept in self.statuses.items()}
        times |= {"audit": self.audit, "bulk": self.bulk, "rollups": self.rollups}
        shown = ", ".join(f"{name} {_shown(kept)}" for name, kept in times.items())
        return f"{shown}; otherwise: {', '.join(sorted(self.functions))}" if self.functions else shown

    def kept(self, function: str, status: TickerStatus) -> Kept:
        """Return how long a run of a function is kept that ended with a status."""
        return self.functions.get(function, {}).get(status, self.statuses[status])

    def kept_until(
        self, function: str, status: TickerStatus, ended_at: datetime, *, instant: datetime | None = None
    ) -> datetime | None:
        """Return until when a run is kept at least, None for ever; its chain may keep it longer.

        The time of one that was skipped before its ``instant`` begins at that.
        """
        after = self.kept(function, status)
        since = ended_at if instant is None else max(ended_at, instant)
        return None if after is None else since + after

    @property
    def shortest(self) -> Kept:
        """How long every run is kept at least; None where all are kept for ever."""
        kept = [self.statuses, *self.functions.values()]
        times = [after for each in kept for after in each.values() if after is not None]
        return min(times, default=None)

    def is_past(self, function: str, status: TickerStatus, *, ended_at: datetime, now: datetime) -> bool:
        """Whether a run is expired."""
        after = self.kept(function, status)
        return after is not None and ended_at < now - after


def rules_of(kept: Retention) -> Iterator[Rule]:
    """Yield what is to be looked for; nothing of what is kept for ever."""
    for status, after in kept.statuses.items():
        own = {name: its[status] for name, its in kept.functions.items() if status in its}
        if after is not None:
            yield Rule(status=status, function=None, but=frozenset(own), after=after)
        for name, its_own in own.items():
            if its_own is not None:
                yield Rule(status=status, function=name, but=frozenset(), after=its_own)


def retention_of(value: object) -> Retention:
    """Return the retention that a setting asks for; what it does not name has its default.

    Raises:
        TickerValidationError: A name in it is none, or a duration cannot be used.
    """
    if value is None:
        return Retention(statuses=dict.fromkeys(_OF_STATUS), audit=None, bulk=None, rollups=None)
    if isinstance(value, Retention):
        return value
    given = _checked_names(_SETTING, value, {*_STATUSES, *_RECORDS, "functions"})
    whole = Retention()
    return Retention(
        statuses={**whole.statuses, **_by_status(_SETTING, given)},
        functions=_by_function(given.get("functions", {})),
        **{
            name: _kept(f"{_SETTING}[{name!r}]", given[name]) if name in given else getattr(whole, name)
            for name in _RECORDS
        },
    )


def _by_function(value: object) -> dict[str, Mapping[TickerStatus, Kept]]:
    field_name = f"{_SETTING}['functions']"
    if not isinstance(value, Mapping):
        raise TickerValidationError(field_name, value, "pass a dict of functions and durations")
    found: dict[str, Mapping[TickerStatus, Kept]] = {}
    for name, kept in value.items():
        validation.name(f"{field_name}: a function's name", name, validation.LONGEST_FUNCTION)
        own = f"{field_name}[{name!r}]"
        if isinstance(kept, Mapping):
            found[name] = _by_status(own, _checked_names(own, kept, set(_STATUSES)))
        else:
            found[name] = dict.fromkeys(_OF_STATUS, _kept(own, kept))
    return found


def _by_status(field_name: str, given: Mapping[str, object]) -> dict[TickerStatus, Kept]:
    return {
        status: _kept(f"{field_name}[{name!r}]", given[name])
        for name, status in _STATUSES.items()
        if name in given
    }


def _checked_names(field_name: str, value: object, names: set[str]) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise TickerValidationError(field_name, value, "pass a dict of statuses and durations, or None")
    for name in value:
        if name not in names:
            known = ", ".join(sorted(names))
            hint = meant_by(name, names) if isinstance(name, str) else ""
            raise TickerValidationError(field_name, name, f"no such name{hint}; pass some of {known}")
    return value


def _kept(field_name: str, value: object) -> Kept:
    if value is None:
        return None
    return validation.duration(field_name, value, least=_LEAST, most=_MOST, note="None keeps for ever")


def _shown(kept: Kept) -> str:
    return "for ever" if kept is None else exactly(kept)
