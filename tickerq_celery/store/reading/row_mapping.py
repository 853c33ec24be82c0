"""Frozen rows as the columns of their tables, and cron tickers' rows back from them."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import fields
from datetime import date
from enum import Enum
from operator import attrgetter
from typing import Any

from sqlalchemy import Row

from tickerq_celery.enums import MisfirePolicy, OnLost, OverlapPolicy, TickerKind, TickerPriority
from tickerq_celery.schedule.bounds import dates_from
from tickerq_celery.tickers.cron_rows import CronRow
from tickerq_celery.tickers.run_rows import RunRow

_CRON_FIELDS = tuple(each.name for each in fields(CronRow) if each.name != "flaw")
_RUN_FIELDS = tuple(each.name for each in fields(RunRow))


def _on_lost(word: str | None) -> OnLost | None:
    return None if word is None else OnLost(word)


# What a newer version may have written in words that this one does not know. What replaces such a
# word fires nothing, and lets no two occurrences run at once.
_WORDS: dict[str, tuple[Callable[[Any], Any], object]] = {
    "kind": (TickerKind, TickerKind.FUNCTION),
    "priority": (TickerPriority, TickerPriority.NORMAL),
    "misfire": (MisfirePolicy, MisfirePolicy.SKIP),
    "overlap": (OverlapPolicy, OverlapPolicy.BUFFER_ALL),
    "exclude": (dates_from, ()),
    "on_lost": (_on_lost, OnLost.FAIL),
}


def cron_row(row: Row[Any]) -> CronRow:
    """Return a cron ticker's row; what of it cannot be read is its ``flaw``."""
    values = {name: getattr(row, name) for name in _CRON_FIELDS}
    values["tags"] = tuple(values["tags"])
    flaws = []
    for name, (read, substitute) in _WORDS.items():
        try:
            values[name] = read(values[name])
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
