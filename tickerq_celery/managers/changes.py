"""What callers want changed, by the ids of the tickers."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from tickerq_celery import limits
from tickerq_celery.errors import TickerValidationError

INSTEAD_OF_UPDATE = "session.run_sync(lambda sync: ….update(…, session=sync))"


def checked_changes(
    changes: Mapping[UUID | str, Mapping[str, Any]], changeable: Collection[str], kind: str
) -> dict[UUID, Mapping[str, Any]]:
    """Return changes with ids that are UUIDs, in their order.

    Raises:
        TickerValidationError: A ticker of this ``kind`` has no such field, or an id is none, or there twice.
    """
    if not isinstance(changes, Mapping):
        raise TickerValidationError("changes", changes, "pass a dict of ids, each with a dict of changes")
    for each in changes.values():
        if not isinstance(each, Mapping):
            raise TickerValidationError("changes", each, "pass a dict of fields and values for each id")
        for name, value in each.items():
            if name not in changeable:
                raise TickerValidationError(name, value, f"a {kind} has no such field to change")
    wanted: dict[UUID, Mapping[str, Any]] = {}
    for ticker_id, each in changes.items():
        found = limits.identifier(ticker_id)
        if found in wanted:
            raise TickerValidationError("id", ticker_id, "it is there twice, as text and as a UUID")
        wanted[found] = each
    return wanted
