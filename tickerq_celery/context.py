"""What a run tells its function about itself."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic
from uuid import UUID

from typing_extensions import TypeVar

from tickerq_celery import results
from tickerq_celery.enums import TickerType

# The default makes a bare `TickerContext` a complete annotation for strict type checkers.
RequestT = TypeVar("RequestT", default=Any)


# No slots: Python 3.11 cannot call `TickerContext[X](...)` on a frozen class that has them.
@dataclass(frozen=True, kw_only=True)
class TickerContext(Generic[RequestT]):
    """The run that is executing; ``TickerContext[T]`` has a ``request`` of type T.

    ``retry_count`` is 0 in the first attempt. ``is_due`` says that the run was claimed late.
    ``scheduled_for`` is the execution time as an aware UTC datetime, and None for a child that has none.
    """

    id: UUID
    parent_id: UUID | None
    type: TickerType
    function_name: str
    retry_count: int
    is_due: bool
    scheduled_for: datetime | None
    request: RequestT
    parent_result_bytes: bytes | None = field(default=None, repr=False)

    @property
    def parent_result(self) -> Any:
        """What the parent's function returned, as plain JSON values; None for a head, and for no result.

        Raises:
            ParentResultError: The parent returned what is no JSON, or too large.
        """
        return results.read(self.parent_result_bytes)
