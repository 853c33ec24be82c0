"""A store takes every text, or is refused before a run has one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

from tests.inner import Database, migrate, resolved_url, verify
from tests.integration.making import add_function
from tests.manual_clock import ManualClock
from tests.servers.pool import SharedServer
from tests.thoroughness import in_verify
from tickerq_celery.errors import SchemaError


def executed(url: str, statement: str) -> None:
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))


@pytest.fixture(params=["LATIN1", in_verify("SQL_ASCII")])
def poor_url(request: pytest.FixtureRequest, shared_server: Callable[[str], SharedServer]) -> Iterator[str]:
    """An empty PostgreSQL database of an encoding that lacks most characters."""
    server = shared_server("postgres")
    url = make_url(server.new_database())
    name = f"{url.database}_{request.param.lower()}"
    executed(server.url, f"CREATE DATABASE {name} ENCODING {request.param} TEMPLATE template0 LOCALE 'C'")
    server.drop_database(url.render_as_string(hide_password=False))
    made = url.set(database=name).render_as_string(hide_password=False)
    yield made
    server.drop_database(made)


def test_a_postgresql_of_another_encoding_is_refused(poor_url: str) -> None:
    database = Database(resolved_url(poor_url, Path.cwd()))
    for open_store in (verify, lambda database: migrate(database, ManualClock())):
        with pytest.raises(SchemaError, match=r"server_encoding is (LATIN1|SQL_ASCII), and texts need UTF8"):
            open_store(database)
    database.close()


@pytest.mark.parametrize(
    ("empty_database_url", "query", "flaw"),
    [
        ("postgres", {"client_encoding": "latin1"}, "client_encoding is LATIN1, and texts need UTF8"),
        ("mariadb", {"charset": "latin1"}, "charset is latin1, and texts need utf8mb4"),
    ],
    indirect=["empty_database_url"],
)
def test_a_connection_of_another_encoding_is_refused(
    empty: Database, query: dict[str, str], flaw: str
) -> None:
    migrate(empty, ManualClock())
    database = Database(empty.url.update_query_dict(query))
    with pytest.raises(SchemaError, match=flaw):
        verify(database)
    database.close()


@pytest.mark.parametrize("empty_database_url", ["mariadb"], indirect=True)
def test_a_mariadb_whose_database_is_latin1_keeps_every_text(empty: Database) -> None:
    empty.write(lambda connection: connection.execute(text("ALTER DATABASE CHARACTER SET latin1")))
    migrate(empty, ManualClock())
    verify(empty)
    empty.write(lambda connection: add_function(connection, "x", "Send", "→ 木"))


@pytest.mark.parametrize("empty_database_url", ["mariadb"], indirect=True)
def test_a_mariadb_table_of_another_character_set_is_refused(empty: Database) -> None:
    migrate(empty, ManualClock())
    statement = text("ALTER TABLE tickerq_pauses CONVERT TO CHARACTER SET latin1")
    empty.write(lambda connection: connection.execute(statement))
    with pytest.raises(SchemaError, match="tickerq_pauses has the collation latin1"):
        verify(empty)
