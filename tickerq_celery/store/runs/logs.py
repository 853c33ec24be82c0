"""The progress and the log lines of runs: written by the holder of a claim, read with the run.

Lines stand in a table of their own, a row for each chunk: appended, never rewritten, and locked by no claim.
In a column of the run they would be written again with each of its updates.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, update

from tickerq_celery.store.database.batches import among, in_parts, insert_if_absent
from tickerq_celery.store.database.transaction import Transaction, rowcount
from tickerq_celery.store.runs.starts import running
from tickerq_celery.store.tables import logs, progress, tickers
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.progress import Chunk, Line, Pending
from tickerq_celery.tickers.views import LogLine

MOST_SHOWN = 1_000
# Each attempt's lines are capped; this caps what reading a run of many attempts loads.
_ATTEMPTS_SHOWN = 20


def write(tx: Transaction, run: Started, pending: Pending) -> None:
    """Write what a running function reported, beside what other claims of its run have.

    Not in the run's own row: the function may have read that in a transaction which ends the run. So nothing
    fences it but a look, and what a superseded claim adds all the same stands under its own number.
    """
    if running(tx, run.id, run.claim_no) is None:
        return
    values = {"claim_no": run.claim_no, "fraction": pending.fraction, "message": pending.message}
    mine = update(progress).where(progress.c.ticker_id == run.id, progress.c.claim_no <= run.claim_no)
    if rowcount(tx, mine.values(**values)) != 1:
        insert_if_absent(tx, progress, [{"ticker_id": run.id, **values}])
    append(tx, run, pending)


def append(tx: Transaction, run: Started, pending: Pending) -> None:
    """Append lines in a transaction that holds the claim; chunks that are there already stay."""
    rows = [_row(run, chunk) for chunk in pending.chunks]
    insert_if_absent(tx, logs, rows)


def read(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, list[LogLine]]:
    """Return the newest lines of runs that have any, by their ids, the oldest of each first."""
    found: dict[UUID, list[LogLine]] = {}
    for ticker_id, attempt, kept in in_parts(ids, lambda part: tx.execute(_newest(tx, part)).all()):
        found.setdefault(ticker_id, []).extend(
            LogLine(attempt=attempt, at=datetime.fromisoformat(at), level=level, message=text)
            for at, level, text in kept
        )
    return {ticker_id: lines[-MOST_SHOWN:] for ticker_id, lines in found.items()}


def _newest(tx: Transaction, ids: Sequence[UUID]) -> Select[tuple[UUID, int, Any]]:
    return (
        select(logs.c.ticker_id, logs.c.attempt, logs.c.lines)
        .join(tickers, tickers.c.id == logs.c.ticker_id)
        .where(among(tx, logs.c.ticker_id, ids), logs.c.claim_no > tickers.c.claim_no - _ATTEMPTS_SHOWN)
        .order_by(logs.c.ticker_id, logs.c.claim_no, logs.c.first)
    )


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
