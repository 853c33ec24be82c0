"""Rows that no run can be in are refused by the database, whatever the code does."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from tests.inner import Core, new_id
from tests.integration.making import make_cron, make_run, row_of
from tests.manual_clock import START
from tests.tables import attempts, meta, tickers
from tickerq_celery.enums import TickerStatus


@pytest.mark.parametrize(
    "values",
    [
        {"status": TickerStatus.QUEUED, "check_at": START},
        {"status": TickerStatus.QUEUED, "due_at": None},
        {"check_at": START},
        {"status": TickerStatus.IN_PROGRESS, "due_at": None, "check_at": START},
        {"status": TickerStatus.DONE, "due_at": None},
        {"ended_at": START},
        {"running_on": new_id()},
        {"due_at": None, "running_on": new_id(), "status": TickerStatus.QUEUED, "check_at": START},
        {"status": TickerStatus.DONE, "ended_at": START},
        {"parent_id": new_id()},
        {"cron_ticker_id": new_id()},
        {"function": None},
        {"created_at": None},
    ],
    ids=" ".join,
)
def test_a_row_that_no_run_can_be_in_is_refused(core: Core, values: dict[str, Any]) -> None:
    run_id = make_run(core)
    statement = update(tickers).where(tickers.c.id == run_id).values(**values)
    # Which class of error it is differs between databases; that it is refused does not.
    with pytest.raises(DBAPIError):
        core.database.write(lambda connection: connection.execute(statement))
    assert row_of(core, run_id).status is TickerStatus.IDLE


@pytest.mark.parametrize("number", [-1, 8])
def test_a_status_that_does_not_exist_is_refused(core: Core, number: int) -> None:
    make_run(core)
    statement = text(
        "UPDATE tickerq_tickers SET status = :number, due_at = NULL WHERE namespace = :namespace"
    )
    values = {"number": number, "namespace": core.config.namespace}
    with pytest.raises(DBAPIError):
        core.database.write(lambda connection: connection.execute(statement, values))


def test_an_execution_has_one_attempt(core: Core) -> None:
    values = _attempt(make_run(core), START)
    core.database.write(lambda connection: connection.execute(insert(attempts).values(**values)))
    with pytest.raises(IntegrityError):
        core.database.write(lambda connection: connection.execute(insert(attempts).values(**values)))


def _attempt(run_id: object, at: datetime) -> dict[str, Any]:
    return {
        "ticker_id": run_id,
        "claim_no": 1,
        "retries": 0,
        "number": 0,
        "status": TickerStatus.DONE,
        "ended_at": at,
    }


def test_the_meta_table_has_one_row(core: Core) -> None:
    row = core.database.read(lambda connection: connection.execute(select(meta)).one())
    values = {**row._asdict(), "id": 2}
    with pytest.raises(DBAPIError):
        core.database.write(lambda connection: connection.execute(insert(meta).values(**values)))


def test_two_unfinished_runs_cannot_hold_one_key(core: Core) -> None:
    first, second = make_run(core, unique_key="a"), make_run(core, unique_key="b")
    statement = update(tickers).where(tickers.c.id == second).values(active_key="a")
    with pytest.raises(IntegrityError):
        core.database.write(lambda connection: connection.execute(statement))
    assert row_of(core, first).active_key == "a"
    assert make_run(core, unique_key="A") != make_run(core, unique_key="á")


def test_a_cron_ticker_can_be_seeded_once_for_each_key(core: Core) -> None:
    ids = [make_cron(core), make_cron(core)]
    statement = text("UPDATE tickerq_cron_tickers SET seed_key = 'Send' WHERE namespace = :namespace")
    with pytest.raises(IntegrityError):
        core.database.write(
            lambda connection: connection.execute(statement, {"namespace": core.config.namespace})
        )
    assert len(ids) == 2
