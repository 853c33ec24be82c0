"""Pause and resume a function, a tag or everything: asked for on a page, done by a form."""

from collections.abc import Callable

from flask import redirect
from werkzeug.wrappers import Response

from tickerq_celery.enums import PauseKind
from tickerq_celery.errors import TickerError, TickerNotFoundError, UnknownFunctionError
from tickerq_celery.views import Pause
from tickerq_dashboard.actions.refusing import Way, last_done, refused
from tickerq_dashboard.commands.pauses import PauseScope, ResumeScope, Scoped
from tickerq_dashboard.filters import ScopeQuery
from tickerq_dashboard.reading.paused import (
    MOST_CRONS,
    MOST_RUNS,
    Still,
    covered_by,
    held_under,
    known_function,
    pause_of,
    still_over,
)
from tickerq_dashboard.rendering import url_for
from tickerq_dashboard.show.outcomes import Refusal, plain_refusal_of, state_words
from tickerq_dashboard.show.pausing import counted, held_words, pause_effect, resume_effect
from tickerq_dashboard.show.words import scope_words
from tickerq_dashboard.visits import Visit


def ask_pause(visit: Visit, query: ScopeQuery) -> Response:
    """Show what a pause will hold, with the form that makes it."""
    reader, kind, name = visit.dashboard.reader, query.kind, query.name
    there = pause_of(reader.tickerq.pauses.find(), kind, name)
    if there is not None:
        return _refused(visit, "Not paused", kind, name, 409, state_words(there, visit.clock()))
    covered = covered_by(reader, kind, name)
    effect = pause_effect(
        kind,
        counted(covered.crons, MOST_CRONS, "cron ticker"),
        counted(covered.waiting, MOST_RUNS, "run"),
        counted(covered.claimed, MOST_RUNS, "run"),
    )
    return _asked(visit, query, "pause_scope", effect)


def ask_resume(visit: Visit, query: ScopeQuery) -> Response:
    """Show what the end of a pause will start, and what holds on, with the form that ends it."""
    found = visit.dashboard.tickerq.pauses.find()
    there = pause_of(found, query.kind, query.name)
    if there is None:
        words = f"{scope_words(query.kind, query.name)} is not paused"
        return _refused(visit, "Not resumed", query.kind, query.name, 409, words)
    reader = visit.dashboard.reader
    still = still_over(reader, there, found)
    effect = resume_effect(held_words(held_under(reader, [there.key]), MOST_RUNS))
    return _asked(visit, query, "resume_scope", effect, pause=there, still=still)


def pause_scope(visit: Visit, command: PauseScope) -> Response:
    """Pause, and lead to where that is shown."""
    return _done(visit, command, command.apply, "Not paused")


def resume_scope(visit: Visit, command: ResumeScope) -> Response:
    """Resume, and lead to where that is shown."""
    return _done(visit, command, command.apply, "Not resumed")


def _asked(
    visit: Visit,
    query: ScopeQuery,
    route: str,
    effect: str,
    *,
    pause: Pause | None = None,
    still: Still | None = None,
) -> Response:
    return visit.page(
        "ask_pause.html",
        clock=visit.clock(),
        kind=query.kind,
        name=query.name,
        words=scope_words(query.kind, query.name),
        route=route,
        effect=effect,
        pause=pause,
        still=still,
        back=_back(visit, query.kind, query.name),
    )


def _done(visit: Visit, command: Scoped, apply: Callable[..., object], undone: str) -> Response:
    did, clock = str(command.operation_id), visit.clock()
    words = scope_words(command.kind, command.name)
    try:
        apply(visit.dashboard.tickerq.acting_as(visit.actor(did)))
    except TickerNotFoundError:
        return _refused(visit, undone, command.kind, command.name, 409, f"{words} is not paused")
    except UnknownFunctionError:
        known = f"no worker ever registered {words}, and no ticker names it"
        return _refused(visit, undone, command.kind, command.name, 422, known)
    except TickerError as error:
        refusal = plain_refusal_of(error, undone, "pause", clock)
        if refusal is None:
            raise
        return _refusal(visit, undone, command.kind, command.name, refusal)
    return redirect(_back(visit, command.kind, command.name, did), 303)


def _refused(visit: Visit, undone: str, kind: str, name: str, status: int, why: str) -> Response:
    return _refusal(visit, undone, kind, name, Refusal(status=status, sentence=f"{undone}: {why}."))


def _refusal(visit: Visit, undone: str, kind: str, name: str, refusal: Refusal) -> Response:
    ways = [Way("See what is paused", url_for(".pauses"))]
    if kind == PauseKind.FUNCTION and known_function(visit.dashboard.reader, name) is not None:
        ways.insert(0, Way("Open the function", url_for(".function", name=name)))
    before = last_done(visit, kind, name)
    return refused(visit, refusal, title=undone, here="functions", ways=ways, before=before)


def _back(visit: Visit, kind: str, name: str, did: str | None = None) -> str:
    """Return the address of the page that shows the pause: the function's, where there is one."""
    if kind == PauseKind.FUNCTION and known_function(visit.dashboard.reader, name) is not None:
        return url_for(".function", name=name, did=did)
    return url_for(".pauses", did=did)
