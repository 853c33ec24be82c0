"""The fields that only tickers of functions have, or only those of Celery tasks, and why others have not."""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from tickerq_celery.enums import TickerKind
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.payload.redaction import discreet
from tickerq_celery.tickers.celery_task import CALL_FIELDS
from tickerq_celery.tickers.gathering import Gathering

_OWN = "a Celery task's own options rule"
_REQUEST = "a ticker function is given a request, or named by a call of it: function=send.s(…)"
OF_FUNCTIONS = {
    "request": "a Celery task is given args= and kwargs=",
    "retries": f"{_OWN}: max_retries and autoretry_for of @app.task, and self.retry",
    "retry_intervals": f"{_OWN}: default_retry_delay and retry_backoff of @app.task, and self.retry",
    "timeout": f"{_OWN}: soft_time_limit of @app.task, or options={{'soft_time_limit': …}}",
    "hard_timeout": f"{_OWN}: time_limit of @app.task, or options={{'time_limit': …}}",
    "concurrency_key": f"{_OWN}: rate_limit of @app.task, and the concurrency of its queue's workers",
}
OF_TASKS = {
    "args": _REQUEST,
    "kwargs": _REQUEST,
    "options": "they are a Celery task's, task=…",
    "on_lost": "it is an option of the ticker function itself: @ticker_function(on_lost=…)",
}
_EMPTY: tuple[object, ...] = (None, (), {})
_of_tasks = attrgetter(*OF_TASKS)
_UNSET: tuple[object, ...] = ((), {}, {}, None)
# What the request of a row is made of, by its kind: the rest may change while that cannot be read.
REQUEST_IS_CHECKED: Mapping[TickerKind, frozenset[str]] = {
    TickerKind.FUNCTION: frozenset({"function", "request"}),
    TickerKind.CELERY_TASK: frozenset({"task", *CALL_FIELDS}),
}


def refuse_fields_of_functions(ticker: Any) -> None:
    """Refuse what a ticker of a Celery task cannot have.

    Raises:
        TickerValidationError: It names each such field, and shows no value whose name may be a secret's.
    """
    refuse_keywords_of_functions({name: getattr(ticker, name) for name in OF_FUNCTIONS})


def refuse_keywords_of_functions(keywords: Mapping[str, object]) -> None:
    """Refuse the same fields as keywords.

    Raises:
        TickerValidationError: It names each such field, and shows no value whose name may be a secret's.
    """
    _refuse({name: keywords[name] for name in OF_FUNCTIONS if keywords.get(name) is not None}, OF_FUNCTIONS)


def has_fields_of_tasks(ticker: Any) -> bool:
    """Return True if a ticker may have what one of a function cannot have: it is not left as it was."""
    return _of_tasks(ticker) != _UNSET


def refuse_fields_of_tasks(ticker: Any) -> None:
    """Refuse what a ticker of a function cannot have.

    Raises:
        TickerValidationError: It names each such field, and shows no value whose name may be a secret's.
    """
    if has_fields_of_tasks(ticker):
        given = {name: getattr(ticker, name) for name in OF_TASKS}
        _refuse({name: value for name, value in given.items() if value not in _EMPTY}, OF_TASKS)


def _refuse(given: Mapping[str, object], reasons: Mapping[str, str]) -> None:
    with Gathering() as check:
        for name, value in given.items():
            check(refuse, name, value, reasons[name])


def refuse(field: str, value: object, reason: str) -> None:
    """Refuse a field.

    Raises:
        TickerValidationError: Always; it shows no value whose name may be a secret's.
    """
    raise TickerValidationError(field, discreet([field], value), reason)
