"""Which errors of a driver mean a passing conflict, an outage or missing tables."""

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from tickerq_celery.errors import StoreError, StoreUnreachableError
from tickerq_celery.store.database.dialects import DIALECTS

# An error does not say of which database it is, but the codes of each are no other one's.
_EACH = tuple(dict.fromkeys(DIALECTS.values()))


class LostAnswerError(StoreError):
    """The database may have taken a write: the connection was lost before the answer arrived."""


def no_tables(shown: str) -> str:
    """Return that the store at an address, ``shown`` without passwords, has no tables."""
    advice = "run `celery -A yourapp tickerq migrate`, or tickerq.create_schema()"
    return f"the store {shown} has no tables yet: {advice}"


def is_locked(error: DBAPIError) -> bool:
    """Whether SQLite waited in vain for a lock of another connection."""
    return any(each.is_locked(error) for each in _EACH)


def is_transient(error: DBAPIError) -> bool:
    """Whether the same transaction may well succeed when it is run again."""
    return error.connection_invalidated or any(each.is_transient(error) for each in _EACH)


def is_stale(error: DBAPIError) -> bool:
    """Whether a row was changed after this transaction's snapshot, and a SAVEPOINT saves the rest."""
    return any(each.is_stale(error) for each in _EACH)


def lacks_table(error: DBAPIError) -> bool:
    """Whether a statement named a table that the database does not have."""
    return any(each.lacks_table(error) for each in _EACH)


def is_read_only(error: DBAPIError) -> bool:
    """Whether the server takes no writes at present."""
    return any(each.is_read_only(error) for each in _EACH)


def is_outage(error: DBAPIError) -> bool:
    """Whether the database cannot be reached, or takes no writes at present."""
    if error.connection_invalidated or is_read_only(error):
        return True
    is_operational = isinstance(error, OperationalError | InterfaceError)
    return is_operational and not any(each.is_violation(error) for each in _EACH)


def outage(error: DBAPIError, reason: str) -> StoreError:
    """Return an outage as an error of ours: there is no connection, or what one answers is an error."""
    # What fails to connect has no statement; neither has what begins or ends a transaction.
    is_refused = error.statement is None and not is_locked(error) and not is_read_only(error)
    kind = StoreUnreachableError if error.connection_invalidated or is_refused else StoreError
    return kind(reason)
