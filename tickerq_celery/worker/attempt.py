"""One attempt at a run: its start, the function's body, and its end."""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from billiard.exceptions import WorkerLostError
from celery.exceptions import Ignore

from tickerq_celery.broker.messages import parsed_header
from tickerq_celery.enums import TickerStatus
from tickerq_celery.errors import ConfigError, StoreError, TerminateExecution
from tickerq_celery.functions.context import TickerContext
from tickerq_celery.functions.definition import Function
from tickerq_celery.functions.signature import Takes
from tickerq_celery.payload import results
from tickerq_celery.runs.rescue import log_lost
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.drop_reasons import DropReason
from tickerq_celery.tickers.lifecycle import Outcome, lost, succeeded
from tickerq_celery.tickers.timeouts import UNLIMITED, TimeLimits
from tickerq_celery.worker.body import call_body
from tickerq_celery.worker.completion import Completion
from tickerq_celery.worker.parts import WorkerParts
from tickerq_celery.worker.request import Dropped
from tickerq_celery.worker.run_control import RunControl
from tickerq_celery.worker.run_handle import ExecutingRun
from tickerq_celery.worker.verdict import Verdict, celery_exception, verdict_on

logger = logging.getLogger(__name__)


def start(parts: WorkerParts, function: Function, header: object) -> "RunningAttempt":
    """Start the claim that a message's header names, and return what runs it.

    Raises:
        Dropped: The message is stale, or its header is broken.
        Ignore: The store cannot be reached; the message comes again.
    """
    # Before the start: a run can be cancelled as soon as that is committed.
    seen = parts.cancel_flag.count
    return RunningAttempt(parts, function, _started(parts, header), seen=seen)


def _started(parts: WorkerParts, header: object) -> Started:
    try:
        ticker_id, claim_no = parsed_header(header)
    except ValueError as error:
        logger.warning("dropped a message with a broken ticker header: %s", error)
        raise Dropped(DropReason.BROKEN_HEADER) from error
    parts.child_marks.begin(ticker_id, claim_no)
    try:
        run = parts.recorder.start(ticker_id, claim_no)
        if run is not None:
            return run
        reason = parts.recorder.reason_against(ticker_id, claim_no)
        owner = None
        if reason is DropReason.OTHER_NAMESPACE:
            owner = parts.recorder.return_misrouted(ticker_id, claim_no)
    except StoreError as error:
        logger.error("run %s is not started: store unreachable (%s)", ticker_id, error)  # noqa: TRY400
        raise Ignore from error
    logger.info(
        "dropped a stale message of run %s, claim %d: %s", ticker_id, claim_no, reason.value,
        extra={"ticker_id": str(ticker_id)},
    )  # fmt: skip
    raise Dropped(reason, owner)


