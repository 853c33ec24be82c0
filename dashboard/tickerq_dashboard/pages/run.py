"""The page of one run: its state, when, why; then its error, attempts, log, request and chain."""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from werkzeug.wrappers import Response

from tickerq_celery import Attempt, Cron, Run, TickerStatus, TickerType
from tickerq_celery.errors import TickerNotFoundError
from tickerq_celery.views import AuditEntry, FindingCode, Pause, RunExplanation, SubjectKind, WaitCause
from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.banner import Topic, topics_of
from tickerq_dashboard.pages.gone import gone
from tickerq_dashboard.reading.lost_runs import lost_workers
from tickerq_dashboard.show.actions import Action, offered
from tickerq_dashboard.show.attempts import attempt_error
from tickerq_dashboard.show.chains import in_order
from tickerq_dashboard.show.charts.gantt import Gantt, Span, gantt_of
from tickerq_dashboard.show.frames import Frame, own_frames
from tickerq_dashboard.show.helping import helping_of
from tickerq_dashboard.show.moments import Clock
from tickerq_dashboard.show.run_actions import FOR_LOST_RUNS, RUN_ACTIONS, TERMINATE
from tickerq_dashboard.show.statuses import LOOKS, Look, look_of
from tickerq_dashboard.show.words import request_of
from tickerq_dashboard.visits import Visit

PREFORK = "prefork"
LINES_SHOWN, ATTEMPTS_DRAWN, TO_COME = 200, 30, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """An attempt as it is shown: made, running, or to come; ``same`` says it failed as the one before."""

    number: int
    look: Look
    attempt: Attempt | None
    due: datetime
    started: datetime | None
    ended: datetime | None
    same: bool = False


def run(visit: Visit, run_id: UUID) -> Response:
    """Show one run with all that is kept of it."""
    try:
        found = visit.dashboard.reader.run(run_id)
    except TickerNotFoundError:
        page = gone(visit, "run", run_id, listing="runs")
        if page is None:
            raise
        return page
    clock = visit.clock()
    may_see = visit.visitor is not None and visit.visitor.may(Permission.PAYLOAD_VIEW)
    lost = lost_workers(visit.dashboard.reader, [found.run])
    rows = attempt_rows(found.run, lost)
    last = found.run.attempts[-1] if found.run.attempts else None
    pauses = _pauses(visit, found.run, found.explanation)
    return visit.page(
        "run.html",
        clock=clock,
        topics=tuple(_topics(found.run, found.cron, pauses)),
        run=found.run,
        lost=lost,
        is_killed=_can_be_killed(visit, found.run) and is_terminated(found.run, found.audit),
        explanation=found.explanation,
        # What is not the id of another run, however much it looks like one.
        known=f"{run_id} {found.run.concurrency_key} {found.run.function}",
        waiters=found.waiters,
        cron=found.cron,
        helping=helping_of(found.run, found.explanation, lost),
        pauses=pauses,
        chain=found.chain,
        chain_runs=() if found.chain is None else in_order(found.chain.runs),
        audit=found.audit if visit.visitor is not None and visit.visitor.may(Permission.AUDIT_VIEW) else (),
        may_see=may_see,
        request=request_of(found.run) if may_see else None,
        rows=rows,
        gantt=_gantt(rows, clock),
        frames=_frames(last) if may_see else [],
        last=last,
        kept_until=_kept_until(visit, found.run),
        actions=actions_of(visit, found.run, lost),
        lines=found.run.logs[-LINES_SHOWN:],
    )


def _pauses(visit: Visit, run: Run, explanation: RunExplanation | None) -> list[Pause]:
    """Return the pauses that hold a run, or would hold a retry of it, but that of its cron ticker."""
    waits = () if explanation is None else (*explanation.waits, *explanation.retry_waits)
    if not any(each.cause is WaitCause.PAUSE for each in waits):
        return []
    return visit.dashboard.reader.pauses_over(run.function, run.tags)


def _topics(run: Run, cron: Cron | None, pauses: list[Pause]) -> Iterator[Topic]:
    """Yield what the page says itself: what is wrong with a run, and the pauses that touch it."""
    yield Topic(SubjectKind.RUN, run.id)
    if cron is not None:
        yield Topic(SubjectKind.CRON_TICKER, cron.id, FindingCode.PAUSED)
    yield from topics_of(pauses)


