"""Reads the history: what the store holds, and what the bodies noted."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, select

from tests.inner import Core, DropReason
from tests.integration.stats.rolling import recount, rolled_up
from tests.missed import missed
from tests.soak import body_file
from tests.soak.history import History
from tests.soak.traces import Added, AttemptRow, Blow, Calm, CronSpan, Occurrence, RunRow, SkipRecord
from tests.tables import attempts, tickers
from tickerq_celery.enums import HoldReason
from tickerq_celery.worker import drop_counts

_RUN = (
    "id", "function", "status", "claim_no", "retry_count", "rescue_count", "held_for", "skipped_reason",
    "parent_id",
)  # fmt: skip


def read_history(
    core: Core,
    bodies: Path,
    *,
    added: Sequence[Added],
    crons: Sequence[CronSpan],
    blows: Sequence[Blow],
    calm: Calm,
    limits: Mapping[str, int],
    key_limits: Mapping[str, int],
) -> History:
    """Return the whole history of a soak."""
    started, ended = body_file.parse(bodies.read_text().splitlines() if bodies.exists() else [])
    return replace(
        read_store(core, lambda row: int(json.loads(row.request)["serial"])),
        added=tuple(added),
        started=started,
        ended=ended,
        crons=tuple(crons),
        blows=tuple(blows),
        calm=calm,
        refused_finishes=drop_counts.recent(core).get(DropReason.SUPERSEDED, 0),
        rolled_up=rolled_up(core),
        recounted=recount(core),
        limits=limits,
        key_limits=key_limits,
    )


def read_store(core: Core, serial_of: Callable[[Row[Any]], int | None]) -> History:
    """Return what the store holds of a namespace; ``serial_of`` is asked for each row that did not fire."""
    database, namespace = core.database, core.config.namespace
    rows = database.read(lambda connection: _runs(connection, namespace))
    fired = [row for row in rows if row.cron_ticker_id is not None]
    skips = [skip for row in fired if (skip := skip_record(row)) is not None]
    recorded = {skip.run_id for skip in skips}
    return History(
        runs=tuple(_run(row, None if row.cron_ticker_id is not None else serial_of(row)) for row in rows),
        attempts=tuple(database.read(lambda connection: _attempts(connection, namespace))),
        occurrences=tuple(
            Occurrence(run_id=row.id, cron_id=row.cron_ticker_id, instant=row.instant)
            for row in fired
            if row.id not in recorded
        ),
        skips=tuple(skips),
    )


def skip_record(row: Any) -> SkipRecord | None:
    """Return the record of missed instants that an occurrence's row is, or None."""
    misfire = missed(row.skipped_reason)
    if misfire is None:
        return None
    return SkipRecord(
        run_id=row.id,
        cron_id=row.cron_ticker_id,
        first=misfire.first,
        last=misfire.last,
        count=misfire.count,
        count_is_exact=misfire.count_is_exact,
    )


def _runs(connection: Connection, namespace: str) -> list[Row[Any]]:
    statement = select(tickers).where(tickers.c.namespace == namespace).order_by(tickers.c.id)
    return list(connection.execute(statement))


def _run(row: Row[Any], serial: int | None) -> RunRow:
    values = {name: getattr(row, name) for name in _RUN}
    values["held_for"] = None if row.held_for is None else HoldReason(row.held_for)
    return RunRow(serial=serial, key=row.concurrency_key, **values)


def _attempts(connection: Connection, namespace: str) -> list[AttemptRow]:
    columns = [attempts.c[name] for name in AttemptRow.__slots__]
    statement = (
        select(*columns)
        .join(tickers, tickers.c.id == attempts.c.ticker_id)
        .where(tickers.c.namespace == namespace)
    )
    return [AttemptRow(**row._asdict()) for row in connection.execute(statement)]
