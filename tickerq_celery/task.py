"""The task base class: turns one message into at most one recorded attempt."""

import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from billiard.exceptions import WorkerLostError
from celery import Task
from celery.exceptions import Ignore, SoftTimeLimitExceeded

from tickerq_celery.broker.messages import header_of, parsed_header, task_name
from tickerq_celery.enums import DropReason, TickerStatus
from tickerq_celery.errors import ConfigError, StoreError, TerminateExecution
from tickerq_celery.functions.context import TickerContext
from tickerq_celery.functions.definition import Function
from tickerq_celery.payload import requests, results
from tickerq_celery.runs.recorder import Recorder
from tickerq_celery.runs.rescue import log_lost
from tickerq_celery.runtime.core import Core
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.lifecycle import Outcome, lost, succeeded
from tickerq_celery.worker.cancellation import Bell, RunControl
from tickerq_celery.worker.completion import Completion
from tickerq_celery.worker.exception_handler import HandlerCaller
from tickerq_celery.worker.reporting import Reporting
from tickerq_celery.worker.request import Dropped
from tickerq_celery.worker.verdict import Verdict, asked_retry, told_to_celery, verdict_on

logger = logging.getLogger(__name__)
if TYPE_CHECKING:
    _Task = Task[Any, Any]
else:  # Celery 5.5 cannot subscript it at run time
    _Task = Task


T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Collaborators:
    """What a ticker's task works with; its parts are called for, since they are made after the app."""

    function: Function
    recorder: Callable[[], Recorder]
    handler: Callable[[], HandlerCaller]
    core: Callable[[], Core]
    reporting: Callable[[], Reporting]
    bell: Callable[[], Bell]


