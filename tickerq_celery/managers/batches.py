"""Changes of many tickers in one transaction, and which of them an error is about."""

from collections.abc import Collection, Mapping
from dataclasses import fields
from types import TracebackType
from typing import Self, TypeVar
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.tickers.call import Changes, with_names
from tickerq_celery.tickers.keywords import refuse_unknown

T = TypeVar("T")
# A dict's keys are all UUIDs, or all text, or typed as either: each is one type to a type checker.
IdT = TypeVar("IdT", bound=UUID | str)


def checked_changes(
    changes: Mapping[IdT, Changes], kind: type, fixed: Collection[str]
) -> dict[UUID, Changes]:
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
        with naming(position_in(changes, ticker_id)):
            check_fields(each, kind, fixed)
    wanted: dict[UUID, Changes] = {}
    for ticker_id, each in changes.items():
        found = validation.identifier(ticker_id)
        if found in wanted:
            raise TickerValidationError("id", ticker_id, "it is there twice, as text and as a UUID")
        with naming(position_in(changes, ticker_id)):
            wanted[found] = with_names(each)
    return wanted


def check_fields(given: Changes, kind: type, fixed: Collection[str] = ()) -> None:
    """Refuse what is no field of a ticker of this ``kind``, and what is ``fixed``.

    Raises:
        TickerValidationError: It shows no value whose name may be a secret's.
    """
    refuse_unknown(f"a {kind.__name__} has no such field", given, [field.name for field in fields(kind)])
    for name, value in given.items():
        if name in fixed:
            raise TickerValidationError(name, value, "it cannot be changed")


def position_in(changes: Collection[object], ticker_id: UUID | str) -> str:
    """Return how errors name the position of a ticker's changes: not at all where there are no others."""
    return f"changes[{ticker_id}]." if len(changes) > 1 else ""


def by_position(batch: object, kind: type[T]) -> dict[str, T]:
    """Return the tickers of a batch in their order, by their positions: ``[1].``, or empty for one.

    Raises:
        TickerValidationError: It is no collection, or holds what is not of this ``kind``.
    """
    if not isinstance(batch, Collection) or isinstance(batch, str):
        raise TickerValidationError("batch", batch, f"pass a list of {kind.__name__}")
    found: dict[str, T] = {}
    for number, ticker in enumerate(batch):
        position = f"[{number}]" if len(batch) > 1 else ""
        if not isinstance(ticker, kind):
            raise TickerValidationError(position or "ticker", ticker, f"pass a {kind.__name__}")
        found[position and f"{position}."] = ticker
    return found


class naming:  # noqa: N801 - used like contextlib's own, for each ticker of a batch
    """Let an error about a field begin with the position of the ticker that has the field.

    A block that goes through many tickers sets the position anew for each.
    """

    def __init__(self, position: str) -> None:
        self.position = position

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.position and isinstance(error, TickerValidationError):
            raise error.at(self.position) from error
