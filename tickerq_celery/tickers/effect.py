"""What a transaction did: its result, the runs that it made due, and what an audit says of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar
from uuid import UUID

from tickerq_celery.tickers.claims import Due

T = TypeVar("T")
# What an audit shows of an object: names of fields, and values that JSON has.
Shown: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a verb changed: the ids of all things that it made, changed or deleted, or only how many.

    ``before`` and ``after`` show what is different now, and never a request.
    """

    ids: Sequence[UUID] = ()
    count: int | None = None
    before: Shown | None = None
    after: Shown | None = None

    @property
    def size(self) -> int:
        """How many things it changed."""
        return len(self.ids) if self.count is None else self.count


NO_CHANGE = Change()


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect(Generic[T]):
    """What a write returns; ``due`` are the ids of runs to be dispatched once it is committed.

    ``calls`` are those of Celery tasks, which are known as they are stored.
    """

    result: T
    due: Collection[UUID] = ()
    calls: Collection[Due] = ()
    change: Change = NO_CHANGE
