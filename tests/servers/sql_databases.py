"""Databases inside a running SQL server."""

import uuid

from sqlalchemy import NullPool, create_engine, make_url, text


def create_database(server_url: str, owner: str = "tickerq_test") -> str:
    """Make an empty database on the server, whose name begins with the owner's, and return its address."""
    name = f"{owner}_{uuid.uuid4().hex[:12]}"
    _execute(server_url, f"CREATE DATABASE {name}")
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def drop_database(server_url: str, url: str) -> None:
    """Remove a database, whatever is still connected to it."""
    parsed = make_url(url)
    force = " WITH (FORCE)" if parsed.get_backend_name() == "postgresql" else ""
    _execute(server_url, f"DROP DATABASE {parsed.database}{force}")


def ping(server_url: str) -> None:
    """Return if the server answers."""
    _execute(server_url, "SELECT 1")


def _execute(server_url: str, statement: str) -> None:
    engine = create_engine(server_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
