"""The lists of runs: what is active, what comes, and what has ended."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from flask import redirect
from werkzeug.wrappers import Response

from tickerq_celery.enums import HoldReason
from tickerq_celery.views import Listing, RunSummary
from tickerq_dashboard.payload_rights import check_filter
from tickerq_dashboard.reading.finding import is_id_prefix, is_name
from tickerq_dashboard.reading.lost_runs import lost_workers
from tickerq_dashboard.reading.paused import pause_of_tag
from tickerq_dashboard.reading.queued_runs import queue_words
from tickerq_dashboard.reading.reader import or_none
from tickerq_dashboard.rendering import url_for
from tickerq_dashboard.run_filters import RunsQuery
from tickerq_dashboard.search import KEYS, SearchError, run_id_in, searched, typed_function, words_in
from tickerq_dashboard.show.bulk import verbs_of
from tickerq_dashboard.visits import Visit

WORDS = {"active": "Now", "upcoming": "Upcoming", "history": "History"}
LISTINGS = {"active": "runs_active", "upcoming": "runs_upcoming", "history": "runs"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """How many runs the first page of another list has with the same filters; ``has_more``: it goes on."""

    word: str
    endpoint: str
    runs: int
    has_more: bool


def listing(name: str) -> Callable[[Visit, RunsQuery], Response]:
    """Return the page of one list of runs."""

    def show(visit: Visit, query: RunsQuery) -> Response:
        if query.is_typed:
            return _search(visit, name, query)
        return _list(visit, name, query)

    return show


def _list(visit: Visit, name: str, query: RunsQuery) -> Response:
    check_filter(visit, query)
    reader, marks = visit.dashboard.reader, visit.dashboard.cursors
    cursor = None if query.cursor is None else marks.opened(query.cursor)
    page = reader.runs(name, query.criteria, cursor)
    return _shown(
        visit,
        name,
        query,
        page=page,
        lost=lost_workers(reader, page),
        in_queues=queue_words(reader, page),
        elsewhere=()
        if page or page.looked_back_to or cursor or not query.words
        else list(_elsewhere(visit, name, query)),
        verbs=verbs_of(name, visit.may) if page else (),
        filter=urlencode(query.words, doseq=True),
        newer=marks.signed(page.previous_cursor),
        older=marks.signed(page.next_cursor),
    )


def _refused(visit: Visit, name: str, query: RunsQuery, complaint: str) -> Response:
    """Say why nothing was searched, and list nothing, since that would pass for what was found."""
    words = words_in(query.q)
    return _shown(
        visit, name, query, status=422, complaint=complaint, keys=KEYS, findable=query.q if words else ""
    )


def _shown(visit: Visit, name: str, query: RunsQuery, **more: Any) -> Response:
    return visit.page(
        "runs.html",
        clock=visit.clock(),
        name=name,
        endpoint=LISTINGS[name],
        query=query,
        word=WORDS[name],
        reasons=HoldReason,
        tag_pause=pause_of_tag(visit.dashboard.reader, query.tag),
        **{"complaint": "", **more},
    )


def _elsewhere(visit: Visit, name: str, query: RunsQuery) -> Iterator[Elsewhere]:
    """Yield what the other lists have of what this one has not, if they were read to their ends."""
    for other, endpoint in LISTINGS.items():
        page = None if other == name else or_none(partial(_first, visit, other, query))
        if page is not None and (page or page.looked_back_to is None):
            more = page.next_cursor is not None
            yield Elsewhere(word=WORDS[other], endpoint=endpoint, runs=len(page), has_more=more)


def _first(visit: Visit, name: str, query: RunsQuery) -> Listing[RunSummary]:
    return visit.dashboard.reader.runs(name, query.criteria, None)


def _search(visit: Visit, name: str, query: RunsQuery) -> Response:
    """Answer the search box: lead to the run whose id it has, or to the list with the filters it sets."""
    run_id = run_id_in(query.q)
    if run_id is not None:
        return redirect(url_for(".run", run_id=run_id))
    if is_id_prefix(query.q.strip()):
        return redirect(url_for(".find", q=query.q.strip()))
    try:
        words = searched(query, visit.clock())
    except SearchError as error:
        return _refused(visit, name, query, str(error))
    typed = typed_function(query.q)
    if typed and not is_name(visit.dashboard.reader, typed):
        # Who types a part of a name means what begins so.
        words |= {"function": None, "function_prefix": typed}
    return redirect(url_for(f".{LISTINGS[name]}", **words))