class RunningAttempt:
    """A started run in this process; ``seen`` is the cancel flag's count before the start."""

    def __init__(self, parts: WorkerParts, function: Function, run: Started, *, seen: int) -> None:
        self._parts = parts
        self._function = function
        self._run = run
        self._report = parts.reporting.begin(run)
        self._control = RunControl(parts.core, run, parts.cancel_flag, seen=seen)
        # Not a method of this object: the two would hold each other, in every attempt.
        self._succeeded = partial(_succeeded, run, payload_limit=parts.core.config.payload_limit)
        self._completion = Completion(parts.recorder, run, self._succeeded, self._report)
        self.returned: object = None

    def run(self, call: Callable[[], object], limits: TimeLimits) -> None:
        """Run what calls the body, and record how it ended; what it returns is ``returned`` from then on.

        ``limits`` are those of its task.

        Raises:
            Exception: What Celery is to report: Retry for a failed attempt that has a retry left, the
                body's own exception after the last, Ignore where it was skipped or superseded.
        """
        raised: Exception | None = None
        outcome: Outcome | None = None
        try:
            outcome = self._executed(call, limits)
        # The user's code: whatever it raises is the outcome.
        except Exception as error:  # noqa: BLE001
            raised = error
        except BaseException as error:
            # The process is to end: the attempt is lost, not failed, and uses up no retry. Of a child
            # its main process knows more: whether a time limit or a revocation ended it.
            if self._parts.recorder.is_in_main_process:
                self._lost(error)
            raise
        answer: Exception | None = None
        try:
            answer = self._record(outcome, raised)
            if answer is not None:
                raise answer
        finally:
            # The traceback of an exception holds this frame: a local that holds the exception would make a
            # cycle, and keep all that the body used until a full garbage collection.
            del answer, raised

    def call_body(self) -> object:
        """Return what the function's body returns."""
        stored = self._parts.core.codec.unpack(self._run.request)
        request = self._function.expected_request.decode(stored)
        context = self._context(None if self._function.signature.takes is Takes.PARAMETERS else request)
        return call_body(self._function, context, request, control=self._control, at_end=self._settle)

    def _executed(self, call: Callable[[], object], limits: TimeLimits) -> Outcome:
        parts, own = self._parts, self._run.timeouts
        if own != UNLIMITED and not parts.may_take_limited:
            raise ConfigError("timeout", "only a worker with a prefork pool can end what takes too long")
        with parts.reporting.during(self._report), parts.body_limits.body(own.limits(limits)):
            self.returned = call()
        return self._succeeded(self.returned)

    async def _settle(self) -> None:
        # What it writes is no part of the body any more.
        self._parts.body_limits.end()
        await self._completion.settle()

    def _context(self, request: object) -> TickerContext[Any]:
        run = self._run
        return TickerContext(
            id=run.id,
            parent_id=run.parent_id or run.cron_ticker_id,
            type=run.type,
            function_name=run.function,
            retry_count=run.standing.retry_count,
            is_late=run.standing.is_late,
            scheduled_for=run.execution_time,
            request=request,
            parent_result_bytes=run.parent_result,
            _handle=ExecutingRun(self._completion, self._report, self._control),
        )

    def _record(self, outcome: Outcome | None, raised: Exception | None) -> Exception | None:
        """Record how the body ended; return what to raise to Celery, None where all is well."""
        is_stored = self._completion.is_stored()
        if raised is not None and not is_stored:
            return self._failed(raised)
        if raised is not None:
            # Its effects are committed: another attempt would have them twice.
            logger.error(
                "run %s of %s raised after it was completed, and stays so", self._run.id, self._run.function,
                exc_info=raised, extra={"ticker_id": str(self._run.id)},
            )  # fmt: skip
            return None
        if outcome is None:
            raise AssertionError("a body that raised nothing has an outcome")
        if is_stored:
            _log_end(logger.info, self._run, outcome, self._completion.elapsed)
            return None
        if self._completion.was_asked_for:
            logger.warning(
                "run %s called complete_in and its transaction was not committed: ended as usual",
                self._run.id, extra={"ticker_id": str(self._run.id)},
            )  # fmt: skip
        self._finish(outcome)
        return None

    def _failed(self, error: Exception) -> Exception:
        core, run = self._parts.core, self._run
        verdict = verdict_on(error, run.standing, now=core.clock.now(), max_rescues=core.config.max_rescues)
        written = self._finish(verdict.outcome.redacted(core.redact))
        self._notify_handler(verdict, written)
        answer = celery_exception(verdict.error, written)
        if answer is not verdict.error:
            answer.__cause__ = error
        return answer

    def _notify_handler(self, verdict: Verdict, written: Outcome) -> None:
        handler, run = self._parts.handler, self._run
        if written.status is TickerStatus.CANCELLED and not isinstance(verdict.error, TerminateExecution):
            handler.cancelled(verdict.error, run.id, run.type)
        elif written.attempt_status is TickerStatus.FAILED and verdict.is_accident:
            handler.failed(verdict.error, run.id, run.type, is_final=written.is_failure)

    def _finish(self, outcome: Outcome) -> Outcome:
        run, elapsed = self._run, self._completion.elapsed
        written = self._parts.recorder.finish(run, outcome, elapsed=elapsed, report=self._report.pending())
        if written is not None:
            _log_end(logger.info, run, written, elapsed)
            return written
        _log_end(logger.warning, run, outcome, elapsed, ", which is not recorded: its claim was superseded")
        raise Dropped(DropReason.SUPERSEDED)

    def _lost(self, cause: BaseException) -> None:
        """Record the attempt as lost, and have the exception handler called for it."""
        run, parts = self._run, self._parts
        message = f"worker lost: {type(cause).__name__} while the function ran"
        outcome = lost(
            run.standing,
            on_lost=self._function.on_lost,
            max_rescues=parts.core.config.max_rescues,
            message=message,
        )
        try:
            if self._completion.is_stored():
                return
            written = parts.recorder.finish(run, outcome, elapsed=None, report=self._report.pending())
        except StoreError as error:
            logger.warning("run %s will be rescued by another process: %s", run.id, error)
            return
        if written is not None:
            log_lost(run, written, message)
            self._notify_of_loss(written, WorkerLostError(message))

    def _notify_of_loss(self, written: Outcome, error: WorkerLostError) -> None:
        handler, run = self._parts.handler, self._run
        if written.status is TickerStatus.CANCELLED:
            handler.cancelled(error, run.id, run.type)
        else:
            handler.failed(error, run.id, run.type, is_final=written.is_failure)


def _succeeded(run: Started, returned: object, *, payload_limit: int) -> Outcome:
    if not run.has_children:
        return succeeded(run.standing)
    result = results.written(returned, limit=payload_limit)
    reason = results.refusal(result)
    if reason is not None:
        logger.warning(
            "run %s of %s has a result that its children cannot be given: %s",
            run.id, run.function, reason, extra={"ticker_id": str(run.id)},
        )  # fmt: skip
    return succeeded(run.standing, result=result)


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
