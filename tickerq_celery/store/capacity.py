"""What decides which due runs may be claimed, read in one statement."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, literal_column, select, union_all

from tickerq_celery.store.concurrency import queued
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.nodes import hashes_of_workers
from tickerq_celery.store.rates import ready
from tickerq_celery.store.tables import cron_tickers, pauses
from tickerq_celery.tickers.claims import Due


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciding:
    """What counts for a batch of due runs.

    ``worker_hashes`` name the function sets of live workers, ``ready`` the functions whose rate lets the next
    of the waiting runs through, ``queued`` maps each queue of the batch to the number of its published runs.
    Whether pauses exist, and whether one of the batch's cron tickers is paused, says what else must be read.
    """

    worker_hashes: frozenset[str]
    ready: frozenset[str]
    queued: Mapping[str | None, int]
    has_pauses: bool
    has_paused_crons: bool


class _Part(StrEnum):
    WORKER = "worker"
    READY = "ready"
    QUEUED = "queued"
    PAUSE = "pause"
    PAUSED_CRON = "paused cron"


def read(tx: Transaction, due: Sequence[Due], *, ready_among: Collection[str] | None) -> Deciding:
    """Return what decides on ``due``; of functions with a rate only those of ``ready_among``, None for all.

    A plain claim needs no more: what limits, keys, rates and pauses want to know is read where they exist.
    """
    rows = tx.execute(union_all(*_parts(tx, due, ready_among))).all()
    found: dict[str, list[str]] = {part: [row.name for row in rows if row.part == part] for part in _Part}
    return Deciding(
        worker_hashes=frozenset(found[_Part.WORKER]),
        ready=frozenset(found[_Part.READY]),
        queued={row.name: row.number for row in rows if row.part == _Part.QUEUED},
        has_pauses=bool(found[_Part.PAUSE]),
        has_paused_crons=bool(found[_Part.PAUSED_CRON]),
    )


def _parts(tx: Transaction, due: Sequence[Due], ready_among: Collection[str] | None) -> list[Select[Any]]:
    here = pauses.c.namespace == tx.namespace
    parts = [
        _named(_Part.WORKER, hashes_of_workers(tx.namespace)),
        _named(_Part.PAUSE, select(pauses.c.name).where(here)),
    ]
    if ready_among is None or ready_among:
        parts.append(_named(_Part.READY, ready(tx, ready_among)))
    if due:
        counts = queued(tx.namespace, {run.queue for run in due})
        parts.append(counts.add_columns(literal_column(f"'{_Part.QUEUED}'").label("part")))
    crons = {run.cron_ticker_id for run in due if run.cron_ticker_id is not None}
    if crons:
        paused = select(cron_tickers.c.function).where(
            cron_tickers.c.id.in_(crons), cron_tickers.c.is_enabled.is_(False)
        )
        parts.append(_named(_Part.PAUSED_CRON, paused))
    return parts


def _named(part: _Part, names: Select[Any]) -> Select[Any]:
    return names.add_columns(literal_column("0").label("number"), literal_column(f"'{part}'").label("part"))
