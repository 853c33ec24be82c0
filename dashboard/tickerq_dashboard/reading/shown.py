"""All that the page of one object shows, read at about one moment."""

from dataclasses import dataclass
from datetime import datetime

from tickerq_celery import Cron, Run
from tickerq_celery.views import (
    AuditEntry,
    BulkJob,
    ChainTree,
    CronFigures,
    CronSummary,
    Explanation,
    FunctionView,
    Listing,
    RunExplanation,
    RunResult,
    RunSummary,
    Throughput,
    Timings,
)
from tickerq_dashboard.reading.held import HeldRuns
from tickerq_dashboard.reading.waiters import Waiters


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """A run, why it waits, what waits for it, what it returned, its cron ticker, its chain and audit."""

    run: Run
    explanation: RunExplanation | None
    waiters: tuple[Waiters, ...]
    result: RunResult | None
    cron: Cron | None
    chain: ChainTree | None
    audit: tuple[AuditEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CronPage:
    """A cron ticker, what it will do, how it has done, and its occurrences.

    ``explanation`` and ``coming`` are None where this machine cannot read the expression or the zone.
    """

    cron: Cron
    explanation: Explanation | None
    coming: tuple[datetime, ...] | None
    figures: CronFigures | None
    occurrences: Listing[RunSummary]
    audit: tuple[AuditEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkPage:
    """A bulk job, and who did what to it."""

    job: BulkJob
    audit: tuple[AuditEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionPage:
    """A function, how its runs went, which are held, and the cron tickers that name it."""

    function: FunctionView
    throughput: Throughput | None
    durations: Timings | None
    held: tuple[HeldRuns, ...] | None
    crons: Listing[CronSummary]
