"""What callers want changed, by the ids of the tickers."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from tickerq_celery import limits
from tickerq_celery.errors import TickerValidationError


def checked_changes(
    changes: Mapping[UUID | str, Mapping[str, Any]], changeable: Collection[str], kind: str
) -> dict[UUID, Mapping[str, Any]]:
    """Return changes with ids that are UUIDs, in their order.

    Raises:
        TickerValidationError: A ticker of this ``kind`` has no such field, or an id is none.
    """
    for each in changes.values():
        for name, value in each.items():
            if name not in changeable:
                raise TickerValidationError(name, value, f"a {kind} has no such field to change")
    return {limits.identifier(ticker_id): each for ticker_id, each in changes.items()}
