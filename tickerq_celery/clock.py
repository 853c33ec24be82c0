"""The only reader of the wall clock."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the code asks about time."""

    def now(self) -> datetime:
        """Return the present moment as an aware UTC datetime."""

    def monotonic(self) -> float:
        """Return seconds on a clock that never steps; only differences mean anything."""

    def __hash__(self) -> int:
        """Return a hash by identity: a statement that is built once is kept for each clock."""

    def sql_literal(self) -> datetime | None:
        """Return the moment SQL statements shall bind as now, or None for the database's own clock."""


class SystemClock:
    """The clock of production: this machine's for Python, the database's for SQL."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sql_literal(self) -> datetime | None:
        return None
