"""Statements whose plans a PostgreSQL session keeps, where psycopg reaches it directly."""

from typing import Any

from sqlalchemy import Engine, event

# How often psycopg sends a statement before it has the session keep it; none where it never does.
PREPARE_THRESHOLD = "prepare_threshold"
# Each of an engine's few statements is sent for every run.
_SENT_BEFORE = 1


def prepare_where_direct(engine: Engine) -> None:
    """Let the sessions of an engine keep its statements, unless a pooler stands before them.

    A pooler gives the next transaction another session, which does not know the statement.
    """
    event.listen(engine, "connect", _keep_if_direct)


def _keep_if_direct(connection: Any, _: object) -> None:
    if _is_direct(connection):
        connection.prepare_threshold = _SENT_BEFORE


def _is_direct(connection: Any) -> bool:
    """Return True if the process that answers is the one that the server has announced.

    A pooler announces a number of its own, by which it finds whose statement a client cancels.
    """
    autocommits = connection.autocommit
    connection.autocommit = True
    (answering,) = connection.execute("SELECT pg_backend_pid()").fetchone()
    connection.autocommit = autocommits
    return bool(answering == connection.info.backend_pid)
