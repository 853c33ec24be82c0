"""The task base class: turns one message into at most one recorded attempt."""

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from billiard.exceptions import WorkerLostError
from celery import Task
from celery.exceptions import Ignore, MaxRetriesExceededError, Retry

from tickerq_celery import payload, results
from tickerq_celery.completion import Completion
from tickerq_celery.context import TickerContext
from tickerq_celery.core import Core
from tickerq_celery.drops import DropReason
from tickerq_celery.enums import TickerStatus
from tickerq_celery.errors import StoreError, TerminateExecution
from tickerq_celery.handler import HandlerCaller
from tickerq_celery.lifecycle import Failure, Outcome, lost, outcome_of, succeeded
from tickerq_celery.publisher import header_of, parsed_header
from tickerq_celery.recorder import Recorder, log_lost
from tickerq_celery.registry import Function
from tickerq_celery.reporting import Reporting
from tickerq_celery.request import Dropped
from tickerq_celery.store.claims import Started

if TYPE_CHECKING:
    _Task = Task[Any, Any]
else:  # Celery 5.5 cannot subscript it at run time
    _Task = Task

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collaborators:
    """What a ticker's task works with; its parts are called for, since they are made after the app."""

    function: Function
    recorder: Callable[[], Recorder]
    handler: Callable[[], HandlerCaller]
    core: Callable[[], Core]
    reporting: Callable[[], Reporting]


class TickerTask(_Task):
    """Records an attempt around a function's body; does nothing to messages that are not a ticker's.

    Celery hears what happened: Retry for a failed attempt that has a retry left, the body's own exception
    after the last, Ignore for a message that is stale.
    """

    abstract = True
    Request = "tickerq_celery.request:TickerRequest"
    collaborators: Collaborators

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        header = header_of(self.request.headers)
        if header is None:
            return super().__call__(*args, **kwargs)
        run = self._start(header)
        reporting = self.collaborators.reporting()
        report = reporting.begin(run)
        completion = Completion(self.collaborators.recorder(), run, self._succeeded, report)
        try:
            with reporting.during(report):
                context = self._context(run, completion)
                returned = self.collaborators.function.call(context, at_end=completion.settle)
            outcome = self._succeeded(run, returned)
        except Exception as error:  # noqa: BLE001 - the user's code: whatever it raises is the outcome
            self._raised(run, error, completion)
        except BaseException as error:
            # The process is told to go: the attempt is lost, not failed, and uses up no retry. Of a child
            # its main process knows more: whether a time limit or a revocation ended it.
            if self.collaborators.recorder().is_in_main_process:
                self._lost(run, error, completion)
            raise
        else:
            self._returned(run, outcome, completion)
        return None

    def retry(self, *args: Any, **kwargs: Any) -> Any:
        """Fail the attempt so that the store retries it; a ``countdown`` in seconds replaces the interval."""
        if header_of(self.request.headers) is None:
            return super().retry(*args, **kwargs)
        error = kwargs.get("exc")
        raise Retry(exc=error, when=kwargs.get("countdown")) from error

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

    def _context(self, run: Started, completion: Completion) -> TickerContext[Any]:
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
            request=payload.decode(stored, request_type=function.signature.request_type),
            parent_result_bytes=run.parent_result,
            _completion=completion,
            _reports=completion.report,
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

    def _raised(self, run: Started, error: Exception, completion: Completion) -> None:
        if not completion.is_stored():
            self._failed(run, error, completion)
        # Its effects are committed: another attempt would have them twice.
        logger.error(
            "run %s of %s raised after it was completed, and stays so", run.id, run.function,
            exc_info=error, extra={"ticker_id": str(run.id)},
        )  # fmt: skip

    def _failed(self, run: Started, error: Exception, completion: Completion) -> NoReturn:
        shown = _reason(error)
        outcome = _with_countdown(error, outcome_of(shown, _failure(shown), run.standing))
        self._finish(run, outcome, completion)
        self._tell_handler(shown, run, outcome)
        if outcome.wait is not None:
            raise _retry_of(shown, outcome.wait) from error
        if outcome.status is TickerStatus.FAILED:
            raise MaxRetriesExceededError("no retry is left") if isinstance(shown, Retry) else shown
        raise Ignore from error

    def _tell_handler(self, error: BaseException, run: Started, outcome: Outcome) -> None:
        if isinstance(error, TerminateExecution):
            return  # the function's own decision, not an accident
        handler = self.collaborators.handler()
        if outcome.attempt_status is TickerStatus.FAILED:
            handler.failed(error, run.id, run.type)
        elif outcome.attempt_status is TickerStatus.CANCELLED:
            handler.cancelled(error, run.id, run.type)

    def _finish(self, run: Started, outcome: Outcome, completion: Completion) -> None:
        elapsed, report = completion.elapsed, completion.report.pending()
        if self.collaborators.recorder().finish(run, outcome, elapsed=elapsed, report=report):
            _log_end(logger.info, run, outcome, elapsed)
            return
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
            accepted = self.collaborators.recorder().finish(
                run, outcome, elapsed=None, report=completion.report.pending()
            )
        except StoreError as error:
            logger.warning("run %s will be rescued by others: %s", run.id, error)
            return
        if accepted:
            log_lost(run, outcome, message)
            self.collaborators.handler().failed(WorkerLostError(message), run.id, run.type)


def _failure(error: BaseException) -> Failure:
    return Failure(
        type=f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins."),
        message=_text(error),
        traceback="".join(traceback.format_exception(error)),
    )


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the user's __str__
        return f"<{type(error).__name__} whose text cannot be made>"


def _reason(error: Exception) -> Exception:
    """Return what the body's ``retry`` was called for; any other error is its own reason."""
    if not isinstance(error, Retry):
        return error
    # Not `exc` first: that is a copy which can be pickled, sometimes of another type.
    reasons = (error.__cause__, error.exc, error.__context__)
    return next((reason for reason in reasons if isinstance(reason, Exception)), error)


def _retry_of(error: Exception, wait: timedelta) -> Retry:
    seconds: Any = wait.total_seconds()
    return Retry(exc=error, when=seconds)


def _with_countdown(error: Exception, outcome: Outcome) -> Outcome:
    """Return the outcome with the wait that ``self.retry(countdown=…)`` asked for."""
    wait: Any = error.when if isinstance(error, Retry) else None
    if not isinstance(wait, int | float) or not outcome.goes_on:
        return outcome
    return replace(outcome, wait=timedelta(seconds=max(0, wait)))


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


def drop_unaddressed(task: Any) -> NoReturn:
    """Be the body of a ticker's task for messages that name no ticker: somebody called it by hand."""
    logger.warning("dropped a message of %s that names no ticker", task.name)
    raise Dropped(DropReason.UNADDRESSED)
