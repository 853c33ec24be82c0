"""What was typed into "Find": it leads to what it names, to filtered runs, or to a choice."""

from uuid import UUID

from flask import redirect
from werkzeug.wrappers import Response

from tickerq_celery.errors import TickerNotFoundError
from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.filters import FindQuery
from tickerq_dashboard.reading.finding import WINDOW, Found, found_by
from tickerq_dashboard.rendering import url_for
from tickerq_dashboard.search import FOUND, run_id_in, words_in
from tickerq_dashboard.visits import Visit


def find(visit: Visit, query: FindQuery) -> Response:
    """Lead to what a text names; show a choice where that is more than one thing, and without a text how."""
    if not query.q:
        return _shown(visit, "", Found())
    whole = run_id_in(query.q)
    if whole is not None:
        return redirect(_of_id(visit, whole))
    words = words_in(query.q)
    if not words:
        return redirect(url_for(".runs", q=query.q))
    found = found_by(visit.dashboard.reader, words)
    if not found.kinds and len(words) == 1:
        return redirect(url_for(".runs", function_prefix=words[0]))
    if not found.kinds and visit.may(Permission.PAYLOAD_VIEW):
        return redirect(url_for(".runs", status="failed", error=query.q.strip()))
    only = _only(found)
    if only is not None:
        return redirect(only)
    return _shown(visit, words[0] if len(words) == 1 else query.q.strip(), found, is_one=len(words) == 1)


def _shown(visit: Visit, text: str, found: Found, *, is_one: bool = True) -> Response:
    """Show what a word or several name; of several, where their message stands in failures, too."""
    return visit.page(
        "find.html", clock=visit.clock(), word=text, found=found, window=WINDOW, what=FOUND, is_one=is_one
    )


def _of_id(visit: Visit, found: UUID) -> str:
    """Return the address of a whole id: of a cron ticker, or else of a run."""
    try:
        visit.dashboard.tickerq.runs.get(found)
    except TickerNotFoundError:
        pass
    else:
        return url_for(".run", run_id=found)
    try:
        visit.dashboard.tickerq.cron_tickers.get(found)
    except TickerNotFoundError:
        return url_for(".run", run_id=found)
    return url_for(".cron", cron_id=found)


def _only(found: Found) -> str | None:
    """Return the address of the one thing that was found."""
    match found.kinds:
        case ("functions",) if len(found.functions) == 1:
            return url_for(".function", name=found.functions[0])
        case ("crons",) if len(found.crons) == 1:
            return url_for(".cron", cron_id=found.crons[0].id)
        case ("runs",) if len(found.runs) == 1:
            return url_for(".run", run_id=found.runs[0].id)
        case ("errors",) if len(found.errors) == 1:
            return url_for(".runs", status="failed", error_type=found.errors[0].name)
        case ("nodes",) if len(found.nodes) == 1:
            return url_for(".nodes", _anchor=f"n{found.nodes[0].id}")
    return None
