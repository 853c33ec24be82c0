"""What managers return: frozen values, each field of a type that says when it is none."""

from datetime import datetime, timedelta
from typing import Any, assert_type
from uuid import UUID

from tickerq_celery import (
    Attempt,
    Cron,
    Run,
    RunCondition,
    TickerPriority,
    TickerQ,
    TickerStatus,
    TickerType,
    TimeTicker,
)
from tickerq_celery.enums import HoldReason, OverlapPolicy, PauseKind
from tickerq_celery.views import BackfillPreview, Count, FunctionName, Page, Pause


def read(run: Run) -> None:
    assert_type(run.id, UUID)
    assert_type(run.type, TickerType)
    assert_type(run.status, TickerStatus)
    assert_type(run.priority, TickerPriority)
    assert_type(run.published_at, datetime | None)
    assert_type(run.started_at, datetime | None)
    assert_type(run.ended_at, datetime | None)
    assert_type(run.elapsed, timedelta | None)
    assert_type(run.retry_intervals, tuple[timedelta, ...])
    assert_type(run.timeout, timedelta | None)
    assert_type(run.is_late, bool)
    assert_type(run.held_for, HoldReason | None)
    assert_type(run.run_condition, RunCondition | None)
    assert_type(run.attempts, tuple[Attempt, ...])
    assert_type(run.request, Any)
    if run.ended_at is not None and run.elapsed is not None:
        assert_type(run.ended_at - run.elapsed, datetime)

    timedelta.total_seconds(run.elapsed)  # refused: arg-type | reportArgumentType
    run.elapsed.total_seconds()  # refused: union-attr | reportOptionalMemberAccess
    run.is_due()  # refused: attr-defined | reportAttributeAccessIssue,reportUnknownMemberType
    run.description = "changed"  # refused: misc | reportAttributeAccessIssue


def read_definition(cron: Cron, pause: Pause, page: Page[Cron]) -> None:
    assert_type(cron.every, timedelta | None)
    assert_type(cron.jitter, timedelta)
    assert_type(cron.overlap, OverlapPolicy)
    assert_type(cron.next_run_at, datetime | None)
    assert_type(cron.children, tuple[TimeTicker, ...])
    assert_type(pause.kind, PauseKind)
    assert_type(len(page), int)

    page.append(cron)  # refused: attr-defined | reportAttributeAccessIssue,reportUnknownMemberType
    read(cron)  # refused: arg-type | reportArgumentType


def newer_verbs(tickerq: TickerQ, cron: Cron, since: datetime, until: datetime) -> None:
    assert_type(tickerq.cron_tickers.backfill_preview(cron.id, since, until), BackfillPreview)
    assert_type(tickerq.functions.queue_of("send"), str | None)
    assert_type(tickerq.functions.names("mail"), tuple[FunctionName, ...])
    with tickerq.reading_within(2.2):
        assert_type(tickerq.runs.counts().due_crons, Count)

    tickerq.reading_within("2.2")  # refused: arg-type | reportArgumentType
