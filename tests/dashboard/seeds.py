"""Rows for the dashboard to show, in a real store: any status at once, without running anything."""

import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from celery import Celery
from sqlalchemy import Table

from tests.inner import new_id
from tests.tables import attempts, cron_tickers, logs, tickers
from tickerq_celery import MisfirePolicy, OverlapPolicy, TickerPriority, TickerQ, TickerStatus, TickerType
from tickerq_celery.enums import TERMINAL, Origin, TickerKind
from tickerq_celery.store.database.batches import insert_rows

NOW = datetime(2026, 11, 24, 21, 5, tzinfo=UTC)


def settle() -> None:
    """Wait for the health reports that pages are still having read, in threads of their own."""
    for thread in threading.enumerate():
        if thread.name == "tickerq-health":
            thread.join()


class Seeds:
    """Writes rows by their columns' names; whatever is not said is what a new ticker has, as of ``now``."""

    def __init__(self, store_url: str, namespace: str = "dashboard") -> None:
        self.now = NOW
        # As patient as a busy machine needs, also where no fixture of one test makes it so.
        self.tickerq = TickerQ(
            Celery(namespace, broker="memory://", set_as_current=False),
            store_url,
            read_budget=timedelta(seconds=60),
        )

    def close(self) -> None:
        """Close the connections to the store."""
        settle()
        self.tickerq.close()

    def run(self, **columns: Any) -> UUID:
        """Store a run and return its id; a terminal status brings its end with it."""
        return self._insert(tickers, self._run(columns))

    def runs(self, each: Iterable[Mapping[str, Any]]) -> list[UUID]:
        """Store many runs with the same columns, and return their ids."""
        rows = [self._run(columns) for columns in each]
        self.tickerq.core.write(insert_rows, tickers, rows)
        return [row["id"] for row in rows]

    def _run(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        status = columns.get("status", TickerStatus.IDLE)
        is_over = status in TERMINAL
        is_waiting = status is TickerStatus.IDLE and "held_for" not in columns
        execution_time = columns.get("execution_time", self.now)
        row: dict[str, Any] = {
            "id": new_id(),
            "namespace": self.tickerq.config.namespace,
            "type": int(TickerType.TIME_TICKER),
            "kind": TickerKind.FUNCTION.value,
            "attempts_before": 0,
            "has_children": False,
            "function": "SendWelcomeEmail",
            "status": status,
            "claim_no": 0,
            "due_at": execution_time if is_waiting else None,
            "check_at": self.now if status is TickerStatus.QUEUED else None,
            "locked_at": self.now if status is TickerStatus.QUEUED else None,
            "running_on": new_id() if status is TickerStatus.IN_PROGRESS else None,
            "publish_count": 0,
            "execution_time": execution_time,
            "is_late": False,
            "encoding": 0,
            "retries": 3,
            "retry_intervals": [timedelta(minutes=each) for each in (1, 5, 15)],
            "executions": 0,
            "retry_count": 0,
            "rescue_count": 0,
            "priority": int(TickerPriority.NORMAL),
            "tags": [],
            "origin": Origin.ADDED.value,
            "ended_at": self.now if is_over else None,
            "ended_status": status if is_over else None,
            "created_at": min(self.now, execution_time or self.now),
            "updated_at": self.now,
        }
        return {**row, **columns}

    def log(self, ticker_id: UUID, lines: list[list[str]], attempt: int = 0) -> None:
        """Store lines that an attempt of a run logged, the first if not said: moment, level, text."""
        row = {
            "ticker_id": ticker_id,
            "claim_no": attempt + 1,
            "first": 0,
            "attempt": attempt,
            "lines": lines,
        }
        self.tickerq.core.write(insert_rows, logs, [row])
        self._claim(ticker_id, attempt + 1)

    def attempt(self, ticker_id: UUID, **columns: Any) -> None:
        """Store a failed attempt of a run."""
        row: dict[str, Any] = {
            "ticker_id": ticker_id,
            "claim_no": columns.get("number", 0) + 1,
            "retries": 0,
            "number": 0,
            "status": TickerStatus.FAILED,
            "started_at": self.now,
            "ended_at": self.now + timedelta(seconds=2),
        }
        self._insert(attempts, row | columns)
        self._claim(ticker_id, row["claim_no"])

    def cron(self, **columns: Any) -> UUID:
        """Store a cron ticker that a function defined, and return its id."""
        cron_id = new_id()
        row: dict[str, Any] = {
            "id": cron_id,
            "namespace": self.tickerq.config.namespace,
            "function": "SendDailyDigest",
            "expression": "0 0 9 * * *",
            "time_zone": "UTC",
            "day_or": False,
            "encoding": 0,
            "retries": 0,
            "retry_intervals": [timedelta(seconds=30)],
            "misfire": MisfirePolicy.RUN_ONCE.value,
            "misfire_limit": 100,
            "overlap": OverlapPolicy.ALLOW.value,
            "kind": TickerKind.FUNCTION.value,
            "run_count": 0,
            "jitter": timedelta(0),
            "pause_on_failure": None,
            "priority": int(TickerPriority.NORMAL),
            "tags": [],
            "is_enabled": True,
            "seed_key": str(cron_id),
            "seed_expression": "0 0 9 * * *",
            "created_at": self.now,
            "updated_at": self.now,
        }
        return self._insert(cron_tickers, row | columns)

    def _claim(self, ticker_id: UUID, claim_no: int) -> None:
        """Let a run have been claimed so often, as one that has attempts or log lines was."""
        claimed = tickers.update().where(tickers.c.id == ticker_id, tickers.c.claim_no < claim_no)
        self.tickerq.core.write(lambda tx: tx.execute(claimed.values(claim_no=claim_no)))

    def _insert(self, table: Table, row: dict[str, Any]) -> UUID:
        self.tickerq.core.write(insert_rows, table, [row])
        row_id: UUID = row[next(iter(table.primary_key)).name]
        return row_id
