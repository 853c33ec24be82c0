"""Where in a call a ticker stands, so that an error about one of several says which."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tickerq_celery.errors import TickerValidationError

T = TypeVar("T")


def placed(batch: object, kind: type[T]) -> dict[str, T]:
    """Return the tickers of a batch in their order, by their places: ``[1].``, or nothing for a single one.

    Raises:
        TickerValidationError: It is no collection, or holds what is not of this ``kind``.
    """
    if not isinstance(batch, Collection) or isinstance(batch, str):
        raise TickerValidationError("batch", batch, f"pass a list of {kind.__name__}")
    found: dict[str, T] = {}
    for number, ticker in enumerate(batch):
        place = f"[{number}]" if len(batch) > 1 else ""
        if not isinstance(ticker, kind):
            raise TickerValidationError(place or "ticker", ticker, f"pass a {kind.__name__}")
        found[place and f"{place}."] = ticker
    return found


@contextmanager
def naming(place: str) -> Iterator[None]:
    """Let an error about a field begin with the place of the ticker that has the field."""
    try:
        yield
    except TickerValidationError as error:
        if not place:
            raise
        raise error.at(place) from error
