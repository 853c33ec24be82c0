"""The page of one run: its state, when, why; then its error, attempts, log, request and chain."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from werkzeug.wrappers import Response

from tickerq_celery import Attempt, Cron, Run, TickerStatus, TickerType
from tickerq_celery.errors import TickerNotFoundError
from tickerq_celery.views import AuditEntry, FindingCode, Pause, RunExplanation, SubjectKind, WaitCause
from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.banner import Topic, topics_of
from tickerq_dashboard.pages.gone import gone
from tickerq_dashboard.reading.lost_runs import last_seen, lost_workers
from tickerq_dashboard.reading.reader import keeps_result
from tickerq_dashboard.reading.shown import RunPage
from tickerq_dashboard.show.actions import Action, offered
from tickerq_dashboard.show.attempt_rows import AttemptRow, attempt_rows
from tickerq_dashboard.show.chains import in_order
from tickerq_dashboard.show.charts.gantt import Gantt, Span, gantt_of
from tickerq_dashboard.show.end_requests import EndRequest, end_request_of
from tickerq_dashboard.show.frames import Frame, own_frames
from tickerq_dashboard.show.heads import Button, Head, button_of, head_of
from tickerq_dashboard.show.helping import CLONE, helping_of
from tickerq_dashboard.show.moments import Clock
from tickerq_dashboard.show.run_actions import FOR_LOST_RUNS, RUN_ACTIONS, TERMINATE
from tickerq_dashboard.show.words import request_of, result_of
from tickerq_dashboard.visits import Visit

PREFORK = "prefork"
LINES_SHOWN = 200


def run(visit: Visit, run_id: UUID) -> Response:
    """Show one run with all that is kept of it."""
    try:
        found = visit.dashboard.reader.run(run_id)
    except TickerNotFoundError:
        page = gone(visit, "run", run_id, listing="runs")
        if page is None:
            raise
        return page
    return _page(visit, found)


def _page(visit: Visit, found: RunPage) -> Response:
    clock = visit.clock()
    lost = lost_workers(visit.dashboard.reader, [found.run])
    seen_at = last_seen(visit.dashboard.reader, found.run.running_on) if lost else None
    rows = attempt_rows(found.run, clock.now, lost=lost, seen=seen_at)
    last = found.run.attempts[-1] if found.run.attempts else None
    pauses = _pauses(visit, found.run, found.explanation)
    actions, helping = actions_of(visit, found.run, lost), helping_of(found.run, found.explanation, lost)
    return visit.page(
        "run.html",
        clock=clock,
        topics=tuple(_topics(found.run, found.cron, pauses)),
        run=found.run,
        lost=lost,
        seen_at=seen_at,
        asked=_asked(visit, found, clock),
        killers=visit.roles_with(Permission.RUNS_TERMINATE),
        has_process=_can_be_killed(visit, found.run),
        explanation=found.explanation,
        # What is not the id of another run, however much it looks like one.
        known=f"{found.run.id} {found.run.concurrency_key} {found.run.function}",
        waiters=found.waiters,
        cron=found.cron,
        helping=helping,
        pauses=pauses,
        chain=found.chain,
        chain_runs=() if found.chain is None else in_order(found.chain.runs),
        audit=found.audit if visit.may(Permission.AUDIT_VIEW) else (),
        returns=keeps_result(found.run),
        rows=rows,
        gantt=_gantt(rows, clock),
        last=last,
        kept_until=_kept_until(visit, found.run),
        head=_head(visit, found.run, actions, helping, clock),
        may_terminate=TERMINATE in actions,
        lines=found.run.logs[-LINES_SHOWN:],
        **_payloads(visit, found, last),
    )


def _payloads(visit: Visit, found: RunPage, last: Attempt | None) -> Mapping[str, Any]:
    """Return what only those see who may see payloads."""
    if not visit.may(Permission.PAYLOAD_VIEW):
        return {"request": None, "misfits": None, "result": None, "frames": ()}
    return {
        "request": request_of(found.run),
        "misfits": visit.dashboard.reader.misfits(found.run),
        "result": result_of(found.result),
        "frames": _frames(last),
    }


def _asked(visit: Visit, found: RunPage, clock: Clock) -> EndRequest | None:
    is_kill = _can_be_killed(visit, found.run) and is_terminated(found.run, found.audit)
    return end_request_of(found.run, clock.now, is_kill=is_kill, after=visit.dashboard.tickerq.config.lease)


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


def _head(visit: Visit, run: Run, actions: Sequence[Action[Run]], helping: str | None, clock: Clock) -> Head:
    links = []
    if visit.may(Permission.TICKERS_CREATE):
        links.append(Button(slug=CLONE, word="Clone and edit \N{HORIZONTAL ELLIPSIS}", route="clone_run"))
    is_editable = run.type is TickerType.TIME_TICKER and run.status is TickerStatus.IDLE
    if visit.may(Permission.TICKERS_EDIT) and is_editable:
        links.append(Button(slug="edit", word="Edit \N{HORIZONTAL ELLIPSIS}", route="edit_run"))
    buttons = [*links, *(button_of(each, "run", run, clock) for each in actions)]
    return head_of(buttons, main=helping, most=2)


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


def _gantt(rows: Sequence[AttemptRow], clock: Clock) -> Gantt | None:
    spans = [
        Span(css=row.look.css, due=row.due, started=row.started, ended=row.ended or row.seen) for row in rows
    ]
    return gantt_of(spans, clock) if spans else None


def _frames(last: Attempt | None) -> list[Frame]:
    return own_frames(last.traceback) if last is not None and last.traceback else []
