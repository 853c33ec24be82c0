"""Runs that ended as a test wants it, and rounds of pruning."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update

from tests.integration.making import failure, finish, started, time_tickers
from tests.manual_clock import START, ManualClock
from tests.tables import audit, bulk, tickers
from tickerq_celery import TickerStatus, TimeTicker
from tickerq_celery.ids import new_id
from tickerq_celery.runs.archive import Archive
from tickerq_celery.runs.pruner import Pruner
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.stats import rollup_state
from tickerq_celery.tickers.lifecycle import failed, succeeded
from tickerq_celery.tickers.uncounted_ends import EndPosition

# What is Done is kept for a day, and what Failed for three.
_BEFORE = START - timedelta(seconds=1)
A_DAY = {"retention": {"done": 86_400, "due_done": timedelta(days=1), "failed": timedelta(days=3)}}


def count_ends(core: Core) -> None:
    """Let the roll-up say that it has counted all that has ended so far, as beat soon would."""
    core.write(_set_watermark)


def forget_counts(core: Core) -> None:
    """Let the roll-up say that it has counted nothing: tests share its watermark, and begin at one moment.

    What other tests have ended is put before that moment: of what is not counted the newest is read.
    """
    core.write(_move_watermark, rollup_state.START)
    core.write(_put_ends_of_others_back)


def _put_ends_of_others_back(tx: Transaction) -> None:
    theirs = (tickers.c.namespace != tx.namespace, tickers.c.ended_at > _BEFORE)
    tx.execute(update(tickers).where(*theirs).values(ended_at=_BEFORE))


def _set_watermark(tx: Transaction) -> None:
    _move_watermark(tx, rollup_state.position_at(tx.now + timedelta(microseconds=1)))


def _move_watermark(tx: Transaction, after: EndPosition) -> None:
    before = rollup_state.lock(tx, wait=True)
    assert before is not None
    rollup_state.move(tx, before, after)


def prune(core: Core, archive: Archive | None = None) -> int:
    """Do a round of pruning as a process that has done none before; return how many rows it deleted."""
    return round_of(Pruner(core, archive))


def round_of(pruner: Pruner) -> int:
    """Do a round of a pruner, to its end."""
    count_ends(pruner.core)
    deleted = 0
    while True:
        piece = pruner.step()
        deleted += piece.deleted
        if piece.is_last:
            return deleted


def end(core: Core, run_id: UUID, status: TickerStatus = TickerStatus.DONE) -> UUID:
    """Let a due run start, and end as Done or Failed; return its id."""
    run = started(core, run_id)
    is_done = status is TickerStatus.DONE
    assert finish(core, run, succeeded(run.standing) if is_done else failed(run.standing, failure()))
    return run_id


def chain(core: Core, ticker: TimeTicker) -> list[UUID]:
    """Store a chain, and return the ids of its runs, a parent before its children."""
    ids = [time_tickers(core).add(ticker, allow_unknown=True).id]
    for each in ids:
        ids += [child.id for child in time_tickers(core).find(parent_id=each)]
    return ids


def write_records(core: Core, clock: ManualClock, **changes: Any) -> UUID:
    """Write a row of the audit and a bulk job; return the job's id."""
    now, namespace = clock.now(), core.config.namespace
    entry = {
        "id": new_id(),
        "namespace": namespace,
        "at": now,
        "action": "pause",
        "outcome": "done",
        "object_kind": "cron",
        "actor": "code",
        "ids": [],
        "count": 1,
    }
    job = {name: 0 for name, column in bulk.c.items() if not column.nullable}
    job |= {"id": new_id(), "namespace": namespace, "action": "retry", "state": "done", "actor": "code"}
    job |= {"as_of": now, "created_at": now, "updated_at": now, "ended_at": now, "skips": {}, **changes}
    core.write(lambda tx: (tx.execute(insert(audit).values(entry)), tx.execute(insert(bulk).values(job))))
    return job["id"]
