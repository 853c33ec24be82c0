"""ticker_function: remembers a function until an app is finalised, as Celery's shared_task does."""

from typing import TYPE_CHECKING

from celery import Celery, current_app
from celery._state import connect_on_app_finalize

from tickerq_celery.errors import ConfigError
from tickerq_celery.extension import TickerQ
from tickerq_celery.functions.decorating import FunctionDecorator
from tickerq_celery.functions.definition import Function
from tickerq_celery.settings import is_finalised

if TYPE_CHECKING:
    from tickerq_celery.managers.time_tickers.time_tickers import TimeTickerManager


def _hook_on(function: Function) -> None:
    """Register a function with the TickerQ of every app, those to come as well."""

    def register(app: Celery) -> None:
        tickerq = TickerQ.known(app)
        if tickerq is not None:
            tickerq.register(function)

    connect_on_app_finalize(register)
    for tickerq in TickerQ.living():
        # Those whose app takes no more pending decorators.
        if is_finalised(tickerq.app):
            tickerq.register(function)


def _current_manager() -> "TimeTickerManager":
    """Return the manager of the current app, or of the only TickerQ there is.

    Celery's current app is each thread's own, and the threads of a web server have none.

    Raises:
        ConfigError: There is no TickerQ, or there are several.
    """
    current = TickerQ.known(current_app)
    others = TickerQ.living()
    if current is None and len(others) > 1:
        apps = ", ".join(sorted(each.app.main or "an unnamed app" for each in others))
        raise ConfigError(
            "app",
            f"this thread has no current Celery app, and there are several with a TickerQ ({apps}): "
            "call set_current() of the one that is meant, or its TickerQ's time_tickers.add",
        )
    found = others[0] if current is None and others else current
    return TickerQ.of(current_app).time_tickers if found is None else found.time_tickers


ticker_function: FunctionDecorator = FunctionDecorator(_hook_on, _current_manager)
"""Registers the decorated function with every app that has a TickerQ, without naming one."""
