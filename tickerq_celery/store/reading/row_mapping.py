"""Frozen rows as the columns of their tables, and what columns hold back from them."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date
from enum import Enum
from operator import attrgetter
from typing import Any

from sqlalchemy import Row

from tickerq_celery.enums import (
    HoldReason,
    MisfirePolicy,
    OnLost,
    Origin,
    OverlapPolicy,
    RunCondition,
    TickerKind,
    TickerPriority,
    TickerType,
)
from tickerq_celery.schedule.bounds import dates_from
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.claims import CancelRequest
from tickerq_celery.tickers.cron_rows import CronRow
from tickerq_celery.tickers.run_rows import RunRow
from tickerq_celery.tickers.timeouts import Timeouts

_CRON_FIELDS = tuple(each.name for each in fields(CronRow) if each.name != "flaw")
_RUN_FIELDS = tuple(each.name for each in fields(RunRow))


class _Members(dict[object, Enum | None]):
    """The members of an enum by their values, and None for NULL; another value is the enum's own error."""

    def __init__(self, kind: type[Enum]) -> None:
        super().__init__({None: None, **{each.value: each for each in kind}})
        self._kind = kind

    def __missing__(self, value: object) -> Enum:
        return self._kind(value)


# How columns are read that are stored as a word, as a list or, by SQLite, as a number.
READERS: Mapping[str, Callable[[Any], Any]] = {
    "type": _Members(TickerType).__getitem__,
    "kind": _Members(TickerKind).__getitem__,
    "priority": _Members(TickerPriority).__getitem__,
    "origin": _Members(Origin).__getitem__,
    "held_for": _Members(HoldReason).__getitem__,
    "on_lost": _Members(OnLost).__getitem__,
    "run_condition": _Members(RunCondition).__getitem__,
    "cancel_request": _Members(CancelRequest).__getitem__,
    "misfire": _Members(MisfirePolicy).__getitem__,
    "overlap": _Members(OverlapPolicy).__getitem__,
    "cancel_requested": bool,
    "tags": tuple,
    "exclude": dates_from,
}
# Of a cron ticker's columns those that a newer version may have written in words that this one does not know.
# What replaces such a word fires nothing, and lets no two occurrences run at once.
_SUBSTITUTES: Mapping[str, object] = {
    "kind": TickerKind.FUNCTION,
    "priority": TickerPriority.NORMAL,
    "misfire": MisfirePolicy.SKIP,
    "overlap": OverlapPolicy.BUFFER_ALL,
    "exclude": (),
    "on_lost": OnLost.FAIL,
}


def read_fields(row: Row[Any], names: Iterable[str]) -> dict[str, Any]:
    """Return columns of a row by these ``names``, with the members that their words stand for."""
    values = ((name, getattr(row, name)) for name in names)
    return {name: READERS[name](value) if name in READERS else value for name, value in values}


TIMEOUTS = (tickers.c.timeout, tickers.c.hard_timeout)


def timeouts_from(row: Row[Any]) -> Timeouts:
    """Return the timeouts that a row with these columns holds."""
    return Timeouts(soft=row.timeout, hard=row.hard_timeout)


def cron_row(row: Row[Any]) -> CronRow:
    """Return a cron ticker's row; what of it cannot be read is its ``flaw``."""
    values = {name: getattr(row, name) for name in _CRON_FIELDS}
    values["tags"] = tuple(values["tags"])
    flaws = []
    for name, substitute in _SUBSTITUTES.items():
        try:
            values[name] = READERS[name](values[name])
        except ValueError as error:
            values[name] = substitute
            flaws.append(f"{name}: {error}")
    return CronRow(**values, flaw="; ".join(flaws) or None)


def cron_columns(cron: CronRow, names: Iterable[str] = _CRON_FIELDS) -> dict[str, object]:
    """Return the columns of a cron ticker's row, or those of these ``names``."""
    columns = {name: _stored(getattr(cron, name)) for name in names}
    # Most have no excluded dates.
    return columns | {name: None for name in ("exclude",) if columns.get(name) == []}


def changed_columns(before: CronRow, after: CronRow) -> dict[str, object]:
    """Return the columns that an edit of a cron ticker's row has changed."""
    changed = [name for name in _CRON_FIELDS if getattr(before, name) != getattr(after, name)]
    return cron_columns(after, changed)


def run_columns(run: RunRow, names: Collection[str] = _RUN_FIELDS) -> dict[str, object]:
    """Return the columns of a run's row, or those of these ``names``."""
    return {name: _stored(getattr(run, name)) for name in names}


def columns_of_runs(runs: Sequence[RunRow], names: Collection[str] = _RUN_FIELDS) -> dict[str, list[object]]:
    """Return the columns of several runs' rows, or those of these ``names``, each with all their values."""
    if not names:
        return {}
    # Of one name alone it would return no tuple.
    values_of = attrgetter("id", *names)
    _, *columns = zip(*map(values_of, runs), strict=True)
    return {name: _all_stored(list(values)) for name, values in zip(names, columns, strict=True)}


def _all_stored(values: list[object]) -> list[object]:
    # The last one first: where rows differ, most often all do.
    if values[-1] == values[0] and values.count(values[0]) == len(values):
        return [_stored(values[0])] * len(values)
    is_kept = not any(issubclass(kind, Enum | tuple) for kind in set(map(type, values)))
    return values if is_kept else [_stored(each) for each in values]


def _stored(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [each.isoformat() if isinstance(each, date) else each for each in value]
    return value
