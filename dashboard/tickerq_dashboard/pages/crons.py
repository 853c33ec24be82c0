"""The pages of cron tickers: the list, the next to fire first, and one with all that it will do."""

from collections.abc import Sequence
from urllib.parse import urlencode
from uuid import UUID

from werkzeug.wrappers import Response

from tickerq_celery import Cron, TimeTicker
from tickerq_celery.errors import TickerNotFoundError, UnreadableRequestError
from tickerq_celery.views import CronFigures, SubjectKind
from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.banner import Topic, topics_of
from tickerq_dashboard.filters import CronsQuery, ListQuery
from tickerq_dashboard.pages.gone import gone
from tickerq_dashboard.reading.paused import pause_of_tag
from tickerq_dashboard.show.actions import offered
from tickerq_dashboard.show.charts.strip import spark_path, strip_of
from tickerq_dashboard.show.cron_actions import CRON_ACTIONS
from tickerq_dashboard.show.cron_looks import cron_look, lacks_worker
from tickerq_dashboard.show.crons_ticked import crons_verbs_of
from tickerq_dashboard.show.heads import Button, Head, button_of, head_of
from tickerq_dashboard.show.instants import instants_of
from tickerq_dashboard.show.moments import Clock
from tickerq_dashboard.show.policies import policies_of
from tickerq_dashboard.show.words import request_of
from tickerq_dashboard.visits import Visit


def crons(visit: Visit, query: CronsQuery) -> Response:
    """Show the cron tickers."""
    reader, marks = visit.dashboard.reader, visit.dashboard.cursors
    cursor = None if query.cursor is None else marks.opened(query.cursor)
    page = reader.crons("by_name" if query.order == "name" else "by_next_run", query.criteria, cursor)
    figures, there = reader.cron_figures(page), _functions_there(visit)
    return visit.page(
        "crons.html",
        clock=visit.clock(),
        page=page,
        query=query,
        tag_pause=pause_of_tag(reader, query.tag),
        figures=figures,
        looks={each.id: cron_look(each, there) for each in page},
        strips={each: strip_of(figure.outcomes) for each, figure in figures.items()},
        verbs=crons_verbs_of(visit.may) if page else (),
        filter=urlencode(query.words),
        newer=marks.signed(page.previous_cursor),
        older=marks.signed(page.next_cursor),
    )


def cron(visit: Visit, cron_id: UUID, query: ListQuery) -> Response:
    """Show one cron ticker: its words, its next instants in both zones, its policies and its occurrences."""
    marks = visit.dashboard.cursors
    cursor = None if query.cursor is None else marks.opened(query.cursor)
    try:
        found = visit.dashboard.reader.cron(cron_id, cursor)
    except TickerNotFoundError:
        page = gone(visit, "cron_ticker", cron_id, listing="crons")
        if page is None:
            raise
        return page
    clock, there = visit.clock(), _functions_there(visit)
    pauses = visit.dashboard.reader.pauses_over(found.cron.function, found.cron.tags)
    may = () if visit.visitor is None else visit.visitor.permissions
    return visit.page(
        "cron.html",
        clock=clock,
        cron=found.cron,
        policies=list(policies_of(found.cron, clock)),
        chain=_chain(found.cron),
        topics=(Topic(SubjectKind.CRON_TICKER, cron_id), *topics_of(pauses)),
        look=cron_look(found.cron, there),
        lacks_worker=lacks_worker(found.cron, there),
        warnings=() if found.explanation is None else found.explanation.warnings,
        is_readable=found.explanation is not None,
        instants=instants_of(found.explanation, found.coming or (), found.cron.time_zone, clock),
        figures=found.figures,
        strip=strip_of(() if found.figures is None else found.figures.outcomes),
        mean=_mean(found.figures),
        durations=spark_path(_seconds(found.figures)),
        page=found.occurrences,
        newer=marks.signed(found.occurrences.previous_cursor),
        older=marks.signed(found.occurrences.next_cursor),
        request=request_of(found.cron) if Permission.PAYLOAD_VIEW in may else None,
        misfits=visit.dashboard.reader.misfits(found.cron) if Permission.PAYLOAD_VIEW in may else None,
        head=_head(visit, found.cron, clock),
        pauses=pauses,
        audit=found.audit if Permission.AUDIT_VIEW in may else (),
    )


def _head(visit: Visit, cron: Cron, clock: Clock) -> Head:
    buttons = [button_of(each, "cron", cron, clock) for each in offered(CRON_ACTIONS, visit.may, cron)]
    if visit.may(Permission.CRONS_RUN):
        buttons.insert(
            0, Button(slug="backfill", word="Backfill \N{HORIZONTAL ELLIPSIS}", route="backfill_cron")
        )
    if visit.may(Permission.CRONS_EDIT):
        # Beside what pauses it and what runs it: these three are in the row.
        buttons.insert(-2, Button(slug="edit", word="Edit \N{HORIZONTAL ELLIPSIS}", route="edit_cron"))
    return head_of(buttons, main="run-now", most=3)


def _chain(cron: Cron) -> Sequence[TimeTicker]:
    """Return what each run starts; nothing where this process cannot read its payloads."""
    try:
        return cron.children
    except UnreadableRequestError:
        return ()


def _functions_there(visit: Visit) -> frozenset[str]:
    """Return the functions that live workers have."""
    nodes = visit.dashboard.reader.nodes()
    return frozenset(name for node in nodes if node.takes_runs for name in node.functions)


def _seconds(figures: CronFigures | None) -> list[float]:
    """Return how long each of the last instants ran, the newest last."""
    took = () if figures is None else (each.elapsed for each in figures.outcomes)
    return [each.total_seconds() for each in took if each is not None]


def _mean(figures: CronFigures | None) -> object:
    return None if figures is None else figures.mean_duration
