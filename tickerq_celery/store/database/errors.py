"""Which errors of a driver mean a passing conflict, an outage or missing tables."""

from collections.abc import Sequence

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from tickerq_celery.store.database.connections import is_locked

_MYSQL_TRANSIENT = {1020, 1205, 1213}
# MariaDB and MySQL say of a violated CHECK what they say of an outage: OperationalError.
_MYSQL_CHECK_VIOLATED = {4025, 3819}
_MYSQL_NO_TABLE = 1146
_SQLSTATE_NO_TABLE = "42P01"
NO_TABLES = "the store has no tables yet: run `celery -A yourapp tickerq migrate`, or tickerq.create_schema()"
# A server that only reads was the first of several a moment ago, or is being moved: writes may come back.
_MYSQL_READ_ONLY = {1290, 1836}
_SQLSTATE_READ_ONLY = "25006"
_SQLSTATE_STALE = "40001"
_SQLSTATE_TRANSIENT = {_SQLSTATE_STALE, "40P01"}


def is_transient(error: DBAPIError) -> bool:
    """Whether the same transaction may well succeed when it is run again."""
    if error.connection_invalidated:
        return True
    if is_locked(error) or getattr(error.orig, "sqlstate", None) in _SQLSTATE_TRANSIENT:
        return True
    return _mysql_number(error) in _MYSQL_TRANSIENT


def is_stale(error: DBAPIError) -> bool:
    """Whether a row was changed after this transaction's snapshot, and a SAVEPOINT saves the rest.

    None does on MariaDB, whose deadlock has the same SQLSTATE: there the whole transaction is undone.
    """
    is_mysql = isinstance(_mysql_number(error), int)
    return not is_mysql and getattr(error.orig, "sqlstate", None) == _SQLSTATE_STALE


def lacks_table(error: DBAPIError) -> bool:
    """Whether a statement named a table that the database does not have."""
    is_sqlite = str(error.orig).startswith("no such table")
    is_postgres = getattr(error.orig, "sqlstate", None) == _SQLSTATE_NO_TABLE
    return is_sqlite or is_postgres or _mysql_number(error) == _MYSQL_NO_TABLE


def is_outage(error: DBAPIError) -> bool:
    """Whether the database cannot be reached, or takes no writes at present."""
    if error.connection_invalidated or _is_read_only(error):
        return True
    is_operational = isinstance(error, OperationalError | InterfaceError)
    return is_operational and _mysql_number(error) not in _MYSQL_CHECK_VIOLATED


def _is_read_only(error: DBAPIError) -> bool:
    is_postgres = getattr(error.orig, "sqlstate", None) == _SQLSTATE_READ_ONLY
    return is_postgres or _mysql_number(error) in _MYSQL_READ_ONLY


def _mysql_number(error: DBAPIError) -> object:
    arguments: Sequence[object] = getattr(error.orig, "args", ())
    return arguments[0] if arguments else None
