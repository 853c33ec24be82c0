"""Do something once the caller's own transaction has really committed."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sqlalchemy import RootTransaction, event
from sqlalchemy.orm import Session

from tickerq_celery.managers.callers import Caller

_WAITING = "tickerq_after_commit"


def when_committed(caller: Caller, action: Callable[[], object]) -> None:
    """Call ``action`` after the caller's root transaction has committed; never after a rollback.

    ``after_commit`` also comes for SAVEPOINTs, and under a transaction that the caller holds outside of
    the session: neither has made anything visible, and there the action does not happen. Nor does it for a
    bare connection, which tells nobody when it has committed.
    """
    session = caller.session
    if session is None:
        return
    waiting: list[tuple[RootTransaction | None, Callable[[], object]]]
    waiting = session.info.setdefault(_WAITING, [])
    waiting.append((caller.root, _off_the_loop(action) if caller.connection.dialect.is_async else action))
    if not event.contains(session, "after_commit", _after_commit):
        event.listen(session, "after_commit", _after_commit)
        event.listen(session, "after_soft_rollback", _after_rollback)


def _off_the_loop(action: Callable[[], object]) -> Callable[[], None]:
    """Return what does the same in a thread: the event loop must not wait for a broker."""

    def start() -> None:
        # A loop that is ending takes no more work. What the action would have done, beat does.
        with suppress(RuntimeError):
            asyncio.get_running_loop().run_in_executor(None, action)

    return start


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
