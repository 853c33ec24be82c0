"""What ``session=`` takes, as type checkers see it."""

from collections.abc import Coroutine
from typing import Any, Protocol

from typing_extensions import TypeVar


# The rooms that name it know nothing of SQLAlchemy: these methods tell its sessions from all else.
class SessionLike(Protocol):
    """A SQLAlchemy Session, a scoped_session or a Connection, on the store's database."""

    def commit(self) -> None:
        """Commit the transaction."""

    def rollback(self) -> None:
        """Roll the transaction back."""

    def begin_nested(self) -> object:
        """Begin a SAVEPOINT."""


class AsyncSessionLike(Protocol):
    """An AsyncSession, an async_scoped_session or an AsyncConnection, on the store's database."""

    def commit(self) -> Coroutine[Any, Any, None]:
        """Commit the transaction."""

    def rollback(self) -> Coroutine[Any, Any, None]:
        """Roll the transaction back."""

    def begin_nested(self) -> object:
        """Begin a SAVEPOINT."""


# What a manager's verbs take: each manager is also typed for event loops.
SessionT = TypeVar("SessionT", default=SessionLike)
