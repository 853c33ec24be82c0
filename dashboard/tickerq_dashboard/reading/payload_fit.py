"""Whether a stored payload still fits what its function takes, where this process has the function."""

from dataclasses import dataclass
from typing import Any

from tickerq_celery import Cron, Run, TickerQ
from tickerq_celery.errors import TickerValidationError, UnreadableRequestError
from tickerq_dashboard.show.words import is_call


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadFit:
    """Which fields of a payload do not fit: their paths alone, as a value may be a secret."""

    function: str
    misfits: tuple[str, ...]


def payload_fit(tickerq: TickerQ, ticker: Run | Cron) -> PayloadFit | None:
    """Return how a stored payload fits; None for a task's call, an unknown function or what is unreadable."""
    if is_call(ticker):
        return None
    try:
        stored: Any = ticker.stored_request.value
        is_known = tickerq.functions.check_request(ticker.function, stored)
    except TickerValidationError as error:
        misfits = tuple(each.field.replace("[", ".").replace("]", "") for each in (error, *error.others))
        return PayloadFit(function=ticker.function, misfits=misfits)
    except (UnreadableRequestError, ValueError, RecursionError):
        return None
    return PayloadFit(function=ticker.function, misfits=()) if is_known else None
