"""What the managers return: frozen values, read at one moment."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from tickerq_celery.enums import OnLost, RunCondition, TickerKind, TickerStatus
from tickerq_celery.payload.celery_call import call_parts
from tickerq_celery.payload.codec import StoredRequest
from tickerq_celery.tickers.chain_templates import Template, tickers_in
from tickerq_celery.tickers.inputs import TimeTicker
from tickerq_celery.tickers.summaries import CronSummary, RunState

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One execution of a run; ``number`` counts from 0, times are aware UTC.

    ``retries`` is Celery's count in the message of a Celery task, and 0 of a function's attempts.
    """

    number: int
    claim_no: int
    retries: int
    status: TickerStatus
    started_at: datetime | None
    ended_at: datetime
    exception_type: str | None
    exception_message: str | None
    traceback: str | None
    node: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A line that a function logged; ``attempt`` counts from 0, ``level`` is a name of ``logging``."""

    attempt: int
    at: datetime
    level: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(RunState):
    """A time ticker or a cron occurrence, with all that is kept of it.

    Of the call of a Celery task ``function`` is the task's name, ``task_id`` the id of its messages, by which
    ``AsyncResult`` finds its result, and ``on_lost`` what becomes of a run whose worker died; both are None
    for functions.
    """

    task_id: str | None
    on_lost: OnLost | None
    retry_intervals: tuple[timedelta, ...]
    timeout: timedelta | None
    hard_timeout: timedelta | None
    exception_message: str | None
    skipped_reason: str | None
    locked_at: datetime | None
    run_condition: RunCondition | None
    stored_request: StoredRequest = field(repr=False)
    attempts: tuple[Attempt, ...] = ()
    logs: tuple[LogLine, ...] = ()

    @property
    def request(self) -> Any:
        """The request as plain JSON values; None where there is none.

        Of the call of a Celery task they are its ``args``, ``kwargs`` and ``options``.

        Raises:
            UnreadableRequestError: No key of this process fits, or it is damaged.
        """
        value = self.stored_request.value
        return call_parts(value) if self.kind is TickerKind.CELERY_TASK else value

    @property
    def shown_request(self) -> Any:
        """The request as people may see it: what the setting ``redact`` names is masked."""
        return self.stored_request.codec.shown(self.request)


def shown_task_id(run_id: UUID, kind: TickerKind, task_id: str | None) -> str | None:
    """Return the id of the messages of a Celery task's run; None where it is a function's."""
    if kind is not TickerKind.CELERY_TASK:
        return None
    return str(run_id) if task_id is None else task_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron(CronSummary):
    """A cron ticker with all that it says of its occurrences; times are aware UTC."""

    on_lost: OnLost | None
    exclude: tuple[date, ...]
    jitter: timedelta
    resume_from: datetime | None
    resumed_at: datetime | None
    resumed_by: str | None
    resumed_reason: str | None
    misfire_limit: int
    misfire_grace: timedelta | None
    pause_on_failure: int | None
    retry_intervals: tuple[timedelta, ...]
    timeout: timedelta | None
    hard_timeout: timedelta | None
    stored_request: StoredRequest = field(repr=False)
    chain: Template | None = field(repr=False)

    @property
    def request(self) -> Any:
        """The request as plain JSON values; None where there is none.

        Raises:
            UnreadableRequestError: No key of this process fits, or it is damaged.
        """
        return self.stored_request.value

    @property
    def shown_request(self) -> Any:
        """The request as people may see it: what the setting ``redact`` names is masked."""
        return self.stored_request.shown

    @property
    def children(self) -> tuple[TimeTicker, ...]:
        """The chain that each occurrence gets a copy of, with requests as plain JSON values."""
        return tickers_in(self.chain, self.stored_request.codec)
