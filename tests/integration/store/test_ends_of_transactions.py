"""What a connection carries from one transaction to the next: nothing, and no round trip more than needed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, event, insert, select, text

from tests.inner import Database
from tests.tables import drops

HOUR = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def alone(database: Database) -> Iterator[Database]:
    """The store on a single connection."""
    opened = Database(database.url, options={"pool_size": 1, "max_overflow": 0}, is_for_tests=True)
    yield opened
    opened.close()


def add(connection: Connection, namespace: str, reason: str) -> None:
    row = {"namespace": namespace, "hour": HOUR, "reason": reason, "node_id": UUID(int=0), "dropped": 1}
    connection.execute(insert(drops).values(row))


def stored(connection: Connection, namespace: str) -> list[str]:
    return list(connection.scalars(select(drops.c.reason).where(drops.c.namespace == namespace)))


def break_off(engine: Engine, end: str) -> None:
    """Interrupt the next end of a transaction before the database hears of it."""

    def interrupt(connection: Connection) -> None:
        event.remove(engine, end, interrupt)
        raise KeyboardInterrupt

    event.listen(engine, end, interrupt)


@pytest.mark.every_database
@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_a_transaction_whose_end_is_interrupted_is_not_ended_by_the_next_one(
    alone: Database, namespace: str, end: str
) -> None:
    def work(connection: Connection) -> None:
        add(connection, namespace, "interrupted")
        if end == "rollback":
            raise ValueError

    break_off(alone.engine, end)
    with pytest.raises(KeyboardInterrupt):
        alone.write(work)

    alone.write(lambda connection: add(connection, namespace, "whole"))

    assert alone.read(lambda connection: stored(connection, namespace)) == ["whole"]


@pytest.mark.every_database
def test_what_ended_the_work_is_raised_where_the_connection_is_lost_meanwhile(alone: Database) -> None:
    tries = []

    def work(connection: Connection) -> None:
        tries.append(connection)
        connection.connection.driver_connection.close()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        alone.write(work)
    assert len(tries) == 1


@pytest.mark.parametrize("store_url", ["mariadb"], indirect=True)
def test_mariadb_is_asked_to_roll_back_only_what_fails(alone: Database, namespace: str) -> None:
    def rollbacks(connection: Connection) -> int:
        shown = connection.execute(text("SHOW SESSION STATUS LIKE 'Com_rollback'"))
        return int(shown.one()[1])

    def fail(connection: Connection) -> None:
        raise LookupError

    before = alone.read(rollbacks)
    alone.write(lambda connection: add(connection, namespace, "whole"))
    alone.read(lambda connection: stored(connection, namespace))
    assert alone.read(rollbacks) == before
    with pytest.raises(LookupError):
        alone.write(fail)
    assert alone.read(rollbacks) == before + 1
