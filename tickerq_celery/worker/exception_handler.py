"""The user's exception handler: found once, called after the outcome is stored, its errors logged."""

import asyncio
import inspect
import logging
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable
from uuid import UUID

from billiard.exceptions import WorkerLostError
from celery.utils.imports import import_from_cwd, symbol_by_name

from tickerq_celery.deferred import Deferred
from tickerq_celery.enums import TickerStatus, TickerType
from tickerq_celery.errors import ConfigError, TickerCancelled, TickerError
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.runs import runs
from tickerq_celery.tickers.views import Run
from tickerq_celery.wording import cause_of

if TYPE_CHECKING:
    from tickerq_celery.worker.event_loop import event_loop
else:
    event_loop = Deferred("tickerq_celery.worker.event_loop", "event_loop")

logger = logging.getLogger(__name__)
# The exception, the ticker's id and its type.
_IN_ORDER = 3


@runtime_checkable
class TickerExceptionHandler(Protocol):
    """Notified of every failed attempt and every cancelled run; the methods may be coroutines.

    A handler may have ``handle_final_failure``, too, with the same parameters: it is called after
    ``handle_exception`` where no attempt follows, as the run has ended as Failed. A method that has a further
    parameter ``run`` is given the Run as it is stored by then, and None where it cannot be read any more.
    """

    def handle_exception(self, exception: BaseException, ticker_id: UUID, ticker_type: TickerType) -> Any:
        """Handle a failed attempt; the run may be tried again."""

    def handle_canceled_exception(
        self, exception: BaseException, ticker_id: UUID, ticker_type: TickerType
    ) -> Any:
        """Handle a cancelled run."""


@runtime_checkable
class _HandlesFinalFailures(Protocol):
    """The method that a handler may have beside those that it must have."""

    def handle_final_failure(self, exception: BaseException, ticker_id: UUID, ticker_type: TickerType) -> Any:
        """Handle the last failure of a run, after ``handle_exception`` was called for it."""


def resolved_handler(handler: object) -> TickerExceptionHandler | None:
    """Return the handler that a setting stands for: an instance, a class, or a dotted path to either.

    Raises:
        ConfigError: It cannot be imported or made, or lacks a method.
    """
    if handler is None:
        return None
    if isinstance(handler, str):
        try:
            # As `celery -A` imports its app: also where the current folder is not on the path.
            handler = symbol_by_name(handler, imp=import_from_cwd)
        except (ImportError, AttributeError, ValueError) as error:
            raise ConfigError("exception_handler", f"cannot import {handler!r}: {error}") from error
    if inspect.isclass(handler):
        handler = _made(handler)
    if not isinstance(handler, TickerExceptionHandler):
        raise ConfigError(
            "exception_handler",
            f"{type(handler).__name__} needs handle_exception and handle_canceled_exception",
        )
    return handler


def _made(handler: type) -> object:
    try:
        return handler()
    except Exception as error:
        # The user's constructor: whatever it raises, the setting that names it is where to look.
        raise ConfigError(
            "exception_handler",
            f"{handler.__name__}() raised {cause_of(error)}; a class is called without "
            "arguments: pass an instance, or the dotted path to one, where it needs any",
        ) from error


class HandlerCaller:
    """Calls the handler so that whatever it does changes no run."""

    def __init__(self, handler: TickerExceptionHandler | None, core: Core) -> None:
        self._handler = handler
        self._core = core

    def reading(self, core: Core) -> "HandlerCaller":
        """Return one that calls the same handler, with runs of another core's store."""
        return HandlerCaller(self._handler, core)

    def lost(self, ticker_id: str, ticker_type: int, message: str, status: int) -> None:
        """Call it for an attempt whose own process could not, as a message says."""
        kind = TickerType(ticker_type)
        if status == TickerStatus.CANCELLED:
            self.cancelled(TickerCancelled(message), UUID(ticker_id), kind)
        else:
            is_final = status == TickerStatus.FAILED
            self.failed(WorkerLostError(message), UUID(ticker_id), kind, is_final=is_final)

    def failed(
        self, error: BaseException, ticker_id: UUID, ticker_type: TickerType, *, is_final: bool
    ) -> None:
        """Notify the handler of a failed attempt; ``is_final`` says that the run has ended with it."""
        if self._handler is None:
            return
        self._call(self._handler.handle_exception, error, ticker_id, ticker_type)
        if is_final and isinstance(self._handler, _HandlesFinalFailures):
            self._call(self._handler.handle_final_failure, error, ticker_id, ticker_type)

    def cancelled(self, error: BaseException, ticker_id: UUID, ticker_type: TickerType) -> None:
        """Notify the handler of a cancelled run."""
        if self._handler is not None:
            self._call(self._handler.handle_canceled_exception, error, ticker_id, ticker_type)

    def _call(self, method: Any, error: BaseException, ticker_id: UUID, ticker_type: TickerType) -> None:
        try:
            keywords = {"run": self._run(ticker_id)} if _takes_run(method) else {}
            result = method(error, ticker_id, ticker_type, **keywords)
            if inspect.iscoroutine(result):
                event_loop().run(result)
        except (Exception, asyncio.CancelledError):
            # The user's code and its event loop: the outcome is stored, and nothing that they raise may
            # change what is reported to Celery.
            logger.exception("the exception handler failed for run %s", ticker_id)

    def _run(self, ticker_id: UUID) -> Run | None:
        try:
            return self._core.read_bounded(runs.get, ticker_id, codec=self._core.codec)
        except TickerError as error:
            logger.warning("the exception handler gets no run %s: %s", ticker_id, cause_of(error))
            return None


def _takes_run(method: Any) -> bool:
    """Return True if a method has a parameter ``run`` besides the three that it is given in their order."""
    try:
        parameters = inspect.signature(method).parameters
    except (TypeError, ValueError):
        return False  # of a builtin
    return "run" in parameters and "run" not in list(parameters)[:_IN_ORDER]
