"""What a transaction did: its result, and the runs that it made due."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect(Generic[T]):
    """What a write returns; ``due`` are the ids of runs to be dispatched once it is committed."""

    result: T
    due: Collection[UUID] = ()