def _kept_until(visit: Visit, run: Run) -> datetime | None:
    """Return until when the retention of this process keeps an ended run; None for ever, or if it goes on."""
    if run.ended_at is None:
        return None
    kept = visit.dashboard.tickerq.config.retention
    instant = run.execution_time if run.type is TickerType.CRON_TICKER_OCCURRENCE else None
    return kept.kept_until(run.function, run.status, run.ended_at, instant=instant)


def actions_of(visit: Visit, run: Run, lost: Container[UUID | None]) -> list[Action[Run]]:
    """Return what the visitor may do to a run as it is.

    Where its worker is lost no process is left to kill, and it may be released or marked as failed.
    """
    is_lost = run.running_on in lost
    found = offered(RUN_ACTIONS, visit.may, run)
    if TERMINATE in found and (is_lost or not _can_be_killed(visit, run)):
        found = [each for each in found if each is not TERMINATE]
    return [each for each in found if is_lost or each.slug not in FOR_LOST_RUNS]


def _can_be_killed(visit: Visit, run: Run) -> bool:
    """Whether the pool of a run's worker may have a process for it alone; an unknown worker may."""
    pools = {each.pool for each in visit.dashboard.reader.nodes() if each.name == run.node}
    return not pools or PREFORK in pools


def is_terminated(run: Run, audit: Iterable[AuditEntry]) -> bool:
    """Whether its process was asked to be killed since this attempt began, as far as the audit shows."""
    return run.cancel_requested and any(
        each.action == TERMINATE.verb
        and isinstance(each.after, dict)
        and each.after.get("cancel_request") == "terminate"
        and (run.started_at is None or each.at >= run.started_at)
        for each in audit
    )


def attempt_rows(run: Run, lost: Container[UUID | None] = ()) -> list[AttemptRow]:
    """Return the attempts in their order: those that ended, the one that runs, those that may come."""
    rows: list[AttemptRow] = []
    due = run.execution_time or run.created_at
    for attempt in run.attempts[-ATTEMPTS_DRAWN:]:
        before = rows[-1].attempt if rows else None
        same = (
            before is not None
            and bool(attempt.exception_type)
            and attempt_error(before) == attempt_error(attempt)
        )
        started = attempt.started_at or attempt.ended_at
        row = AttemptRow(
            number=attempt.number + 1,
            look=look_of(attempt),
            attempt=attempt,
            due=min(due, started),
            started=started,
            ended=attempt.ended_at,
            same=same,
        )
        rows.append(row)
        due = attempt.ended_at
    number = rows[-1].number + 1 if rows else 1
    if run.status is TickerStatus.IN_PROGRESS and run.started_at is not None:
        rows.append(
            AttemptRow(
                number=number,
                look=look_of(run, lost),
                attempt=None,
                due=min(due, run.started_at),
                started=run.started_at,
                ended=None,
            )
        )
        number, due = number + 1, run.started_at
    if run.status is TickerStatus.IDLE and run.next_attempt_at is not None and rows:
        rows += _to_come(run, number, due)
    return rows


def _to_come(run: Run, number: int, due: datetime) -> list[AttemptRow]:
    """Return the attempts that will be made if each fails: the next when it is due, the others after it."""
    rows: list[AttemptRow] = []
    moment, retry = run.next_attempt_at, run.retry_count
    # The next one may be given by a rescue, whatever retries are left.
    while moment is not None and (not rows or retry <= run.retries) and len(rows) < TO_COME:
        rows.append(
            AttemptRow(
                number=number,
                look=LOOKS[TickerStatus.IDLE],
                attempt=None,
                due=moment,
                started=None,
                ended=None,
            )
        )
        number, retry = number + 1, retry + 1
        wait = run.retry_intervals[min(retry, len(run.retry_intervals)) - 1] if run.retry_intervals else None
        moment = None if wait is None else moment + wait
    return rows


def _gantt(rows: Sequence[AttemptRow], clock: Clock) -> Gantt | None:
    spans = [Span(css=row.look.css, due=row.due, started=row.started, ended=row.ended) for row in rows]
    return gantt_of(spans, clock) if spans else None


def _frames(last: Attempt | None) -> list[Frame]:
    return own_frames(last.traceback) if last is not None and last.traceback else []
