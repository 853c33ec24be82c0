"""What an idle tick asks of the store: an index answers it, however many cron tickers there are."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from tests.inner import Core, Transaction
from tests.integration.making import crons
from tests.manual_clock import ManualClock
from tickerq_celery import CronTicker
from tickerq_celery.store.cron.due_crons import lock_late, lock_on_time
from tickerq_celery.store.runs.next_due import NextDueQuery

BY_NEXT_RUN = "ix_tickerq_cron_tickers_namespace_next_run_at"


def plans(tx: Transaction, work: Callable[[Transaction], object]) -> list[str]:
    """Return how SQLite would search for each statement of ``work``."""
    asked: list[tuple[str, Any]] = []

    def note(_: object, __: object, statement: str, parameters: Any, *___: object) -> None:
        asked.append((statement, parameters))

    connection = tx.connection
    event.listen(connection, "before_cursor_execute", note)
    work(tx)
    event.remove(connection, "before_cursor_execute", note)
    explained = []
    for statement, parameters in asked:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
        explained.append(" | ".join(str(row[3]) for row in rows))
    return explained


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("lock", [lock_on_time, lock_late])
def test_an_index_finds_the_cron_tickers_that_are_due(core: Core, lock: Callable[..., object]) -> None:
    (plan,) = core.read(plans, lambda tx: lock(tx, late_after=timedelta(seconds=5), limit=100))
    assert BY_NEXT_RUN in plan
    assert "next_run_at" in plan.partition(BY_NEXT_RUN)[2]
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_an_index_finds_the_next_instant_of_all(core: Core) -> None:
    (plan,) = core.read(plans, NextDueQuery().read)
    assert f"SEARCH tickerq_cron_tickers USING COVERING INDEX {BY_NEXT_RUN}" in plan
    assert "SEARCH tickerq_tickers USING COVERING INDEX ix_tickerq_tickers_namespace_due_at" in plan


@pytest.mark.parametrize("store_url", ["mariadb"], indirect=True)
def test_the_next_instant_of_all_costs_the_same_whatever_there_is(core: Core) -> None:
    def rows_read(tx: Transaction) -> int:
        tx.connection.exec_driver_sql("FLUSH STATUS")
        NextDueQuery().read(tx)
        counts = tx.connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Handler_read%%'").all()
        return sum(int(count) for _, count in counts)

    def rows_read_beside(more: int) -> int:
        crons(core).add_batch(
            [CronTicker(function="Send", every=timedelta(days=1, seconds=second)) for second in range(more)]
        )
        core.read(rows_read)  # what a first look at the tables costs is not asked for
        return core.read(rows_read)

    assert rows_read_beside(1) + 5 >= rows_read_beside(300)


def test_a_tick_touches_only_the_cron_tickers_that_are_due(core: Core, clock: ManualClock) -> None:
    many = [CronTicker(function="Send", every=timedelta(days=1, seconds=second)) for second in range(300)]
    soon = crons(core).add(CronTicker(function="Send", every=60))
    crons(core).add_batch(many)
    clock.advance(minutes=1)
    due = core.write(lock_on_time, late_after=timedelta(seconds=5), limit=100)
    assert [row.id for row in due] == [soon.id]
