"""Whether a stored payload still fits what its function takes, where this process has the function."""

import logging
from dataclasses import dataclass
from typing import Any

from tickerq_celery import Cron, Run, TickerQ
from tickerq_celery.errors import TickerValidationError, UnreadableRequestError
from tickerq_dashboard.problem_details import path_of
from tickerq_dashboard.show.words import is_call

logger = logging.getLogger(__name__)


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
        misfits = tuple(path_of(each.field) for each in (error, *error.others))
        return PayloadFit(function=ticker.function, misfits=misfits)
    except UnreadableRequestError:
        return None
    except Exception:
        # Validators of the user's model raise what they like: the page has more to show than this.
        logger.exception("the payload of a run of %s could not be checked", ticker.function)
        return None
    return PayloadFit(function=ticker.function, misfits=()) if is_known else None
