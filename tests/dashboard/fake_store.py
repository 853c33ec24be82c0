"""A reader over lists of views, for as long as there is no TickerQ to ask."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from tickerq_celery import (
    Attempt,
    Cron,
    MisfirePolicy,
    OverlapPolicy,
    Run,
    TickerPriority,
    TickerStatus,
    TickerType,
)
from tickerq_celery.errors import InvalidCronError, TickerNotFoundError, TickerValidationError
from tickerq_celery.views import Page

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


def make_run(**changes) -> Run:
    fields = dict(
        id=uuid4(),
        namespace="default",
        type=TickerType.TIME_TICKER,
        function="SendWelcomeEmail",
        description=None,
        status=TickerStatus.IDLE,
        execution_time=NOW,
        executed_at=None,
        elapsed_ms=None,
        retries=3,
        retry_intervals=(60.0, 300.0, 900.0),
        retry_count=0,
        rescue_count=0,
        is_due=False,
        next_attempt_at=None,
        held_for=None,
        exception_type=None,
        exception_message=None,
        skipped_reason=None,
        lock_holder=None,
        parent_id=None,
        run_condition=None,
        cron_ticker_id=None,
        priority=TickerPriority.NORMAL,
        queue=None,
        tags=(),
        unique_key=None,
        request_bytes=None,
        created_at=NOW,
        updated_at=NOW,
    )
    return Run(**(fields | changes))


def make_cron(**changes) -> Cron:
    fields = dict(
        id=uuid4(),
        namespace="default",
        function="SendDailyDigest",
        description=None,
        expression="0 0 9 * * *",
        time_zone="UTC",
        day_or=False,
        is_enabled=True,
        paused_reason=None,
        paused_by=None,
        paused_at=None,
        is_seeded=True,
        seed_expression="0 0 9 * * *",
        misfire=MisfirePolicy.RUN_ONCE,
        misfire_limit=100,
        misfire_grace=None,
        overlap=OverlapPolicy.ALLOW,
        retries=0,
        retry_intervals=(30.0,),
        priority=TickerPriority.NORMAL,
        queue=None,
        tags=(),
        next_run_at=NOW,
        last_run_at=None,
        request_bytes=None,
        created_at=NOW,
        updated_at=NOW,
    )
    return Cron(**(fields | changes))


def make_attempt(**changes) -> Attempt:
    fields = dict(
        number=0,
        claim_no=1,
        status=TickerStatus.FAILED,
        started_at=NOW,
        finished_at=NOW + timedelta(seconds=2),
        exception_type="SMTPServerDisconnected",
        exception_message="Connection unexpectedly closed",
        traceback='Traceback (most recent call last):\n  File "jobs.py", line 12, in send\nSMTPServerDisconnected',
        node="worker@one",
    )
    return Attempt(**(fields | changes))


class FakeReader:
    def __init__(self, items: list) -> None:
        self.items = items

    def find(self, *, function=None, status=None, type=None, limit=50, cursor=None):
        start = self._start(cursor)
        items = [
            each
            for each in self.items
            if function in (None, each.function)
            and (status is None or each.status == status)
            and (type is None or each.type == type)
        ]
        page = items[start : start + limit]
        return Page(tuple(page), str(start + limit) if len(items) > start + limit else None)

    def get(self, ticker_id: UUID):
        for each in self.items:
            if each.id == ticker_id:
                return each
        raise TickerNotFoundError("ticker", ticker_id)

    def _start(self, cursor):
        try:
            return int(cursor) if cursor is not None else 0
        except ValueError as exc:
            raise TickerValidationError("cursor", cursor, "not a cursor") from exc


class FakeCrons(FakeReader):
    def __init__(self, items, runs):
        super().__init__(items)
        self.runs = runs

    def occurrences(self, cron_id, *, status=None, limit=50, cursor=None):
        return FakeReader([r for r in self.runs if r.cron_ticker_id == cron_id]).find(
            limit=limit, cursor=cursor
        )

    def preview(self, expression, *, time_zone="UTC", after=None, count=10):
        if "*" not in expression:
            raise InvalidCronError(expression, "it cannot be read")
        return [NOW + timedelta(days=n) for n in range(count)]


class FakeTickerQ:
    def __init__(self, runs=(), crons=()):
        self.runs = FakeReader(list(runs))
        self.cron_tickers = FakeCrons(list(crons), self.runs.items)
