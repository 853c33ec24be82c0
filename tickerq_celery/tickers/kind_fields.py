"""The fields that only tickers of functions have, or only those of Celery tasks, and why others have not."""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, get_type_hints

from tickerq_celery.enums import TickerKind
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.payload.redaction import discreet
from tickerq_celery.tickers.celery_task import CALL_FIELDS
from tickerq_celery.tickers.gathering import Gathering
from tickerq_celery.tickers.inputs import OfFunctions, OfTasks


def _instead(kind: type) -> dict[str, str]:
    """Return what tickers of the other kind have, by the names of the fields."""
    return {name: hint.__metadata__[0] for name, hint in get_type_hints(kind, include_extras=True).items()}


OF_FUNCTIONS = {
    "request": "a Celery task is given args= and kwargs=",
    **{name: f"a Celery task's own options rule: {each}" for name, each in _instead(OfFunctions).items()},
}
OF_TASKS = _instead(OfTasks)
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