class TickerTask(_Task):
    """Records an attempt around a function's body; does nothing to messages that are not a ticker's.

    Celery hears what happened: Retry for a failed attempt that has a retry left, the body's own exception
    after the last, Ignore for a message that is stale.
    """

    abstract = True
    Request = "tickerq_celery.worker.request:TickerRequest"
    collaborators: Collaborators

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        header = header_of(self.request.headers)
        if header is None:
            return super().__call__(*args, **kwargs)
        # Before the start: a run can be asked to end as soon as that is committed.
        heard = self.collaborators.bell().rings
        run = self._start(header)
        reporting = self.collaborators.reporting()
        report = reporting.begin(run)
        control = RunControl(self.collaborators.core(), run, self.collaborators.bell(), heard=heard)
        completion = Completion(self.collaborators.recorder(), run, self._succeeded, report)
        try:
            self._refuse_timeouts()
            with reporting.during(report):
                context = self._context(run, completion, control)
                function = self.collaborators.function
                returned = function.call(context, control=control, at_end=completion.settle)
            outcome = self._succeeded(run, returned)
        # The user's code: whatever it raises is the outcome.
        except Exception as error:
            told = _concluded(partial(self._raised, run, error, completion))
            if told is error:
                raise
            if told is not None:
                raise told from error
        except BaseException as error:
            # The process is told to go: the attempt is lost, not failed, and uses up no retry. Of a child
            # its main process knows more: whether a time limit or a revocation ended it.
            if self.collaborators.recorder().is_in_main_process:
                self._lost(run, error, completion)
            raise
        else:
            _concluded(partial(self._returned, run, outcome, completion))
        return None

    def retry(self, *args: Any, **kwargs: Any) -> Any:
        """Fail the attempt so that the store retries it; the arguments are Celery's.

        A ``countdown`` in seconds, or an ``eta``, takes the place of the retry interval, ``max_retries`` that
        of the ticker's ``retries``. With ``throw=False`` the exception is returned, and is to be raised.

        Raises:
            TickerValidationError: The wait is longer than 30 days, or no wait, or ``max_retries`` no number.
        """
        if header_of(self.request.headers) is None:
            return super().retry(*args, **kwargs)
        asked = inspect.signature(super().retry).bind(*args, **kwargs).arguments
        error = asked_retry(asked, now=self.collaborators.core().clock.now())
        if asked.get("throw", True):
            raise error
        return error

    def _refuse_timeouts(self) -> None:
        limits_of_message = self.request.timelimit or ()
        if any(limits_of_message) and self.collaborators.recorder().is_in_main_process:
            raise ConfigError("timeout", "only a worker with a prefork pool can end what takes too long")

    def _start(self, header: object) -> Started:
        try:
            ticker_id, claim_no = parsed_header(header)
        except ValueError as error:
            logger.warning("dropped a message with a broken ticker header: %s", error)
            raise Dropped(DropReason.BROKEN_HEADER) from error
        try:
            run = self.collaborators.recorder().start(ticker_id, claim_no)
            if run is not None:
                return run
            reason = self.collaborators.recorder().reason_against(ticker_id, claim_no)
        except StoreError as error:
            logger.error("run %s waits for its next message: %s", ticker_id, error)  # noqa: TRY400
            raise Ignore from error
        logger.info(
            "dropped a stale message of run %s, claim %d: %s", ticker_id, claim_no, reason.value,
            extra={"ticker_id": str(ticker_id)},
        )  # fmt: skip
        raise Dropped(reason)

    def _context(self, run: Started, completion: Completion, control: RunControl) -> TickerContext[Any]:
        function = self.collaborators.function
        stored = self.collaborators.core().codec.unpack(run.request)
        return TickerContext(
            id=run.id,
            parent_id=run.parent_id or run.cron_ticker_id,
            type=run.type,
            function_name=run.function,
            retry_count=run.standing.retry_count,
            is_due=run.standing.is_due,
            scheduled_for=run.execution_time,
            request=requests.decode(stored, request_type=function.signature.request_type),
            parent_result_bytes=run.parent_result,
            _completion=completion,
            _reports=completion.report,
            _control=control,
        )

    def _succeeded(self, run: Started, returned: object) -> Outcome:
        if not run.has_children:
            return succeeded(run.standing)
        result = results.written(returned, limit=self.collaborators.core().config.payload_limit)
        reason = results.refusal(result)
        if reason is not None:
            logger.warning(
                "run %s of %s has a result that its children cannot be given: %s",
                run.id, run.function, reason, extra={"ticker_id": str(run.id)},
            )  # fmt: skip
        return succeeded(run.standing, result=result)

    def _returned(self, run: Started, outcome: Outcome, completion: Completion) -> None:
        if completion.is_stored():
            _log_end(logger.info, run, outcome, completion.elapsed)
            return
        if completion.was_asked_for:
            logger.warning(
                "run %s called complete_in and its transaction was not committed: ended as usual", run.id,
                extra={"ticker_id": str(run.id)},
            )  # fmt: skip
        self._finish(run, outcome, completion)

    def _raised(self, run: Started, error: Exception, completion: Completion) -> Exception | None:
        """Record what the body raised; return what Celery is to hear, None where all is well."""
        if not completion.is_stored():
            return self._failed(run, error, completion)
        # Its effects are committed: another attempt would have them twice.
        logger.error(
            "run %s of %s raised after it was completed, and stays so", run.id, run.function,
            exc_info=error, extra={"ticker_id": str(run.id)},
        )  # fmt: skip
        return None

    def _failed(self, run: Started, error: Exception, completion: Completion) -> Exception:
        core = self.collaborators.core()
        verdict = verdict_on(error, run.standing, now=core.clock.now(), max_rescues=core.config.max_rescues)
        written = self._finish(run, verdict.outcome, completion)
        self._tell_handler(verdict, run, written)
        return told_to_celery(verdict.error, written)

    def _tell_handler(self, verdict: Verdict, run: Started, written: Outcome) -> None:
        handler = self.collaborators.handler()
        if written.status is TickerStatus.CANCELLED and not isinstance(verdict.error, TerminateExecution):
            handler.cancelled(verdict.error, run.id, run.type)
        elif written.attempt_status is TickerStatus.FAILED and verdict.is_accident:
            handler.failed(verdict.error, run.id, run.type)

    def _finish(self, run: Started, outcome: Outcome, completion: Completion) -> Outcome:
        elapsed, report = completion.elapsed, completion.report.pending()
        written = self.collaborators.recorder().finish(run, outcome, elapsed=elapsed, report=report)
        if written is not None:
            _log_end(logger.info, run, written, elapsed)
            return written
        _log_end(logger.warning, run, outcome, elapsed, ", which is not recorded: its claim was superseded")
        raise Dropped(DropReason.SUPERSEDED)

    def _lost(self, run: Started, cause: BaseException, completion: Completion) -> None:
        message = f"worker lost: {type(cause).__name__} while the function ran"
        outcome = lost(
            run.standing,
            on_lost=self.collaborators.function.on_lost,
            max_rescues=self.collaborators.core().config.max_rescues,
            message=message,
        )
        try:
            if completion.is_stored():
                return
            written = self.collaborators.recorder().finish(
                run, outcome, elapsed=None, report=completion.report.pending()
            )
        except StoreError as error:
            logger.warning("run %s will be rescued by others: %s", run.id, error)
            return
        if written is not None:
            log_lost(run, written, message)
            handler = self.collaborators.handler()
            tell = handler.cancelled if written.status is TickerStatus.CANCELLED else handler.failed
            tell(WorkerLostError(message), run.id, run.type)


def _concluded(conclude: Callable[[], T]) -> T:
    """Record how a body ended, once more where a time limit strikes only now: the body has ended in time."""
    try:
        return conclude()
    except SoftTimeLimitExceeded:
        return conclude()


def _log_end(
    log: Callable[..., None], run: Started, outcome: Outcome, elapsed: timedelta, more: str = ""
) -> None:
    log(
        "run %s of %s %s after %.3f s%s",
        run.id, run.function, _ending(outcome), elapsed.total_seconds(), more,
        extra={"ticker_id": str(run.id), "claim_no": run.claim_no},
    )  # fmt: skip


def _ending(outcome: Outcome) -> str:
    if outcome.wait is not None:
        return f"failed ({outcome.failure.type if outcome.failure else ''}), next attempt in {outcome.wait}"
    return f"ended {outcome.status.name}"


def task_options(collaborators: Collaborators) -> dict[str, Any]:
    """Return the options of the Celery task that runs a function."""
    function = collaborators.function
    return {
        "base": TickerTask,
        "name": task_name(function.name),
        "shared": False,
        "bind": True,
        "ignore_result": True,
        "acks_late": False,
        "serializer": "json",
        "max_retries": None,
        "soft_time_limit": function.timeouts.soft,
        "time_limit": function.timeouts.kill_after,
        "collaborators": collaborators,
    }


def drop_unaddressed(task: Any) -> NoReturn:
    """Be the body of a ticker's task for messages that name no ticker: somebody called it by hand."""
    logger.warning("dropped a message of %s that names no ticker", task.name)
    raise Dropped(DropReason.UNADDRESSED)
