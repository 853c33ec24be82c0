"""What callers want changed, by the ids of the tickers."""

from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any
from uuid import UUID

from tickerq_celery import limits
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.managers.places import naming
from tickerq_celery.redaction import discreet

INSTEAD_OF_UPDATE = "session.run_sync(lambda sync: ….update(…, session=sync))"


def checked_changes(
    changes: Mapping[UUID | str, Mapping[str, Any]], kind: type, fixed: Collection[str]
) -> dict[UUID, Mapping[str, Any]]:
    """Return changes with ids that are UUIDs, in their order.

    Raises:
        TickerValidationError: A ticker of this ``kind`` has no such field, or it is ``fixed``; or an id is
            none, or there twice.
    """
    if not isinstance(changes, Mapping):
        raise TickerValidationError("changes", changes, "pass a dict of ids, each with a dict of changes")
    for ticker_id, each in changes.items():
        if not isinstance(each, Mapping):
            raise TickerValidationError("changes", each, "pass a dict of fields and values for each id")
        with naming(place_in(changes, ticker_id)):
            check_fields(each, kind, fixed)
    wanted: dict[UUID, Mapping[str, Any]] = {}
    for ticker_id, each in changes.items():
        found = limits.identifier(ticker_id)
        if found in wanted:
            raise TickerValidationError("id", ticker_id, "it is there twice, as text and as a UUID")
        wanted[found] = each
    return wanted


def check_fields(given: Mapping[str, object], kind: type, fixed: Collection[str] = ()) -> None:
    """Refuse what is no field of a ticker of this ``kind``, and what is ``fixed``.

    Raises:
        TickerValidationError: It shows no value whose name may be a secret's.
    """
    known = {field.name for field in fields(kind)}
    for name, value in given.items():
        if name not in known:
            reason = f"a {kind.__name__} has no such field"
            raise TickerValidationError(name, discreet([name], value), reason)
        if name in fixed:
            raise TickerValidationError(name, value, "it cannot be changed")


def place_in(changes: Collection[object], ticker_id: UUID | str) -> str:
    """Return how errors name the place of a ticker's changes: not at all where there are no others."""
    return f"changes[{ticker_id}]." if len(changes) > 1 else ""
