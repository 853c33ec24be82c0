"""Writes into the transaction of an event loop by callers that cannot await them.

They wait until the transaction itself does what can be awaited, and vanish with what is rolled back.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, event
from sqlalchemy.util.concurrency import in_greenlet

from tickerq_celery.deferred import Deferred
from tickerq_celery.errors import TickerValidationError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session
    from sqlalchemy.orm.session import SessionTransaction
else:
    # A process that has an object of it has imported it.
    Session = Deferred("sqlalchemy.orm", "Session")

T = TypeVar("T")
_WAITING = "tickerq_awaited_writes"
_NOT_BEGUN = "no transaction has begun on this connection: `async with connection.begin()`"


def write_when_awaited(
    target: "Session | Connection", item: T, write: Callable[[Sequence[T]], object]
) -> None:
    """Let ``write`` have an item in the transaction that ``target``, of an async one, is in now.

    That is at once where it can be awaited: in ``run_sync``, and in events of a flush. Else it follows
    before the next flush of this scope, and before the end of it: a SAVEPOINT is a scope of its own. What was
    called for in a scope that is rolled back or closed is dropped.

    Raises:
        TickerValidationError: ``target`` is a connection without a transaction.
    """
    if in_greenlet():
        write([item])
        return
    scope = _watched(target)
    target.info.setdefault(_WAITING, []).append((scope, item, write))


def _watched(target: "Session | Connection") -> "SessionTransaction | None":
    """Return the scope that a target is in, whose end is heard of."""
    if isinstance(target, Connection):
        if not target.in_transaction():
            raise TickerValidationError("session", target, _NOT_BEGUN)
        if not event.contains(target, "commit", _write):
            for name in ("savepoint", "release_savepoint", "commit", "prepare_twophase"):
                event.listen(target, name, _write)
            for name in ("rollback", "rollback_savepoint"):
                event.listen(target, name, _drop)
        return None
    if not event.contains(target, "before_commit", _write):
        event.listen(target, "before_flush", _write)
        event.listen(target, "before_commit", _write)
        event.listen(target, "after_transaction_end", _drop)
    # Its SAVEPOINT is sent with its first statement only: what waits must know in which one it was.
    return _scope(target) or target.begin()


def _scope(target: "Session | Connection") -> "SessionTransaction | None":
    if isinstance(target, Connection):
        return None
    return target.get_nested_transaction() or target.get_transaction()


def _write(target: "Session | Connection", *_: Any) -> None:
    waiting, scope = target.info.get(_WAITING, []), _scope(target)
    target.info[_WAITING] = [each for each in waiting if each[0] is not scope]
    own = [(write, item) for where, item, write in waiting if where is scope]
    for write in dict.fromkeys(write for write, _ in own):
        write([item for other, item in own if other == write])


def _drop(target: "Session | Connection", scope: Any = None, *_: Any) -> None:
    ended = None if isinstance(target, Connection) else scope
    target.info[_WAITING] = [each for each in target.info.get(_WAITING, []) if each[0] is not ended]
