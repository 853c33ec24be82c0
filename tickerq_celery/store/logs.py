"""The progress and the log lines of runs: written by the holder of the claim, read with the run.

Lines stand in a table of their own, a row for each chunk: appended, never rewritten, in no claim's way.
In a column of the run they would be written again with each of its updates.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select, update

from tickerq_celery.clock import Clock
from tickerq_celery.enums import TickerStatus
from tickerq_celery.models import logs, tickers
from tickerq_celery.progress import Chunk, Line, Pending
from tickerq_celery.sqltypes import sql_now
from tickerq_celery.store.claims import Started, rowcount
from tickerq_celery.store.engine import insert_if_absent
from tickerq_celery.views import LogLine

MOST_SHOWN = 1_000
# Each attempt's lines are capped; this caps what reading a run of many attempts loads.
_ATTEMPTS_SHOWN = 20


def write(connection: Connection, clock: Clock, run: Started, pending: Pending) -> bool:
    """Write what a running function reported, unless its claim has been superseded or has ended."""
    written = rowcount(
        connection,
        update(tickers)
        .where(
            tickers.c.id == run.id,
            tickers.c.claim_no == run.claim_no,
            tickers.c.status == TickerStatus.IN_PROGRESS,
        )
        .values(progress=pending.fraction, progress_message=pending.message, updated_at=sql_now(clock)),
    )
    if written != 1:
        return False
    append(connection, run, pending)
    return True


def append(connection: Connection, run: Started, pending: Pending) -> None:
    """Append lines in a transaction that holds the claim; chunks that are there already stay."""
    rows = [_row(run, chunk) for chunk in pending.chunks]
    insert_if_absent(connection, logs, rows)


def read(connection: Connection, ticker_id: UUID, claim_no: int) -> list[LogLine]:
    """Return the newest lines of a run, the oldest of them first."""
    rows = connection.execute(
        select(logs.c.attempt, logs.c.lines)
        .where(logs.c.ticker_id == ticker_id, logs.c.claim_no > claim_no - _ATTEMPTS_SHOWN)
        .order_by(logs.c.claim_no, logs.c.first)
    )
    lines = [
        LogLine(attempt=attempt, at=datetime.fromisoformat(at), level=level, message=text)
        for attempt, kept in rows
        for at, level, text in kept
    ]
    return lines[-MOST_SHOWN:]


def _row(run: Started, chunk: Chunk) -> dict[str, object]:
    return {
        "ticker_id": run.id,
        "claim_no": run.claim_no,
        "first": chunk.first,
        "attempt": run.attempt_number,
        "lines": [_kept(line) for line in chunk.lines],
    }


def _kept(line: Line) -> list[str]:
    return [line.at.isoformat(), line.level, line.text]
