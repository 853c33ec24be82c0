"""The page of what is to come: by function, what collides, and the next runs one by one."""

from datetime import datetime

from flask import redirect
from werkzeug.wrappers import Response

from tickerq_dashboard.filters import TYPED_MOMENTS
from tickerq_dashboard.rendering import url_for
from tickerq_dashboard.show.charts.lanes import lanes_of
from tickerq_dashboard.show.collisions import MINUTE, collisions_of
from tickerq_dashboard.show.moments import Clock, machine
from tickerq_dashboard.texts import Unreadable
from tickerq_dashboard.typed_moments import coming_moment
from tickerq_dashboard.upcoming_filters import UpcomingQuery
from tickerq_dashboard.visits import Visit

HOURS = (1, 6, 24, 168)
ROWS_SHOWN = 100
_LABELS = {"since": "From", "until": "To"}


def upcoming(visit: Visit, query: UpcomingQuery) -> Response:
    """Show what is to come, stored and computed."""
    complaint, clock = "", visit.clock()
    if query.is_typed:
        try:
            return redirect(url_for(".upcoming", **_timed(query, clock)))
        except Unreadable as error:
            complaint = str(error)
    marks = visit.dashboard.cursors
    cursor = None if query.cursor is None else marks.opened(query.cursor)
    found, until = visit.dashboard.reader.upcoming_page(query, cursor), query.ends(clock.now)
    is_page = cursor is not None or found.next_cursor is not None
    return visit.page(
        "upcoming.html",
        clock=clock,
        query=query,
        hours=HOURS,
        found=found,
        shown=found.items if is_page else found.items[:ROWS_SHOWN],
        is_page=is_page,
        older=marks.signed(found.next_cursor),
        until=until,
        # An address may ask until a moment that has passed: what is due since then is to come, too.
        lanes=lanes_of(found.items, query.since or min(clock.now, until - MINUTE), until, clock),
        collisions=collisions_of(found),
        complaint=complaint,
        status=422 if complaint else 200,
    )


def _timed(query: UpcomingQuery, clock: Clock) -> dict[str, object]:
    """Return what is asked with the span that was typed, which replaces one that was asked before.

    Raises:
        Unreadable: A moment cannot be read, or the span ends before it begins.
    """
    typed: dict[str, datetime] = {}
    for field, key in TYPED_MOMENTS.items():
        text = getattr(query, field)
        if text:
            try:
                typed[key] = coming_moment(text, clock)
            except Unreadable as error:
                raise Unreadable(f"{_LABELS[key]}: {error}") from None
    if "until" in typed and typed["until"] <= typed.get("since", clock.now):
        raise Unreadable("To: write a moment that is later than the first, and than now.")
    kept = {name: value for name, value in query.words.items() if name not in _LABELS}
    return kept | {key: machine(moment) for key, moment in typed.items()}
