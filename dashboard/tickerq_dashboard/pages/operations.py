"""The pages about the system itself: errors, functions, nodes, health, settings, audit."""

from urllib.parse import urlencode
from uuid import UUID

from flask import redirect
from flask.globals import request_ctx
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.wrappers import Response

from tickerq_celery import TickerStatus
from tickerq_celery.enums import NodeKind
from tickerq_celery.views import FindingCode, NodeView, SubjectKind
from tickerq_dashboard.audit_filters import AUDITED, AuditQuery
from tickerq_dashboard.banner import Topic, topics_of
from tickerq_dashboard.filters import FunctionsQuery, OverviewQuery
from tickerq_dashboard.problems import UnknownPageError
from tickerq_dashboard.reading.failures import first_seen
from tickerq_dashboard.reading.lost_runs import left_by, runs_on_lost
from tickerq_dashboard.reading.windows import DEFAULT, OF_ALL
from tickerq_dashboard.rendering import url_for
from tickerq_dashboard.routing import SAFE
from tickerq_dashboard.search import SearchError, timed
from tickerq_dashboard.show.audited import ACTIONS
from tickerq_dashboard.show.statuses import LOOKS
from tickerq_dashboard.visits import Visit

GROUPS_SHOWN = 100


def errors(visit: Visit, query: OverviewQuery) -> Response:
    """Show the failures of a window, grouped by exception and function."""
    reader, window = visit.dashboard.reader, OF_ALL[query.window]
    since = window.since(reader.now())
    read, uncounted = reader.tickerq.errors.groups, reader.uncounted()
    found = reader.cached(
        ("errors", window.slug),
        lambda: read(since=since, limit=GROUPS_SHOWN, step=window.step, uncounted=uncounted),
        fresh=3.0,
    )
    return visit.page(
        "errors.html",
        clock=visit.clock(),
        found=found,
        first=first_seen(reader, uncounted) if found.groups else None,
        window=window,
        windows=OF_ALL.values(),
    )


def functions(visit: Visit, query: FunctionsQuery) -> Response:
    """Show the functions that workers registered, and those that something waits for."""
    marks = visit.dashboard.cursors
    cursor = None if query.cursor is None else marks.opened(query.cursor)
    page, clock = visit.dashboard.reader.functions(query.prefix or None, cursor), visit.clock()
    return visit.page(
        "functions.html",
        clock=clock,
        page=page,
        since=DEFAULT.since(clock.now),
        query=query,
        pauses=visit.dashboard.reader.pauses(),
        paused_crons=visit.dashboard.reader.paused_crons(),
        older=marks.signed(page.next_cursor),
    )


def pauses(visit: Visit) -> Response:
    """Show what is paused: functions, tags or everything, and cron tickers on their own."""
    reader = visit.dashboard.reader
    pauses, crons = reader.pauses(), reader.paused_crons()
    return visit.page(
        "pauses.html",
        clock=visit.clock(),
        topics=(*topics_of(pauses), *(_paused(each.id) for each in crons)),
        pauses=pauses,
        paused_crons=crons,
    )


def _paused(cron_id: UUID) -> Topic:
    return Topic(SubjectKind.CRON_TICKER, cron_id, FindingCode.PAUSED)


def _executes(node: NodeView) -> dict[str, str]:
    """Return the words of the list of runs that a worker executes now."""
    return {"node": node.name, "status": LOOKS[TickerStatus.IN_PROGRESS].css}


def nodes(visit: Visit) -> Response:
    """Show the beats and workers, those that were lost, and what is still in progress on these."""
    reader = visit.dashboard.reader
    found, lost, orphans = reader.nodes(), reader.lost_nodes(), runs_on_lost(reader)
    present = {each.id for each in found}
    return visit.page(
        "nodes.html",
        clock=visit.clock(),
        topics=[Topic(SubjectKind.NODE, node) for node in present],
        executes=_executes,
        beats=[each for each in found if each.kind is NodeKind.BEAT],
        workers=[each for each in found if each.kind is NodeKind.WORKER],
        lost_nodes=lost,
        left=left_by(orphans),
        present=present,
        known=present | {each.id for each in lost},
        orphans=orphans,
    )


def health(visit: Visit) -> Response:
    """Show all that the health report found, with what to do about it."""
    known = visit.dashboard.watch.look()
    return visit.page("health.html", clock=visit.clock(), known=known, roles_with=visit.roles_with)


def settings(visit: Visit) -> Response:
    """Show with what this process works, secrets masked, when history was cleaned up, and what it takes."""
    reader = visit.dashboard.reader
    cleaners = [each for each in reader.nodes() if each.pruned_at is not None]
    return visit.page(
        "settings.html",
        clock=visit.clock(),
        report=reader.settings(),
        # The one that has done so last.
        cleaner=max(cleaners, key=lambda node: node.pruned_at or node.started_at, default=None),
        prunes=reader.tickerq.config.auto_prune,
    )


def audit(visit: Visit, query: AuditQuery) -> Response:
    """Show who did what."""
    complaint = ""
    if query.is_typed:
        try:
            return redirect(url_for(".audit", **timed(query, visit.clock())))
        except SearchError as error:
            complaint = str(error)
    marks, page = visit.dashboard.cursors, None
    if not complaint:
        cursor = None if query.cursor is None else marks.opened(query.cursor)
        page = visit.dashboard.reader.audit(query.criteria, cursor)
    return visit.page(
        "audit.html",
        clock=visit.clock(),
        page=page,
        query=query,
        kinds=AUDITED,
        actions=ACTIONS,
        filter=urlencode(query.words),
        complaint=complaint,
        older=None if page is None else marks.signed(page.next_cursor),
        status=422 if complaint else 200,
    )


def unknown(visit: Visit, address: str) -> Response:
    """Answer an address that is no page, or no page to look at, once the guard has let the visitor in.

    Raises:
        MethodNotAllowed: Another method has it.
        UnknownPageError: No row has it.
    """
    adapter = request_ctx.url_adapter
    # An address with doubled slashes does not exist, whatever the one without them is for.
    if adapter is not None and "//" not in address:
        others = set(adapter.allowed_methods()) - SAFE
        if others:
            raise MethodNotAllowed(sorted({*others, "OPTIONS"}))
    raise UnknownPageError(address)
