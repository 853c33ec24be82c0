"""The rows of the roll-up: add ends to them, read them, count them anew, delete old ones."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, delete, select, update

from tickerq_celery.store.database.batches import in_parts, insert_rows
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.tables import rollups
from tickerq_celery.tickers.histograms import Histogram, Spread
from tickerq_celery.tickers.tallies import GRAINS, HOUR, HOURS, Tally, TallyKey

_R = rollups.c
_KEY = TallyKey._fields
_VALUES = [column.name for column in rollups.columns if column.name not in _KEY]
_UPDATE = (
    update(rollups)
    .where(*(_R[name] == bindparam(f"its_{name}", type_=_R[name].type) for name in _KEY))
    .values({name: bindparam(name, type_=_R[name].type) for name in _VALUES})
)


def add(tx: Transaction, tallies: Mapping[TallyKey, Tally]) -> None:
    """Add ends to the rows of their keys; no one else does, as the caller has locked the watermark."""
    stored = _locked(tx, tallies.keys())
    more = {key: tally for key, tally in tallies.items() if key in stored}
    new = {key: tally for key, tally in tallies.items() if key not in stored}
    if more:
        changed = [_columns(stored[key].plus(tally)) | _its(key) for key, tally in more.items()]
        tx.execute(_UPDATE, changed)
    _insert(tx, new)


def remove_old(tx: Transaction, namespaces: Collection[str]) -> None:
    """Delete the periods of namespaces that are kept for a while only, and were long enough."""
    for grain in GRAINS:
        if grain.kept is not None:
            of_grain = (_R.minutes == grain.minutes, _R.begins_at < tx.now - grain.kept - grain.length)
            tx.execute(delete(rollups).where(_R.namespace.in_(namespaces), *of_grain))


def replace_hour(tx: Transaction, hour: datetime, tallies: Mapping[TallyKey, Tally]) -> int | None:
    """Let an hour of the namespace say what it should; return how many ends it said, None where it did so.

    So do the shorter periods in it, where all of them are kept still. The caller has locked the watermark.
    """
    kept = [grain.minutes for grain in GRAINS if grain.keeps(hour, tx.now)]
    its = (
        _R.namespace == tx.namespace,
        _R.minutes.in_(kept),
        _R.begins_at >= hour,
        _R.begins_at < hour + HOUR,
    )
    right = {key: tally for key, tally in tallies.items() if key.minutes in kept}
    before = {key_of(row): tally_of(row) for row in tx.execute(select(rollups).where(*its).with_for_update())}
    if before == right:
        return None
    tx.execute(delete(rollups).where(*its))
    _insert(tx, right)
    return sum(tally.ends for key, tally in before.items() if key.minutes == HOURS.minutes)


def key_of(row: Row[Any]) -> TallyKey:
    """Return what the ends of a whole row have in common."""
    return TallyKey(*(getattr(row, name) for name in _KEY))


def tally_of(row: Row[Any]) -> Tally:
    """Return what the ends of a whole row come to."""
    return Tally(
        ends=row.ends,
        late=row.late,
        retried=row.retried,
        published=row.published,
        first_ended_at=row.first_ended_at,
        last_ended_at=row.last_ended_at,
        last_id=row.last_id,
        durations=Spread(
            count=row.duration_count,
            total=row.duration_sum,
            longest=row.duration_max,
            histogram=Histogram.from_json(row.durations),
        ),
        lags=Spread(
            count=row.lag_count,
            total=row.lag_sum,
            longest=row.lag_max,
            histogram=Histogram.from_json(row.lags),
        ),
    )


def _locked(tx: Transaction, keys: Collection[TallyKey]) -> Mapping[TallyKey, Tally]:
    """Return what is stored of keys; a row that retention has locked to delete it is waited for."""
    functions: dict[tuple[str, int, datetime], set[str]] = defaultdict(set)
    for key in keys:
        functions[key.namespace, key.minutes, key.begins_at].add(key.function)
    found: dict[TallyKey, Tally] = {}
    for (namespace, minutes, begins_at), names in functions.items():
        its = (_R.namespace == namespace, _R.minutes == minutes, _R.begins_at == begins_at)
        rows = in_parts(sorted(names), partial(_rows_for_update, tx, its))
        found |= {key_of(row): tally_of(row) for row in rows}
    return {key: tally for key, tally in found.items() if key in keys}


def _rows_for_update(
    tx: Transaction, its: Sequence[ColumnElement[bool]], functions: Sequence[str]
) -> Sequence[Row[Any]]:
    return tx.execute(select(rollups).where(*its, _R.function.in_(functions)).with_for_update()).all()


def _insert(tx: Transaction, tallies: Mapping[TallyKey, Tally]) -> None:
    insert_rows(tx, rollups, [key._asdict() | _columns(tally) for key, tally in tallies.items()])


def _its(key: TallyKey) -> dict[str, object]:
    return {f"its_{name}": value for name, value in key._asdict().items()}


def _columns(tally: Tally) -> dict[str, object]:
    return {
        "ends": tally.ends,
        "late": tally.late,
        "retried": tally.retried,
        "published": tally.published,
        "duration_count": tally.durations.count,
        "duration_sum": tally.durations.total,
        "duration_max": tally.durations.longest,
        "durations": tally.durations.histogram.as_json(),
        "lag_count": tally.lags.count,
        "lag_sum": tally.lags.total,
        "lag_max": tally.lags.longest,
        "lags": tally.lags.histogram.as_json(),
        "first_ended_at": tally.first_ended_at,
        "last_ended_at": tally.last_ended_at,
        "last_id": tally.last_id,
    }
