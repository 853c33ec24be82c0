"""What decides which due runs may be claimed, read in one statement."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Label, Select, literal_column, select, union_all

from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.nodes.nodes import WorkerTakes, takes_from, workers
from tickerq_celery.store.runs.concurrency import by_queue, queued
from tickerq_celery.store.runs.rates import ready
from tickerq_celery.store.tables import cron_tickers, pauses
from tickerq_celery.tickers.claims import Due
from tickerq_celery.tickers.flows import FunctionQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciding:
    """What counts for a batch of due runs.

    ``workers`` are those that take runs, ``ready`` the functions whose rate lets the next of the waiting runs
    through. ``queued`` maps each queue of the batch to the number of its published runs, ``ahead`` each
    function in such a queue to those of them that were claimed within a lease. Whether pauses exist, and
    whether one of the batch's cron tickers is paused, says what else must be read.
    """

    workers: Sequence[WorkerTakes]
    ready: frozenset[str]
    queued: Mapping[str | None, int]
    ahead: Mapping[FunctionQueue, int]
    has_pauses: bool
    has_paused_crons: bool


_NONE: ColumnElement[int] = literal_column("0")


class _Part(StrEnum):
    WORKER = "worker"
    READY = "ready"
    QUEUED = "queued"
    PAUSE = "pause"
    PAUSED_CRON = "paused cron"


def read(
    tx: Transaction, due: Sequence[Due], *, ready_among: Collection[str] | None, lease: timedelta
) -> Deciding:
    """Return what decides on ``due``; of functions with a rate only those of ``ready_among``, None for all.

    A plain claim needs no more: what limits, keys, rates and pauses want to know is read where they exist.
    """
    rows = tx.execute(union_all(*_parts(tx, due, ready_among, lease))).all()
    found = {part: [row for row in rows if row.part == part] for part in _Part}
    return Deciding(
        workers=[takes_from(row.name, row.number, row.function) for row in found[_Part.WORKER]],
        ready=frozenset(row.name for row in found[_Part.READY]),
        queued=by_queue(found[_Part.QUEUED]),
        ahead={FunctionQueue(row.function, row.name): int(row.fresh) for row in found[_Part.QUEUED]},
        has_pauses=bool(found[_Part.PAUSE]),
        has_paused_crons=bool(found[_Part.PAUSED_CRON]),
    )


def _parts(
    tx: Transaction, due: Sequence[Due], ready_among: Collection[str] | None, lease: timedelta
) -> list[Select[Any]]:
    here = pauses.c.namespace == tx.namespace
    parts = [
        workers(tx.namespace).add_columns(_NONE.label("fresh"), _label(_Part.WORKER)),
        _named(_Part.PAUSE, select(pauses.c.name).where(here)),
    ]
    if ready_among is None or ready_among:
        parts.append(_named(_Part.READY, ready(tx, ready_among)))
    if due:
        counts = queued(tx, {run.queue for run in due}, lease=lease)
        parts.append(counts.add_columns(_label(_Part.QUEUED)))
    crons = {run.cron_ticker_id for run in due if run.cron_ticker_id is not None}
    if crons:
        paused = select(cron_tickers.c.function).where(
            cron_tickers.c.id.in_(crons), cron_tickers.c.is_enabled.is_(False)
        )
        parts.append(_named(_Part.PAUSED_CRON, paused))
    return parts


def _named(part: _Part, names: Select[Any]) -> Select[Any]:
    return names.add_columns(
        _NONE.label("number"), literal_column("''").label("function"), _NONE.label("fresh"), _label(part)
    )


def _label(part: _Part) -> Label[str]:
    return literal_column(f"'{part}'").label("part")
