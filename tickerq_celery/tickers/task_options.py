"""The options of a Celery task's call that a ticker decides, or that no publication could use."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from tickerq_celery import validation
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.payload.redaction import MASK
from tickerq_celery.tickers.gathering import Gathering
from tickerq_celery.tickers.kind_fields import refuse

_OF_THE_TICKER = {
    "countdown": "pass delay= of the ticker, in seconds or a timedelta",
    "eta": "pass execution_time= of the ticker, or at= of schedule, an aware datetime",
    "args": "pass args= of the ticker",
    "kwargs": "pass kwargs= of the ticker",
}
_BEATS_BROKER = "beat publishes the message, over its own connection to the broker of its app"
_OF_A_PROCESS = {
    "connection": _BEATS_BROKER,
    "producer": _BEATS_BROKER,
    "publisher": _BEATS_BROKER,
    "router": "beat publishes the message: set task_routes of the app, or pass queue=",
    "result_cls": "no result is returned: app.AsyncResult(run.task_id) is the result",
    "task_type": "pass the task as task= of the ticker",
}
_EXPIRES = "options.expires"
_LONGEST_EXPIRY = timedelta(days=3650)
_NO_EXPIRY = "pass a number of seconds, counted from the publication, or a datetime"


def refuse_options(options: Mapping[Any, Any]) -> None:
    """Refuse options that the ticker decides, and those that can never work.

    Raises:
        TickerValidationError: It names each, and shows no connection: that may hold a password.
    """
    with Gathering() as check:
        for name, reason in _OF_THE_TICKER.items():
            if options.get(name) is not None:
                check(refuse, f"options.{name}", options[name], reason)
        for name, reason in _OF_A_PROCESS.items():
            if options.get(name) is not None:
                check(refuse, f"options.{name}", MASK, reason)
        if options.get("expires") is not None:
            check(_check_expires, options["expires"])


def _check_expires(value: object) -> None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        validation.duration(_EXPIRES, value, least=validation.MORE_THAN_ZERO, most=_LONGEST_EXPIRY)
        return
    # As JSON has kept it.
    is_kept = isinstance(value, Mapping) and value.get("__type__") == "datetime"
    if isinstance(value, datetime) or is_kept:
        return
    try:
        datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError as error:
        raise TickerValidationError(_EXPIRES, value, _NO_EXPIRY) from error
