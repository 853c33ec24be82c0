"""Calls of an outbox in a test: rows of the test's store once they are committed, for ``run_due``."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from tests.kit.users_connections import rolled_back
from tickerq_celery import TickerQ, TickerStatus
from tickerq_celery.testing import TickerQTest, take_over

pytestmark = pytest.mark.usefixtures("ran")


def test_calls_are_scheduled_by_the_commit_and_executed_by_run_due(
    tickerq: TickerQTest, shop: TickerQ, ran: list[Any]
) -> None:
    remind: Any = shop.app.tasks["shop.remind"]
    engine = create_engine(tickerq.store_url)
    with Session(engine) as session, shop.outbox(session):
        remind.delay(16)
        session.rollback()
        result = remind.delay(17)
        session.commit()
    engine.dispose()
    tickerq.refute_scheduled(remind.s(16))
    (run,) = tickerq.assert_scheduled(remind.s(17))
    assert (run.task_id, ran) == (result.id, [])
    (done,) = tickerq.run_due()
    assert (done.status, ran) == (TickerStatus.DONE, [17])


def test_in_a_connection_of_the_tests_calls_are_part_of_its_transaction(
    store_url: str, shop: TickerQ, tmp_path: Path, ran: list[Any]
) -> None:
    remind: Any = shop.app.tasks["shop.remind"]
    with (
        rolled_back(store_url) as connection,
        take_over(shop, folder=tmp_path, connection=connection) as tickerq,
    ):
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            with tickerq.outbox(session):
                remind.delay(17)
            session.commit()
        tickerq.assert_scheduled(remind.s(17))
        tickerq.run_due()
        assert ran == [17]


def test_a_test_that_has_not_taken_over_writes_to_no_store(shop: TickerQ, tmp_path: Path) -> None:
    from tickerq_celery.errors import ConfigError

    remind: Any = shop.app.tasks["shop.remind"]
    with (
        pytest.MonkeyPatch.context() as patch,
        Session(create_engine(f"sqlite:///{tmp_path}/other.db")) as session,
        shop.outbox(session),
    ):
        patch.setenv("TICKERQ_ALLOWED_STORES", "")
        with pytest.raises(ConfigError, match="a test was about to write"):
            remind.delay(17)
