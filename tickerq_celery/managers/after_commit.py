"""Do something once the caller's own transaction has really committed."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, RootTransaction, event
from sqlalchemy.orm import Session, scoped_session

from tickerq_celery.errors import TickerValidationError

_WAITING = "tickerq_after_commit"


def joined(session: object) -> Session:
    """Return the Session behind what a caller passed as ``session=``.

    Raises:
        TickerValidationError: It is none, or none that can be used outside of an event loop.
    """
    if isinstance(session, scoped_session):
        session = session()
    if not isinstance(session, Session):
        raise TickerValidationError("session", session, "pass a sqlalchemy.orm.Session")
    return session


def when_committed(session: Session, connection: Connection, action: Callable[[], None]) -> None:
    """Call ``action`` after the root transaction of ``connection`` has committed; never after a rollback.

    ``after_commit`` also comes for SAVEPOINTs, and under a transaction that the caller holds outside of
    the session: neither has made anything visible, and there the action does not happen.
    """
    root = connection.get_transaction()
    waiting: list[tuple[RootTransaction | None, Callable[[], None]]]
    waiting = session.info.setdefault(_WAITING, [])
    waiting.append((root, action))
    if not event.contains(session, "after_commit", _after_commit):
        event.listen(session, "after_commit", _after_commit)
        event.listen(session, "after_soft_rollback", _after_rollback)


def _after_commit(session: Session) -> None:
    waiting = session.info.get(_WAITING, [])
    ended = [action for root, action in waiting if root is not None and not root.is_active]
    session.info[_WAITING] = [
        (root, action) for root, action in waiting if root is not None and root.is_active
    ]
    for action in ended:
        action()


def _after_rollback(session: Session, previous_transaction: Any) -> None:
    waiting = session.info.get(_WAITING, [])
    session.info[_WAITING] = [
        (root, action) for root, action in waiting if root is not None and root.is_active
    ]
