"""Functions as people see them: what was registered, who has it, what holds it, and its active runs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Row, select

from tickerq_celery.enums import NodeKind, OnLost, PauseKind, TickerPriority
from tickerq_celery.functions.records import FunctionRecord, digest_in, settings_in
from tickerq_celery.store.cron import pauses
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.functions import awaited_functions, counts
from tickerq_celery.store.nodes.views import definitions_in, state_in, with_definitions
from tickerq_celery.store.reading.filters import begins, behind
from tickerq_celery.store.reading.name_gaps import Gap
from tickerq_celery.store.reading.row_mapping import read_fields
from tickerq_celery.store.tables import functions, nodes
from tickerq_celery.tickers.counts import RunCounts
from tickerq_celery.tickers.function_views import (
    FunctionVersion,
    FunctionView,
    SettingDifference,
    differences_of,
)
from tickerq_celery.tickers.node_views import NodeState
from tickerq_celery.tickers.pages import Page
from tickerq_celery.tickers.pauses import Pause

_OF_NODES = ("id", "name", "seen_at", "stopping_since", "heartbeat", "lease")
_RECORD = tuple(each.name for each in fields(FunctionRecord))
# Which options it has, its code alone says.
_OF_UNREGISTERED: Mapping[str, Any] = {
    **dict.fromkeys(name for name in _RECORD if name != "name"),
    "priority": TickerPriority.NORMAL,
    "on_lost": OnLost.RETRY,
    "retries": 0,
    "retry_intervals": (),
    "registered_at": None,
    "updated_at": None,
    "digest": None,
    "versions": (),
}


def find(
    tx: Transaction, *, prefix: str | None, limit: int, after: str | None, with_awaited: bool
) -> Page[FunctionView]:
    """Return a page of the functions that workers registered, or that are waited for, from ``after`` on."""
    statement = select(functions).where(functions.c.namespace == tx.namespace)
    if prefix is not None:
        statement = statement.where(functions.c.name >= prefix, begins(functions.c.name, prefix))
    if after is not None:
        statement = statement.where(functions.c.name > after)
    rows = {row.name: row for row in tx.execute(statement.order_by(functions.c.name).limit(limit + 1))}
    # All that begin with a prefix come behind the prefix without its last letter.
    start = prefix or ""
    bounds = [max(after or "", start[:-1]), *rows]
    # What comes behind a row too many is no more of this page.
    ends = [*rows, *([] if len(rows) > limit else [None if prefix is None else behind(prefix)])]
    gaps = [Gap(*each) for each in zip(bounds, ends, strict=False)]
    awaited = awaited_functions.names(tx, gaps) if with_awaited else ()
    names = sorted({*rows, *(name for name in awaited if name.startswith(start))})
    shown = _views(tx, [rows.get(name, name) for name in names[:limit]])
    return Page(tuple(shown), next_cursor=names[limit - 1] if len(names) > limit else None)


def get(tx: Transaction, name: str) -> FunctionView | None:
    """Return a function of the namespace; or None where none registered it and nothing waits for it."""
    here = (functions.c.namespace == tx.namespace, functions.c.name == name)
    row = tx.execute(select(functions).where(*here)).one_or_none()
    if row is None and not awaited_functions.awaited_among(tx, [name]):
        return None
    return _views(tx, [name if row is None else row])[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Around:
    """What is read once for all functions of a page; of the live workers, the names by their definitions."""

    definitions: Mapping[str, Mapping[str, Sequence[str]]]
    pauses: Sequence[Pause]
    active: Mapping[str, RunCounts]


def _views(tx: Transaction, found: Sequence[Row[Any] | str]) -> list[FunctionView]:
    """Return functions by their rows, and by their names those that have none."""
    if not found:
        return []
    around = _Around(
        definitions=_live_definitions(tx),
        pauses=[pause for pause in pauses.list_pauses(tx) if pause.kind is not PauseKind.TAG],
        active=counts.counts(tx, [each if isinstance(each, str) else each.name for each in found]),
    )
    return [
        _unregistered(tx.namespace, each, around) if isinstance(each, str) else _view(each, around)
        for each in found
    ]


def _view(row: Row[Any], around: _Around) -> FunctionView:
    record = FunctionRecord(**{name: getattr(row, name) for name in _RECORD})
    versions = _versions(around.definitions.get(record.name, {}))
    return FunctionView(
        **read_fields(row, _RECORD),
        namespace=row.namespace,
        registered_at=row.registered_at,
        updated_at=row.updated_at,
        digest=record.digest,
        versions=versions,
        differences=_differences(record, versions),
        pauses=tuple(pause for pause in around.pauses if pause.covers(record.name, ())),
        active=around.active[record.name],
    )


def _unregistered(namespace: str, name: str, around: _Around) -> FunctionView:
    return FunctionView(
        **_OF_UNREGISTERED,
        namespace=namespace,
        name=name,
        pauses=tuple(pause for pause in around.pauses if pause.covers(name, ())),
        active=around.active[name],
    )


def _versions(definitions: Mapping[str, Sequence[str]]) -> tuple[FunctionVersion, ...]:
    """Return how live workers define a function, the most common way first."""
    found = [
        FunctionVersion(digest=digest_in(each), nodes=tuple(names), settings=settings_in(each))
        for each, names in definitions.items()
    ]
    return tuple(sorted(found, key=lambda version: (-len(version.nodes), version.digest)))


def _differences(
    record: FunctionRecord, versions: Sequence[FunctionVersion]
) -> tuple[SettingDifference, ...]:
    if not versions or any(each.digest == record.digest for each in versions):
        return differences_of(versions)
    latest = FunctionVersion(digest=record.digest, nodes=(), settings=settings_in(record.definition))
    return differences_of([*versions, latest])


def _live_definitions(tx: Transaction) -> Mapping[str, Mapping[str, Sequence[str]]]:
    """Return for each function how the live workers of the namespace define it, with their names."""
    columns = [*(nodes.c[name] for name in _OF_NODES), tx.sql_now().label("now")]
    workers = [nodes.c.namespace == tx.namespace, nodes.c.kind == NodeKind.WORKER.value]
    rows = tx.execute(with_definitions(columns, workers, [nodes.c.name, nodes.c.id])).all()
    if rows:
        tx.now = rows[0].now
    sets = definitions_in(rows)
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if state_in(row) is NodeState.ALIVE:
            for function, definition in sets[row.definitions_hash].items():
                found[function][definition].append(row.name)
    return found
