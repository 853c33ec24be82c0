"""Do one thing to cron tickers that were ticked: say before which, and afterwards what came of it."""

from collections.abc import Callable, Sequence
from operator import attrgetter

from flask import redirect
from werkzeug.wrappers import Response

from tickerq_celery import Cron
from tickerq_celery.errors import TickerChangedError, TickerError
from tickerq_dashboard.access.roles import ForbiddenError
from tickerq_dashboard.actions.refusing import Way, refused
from tickerq_dashboard.commands.crons_ticked import ActOnCrons, TickedCrons
from tickerq_dashboard.filters import CronsQuery
from tickerq_dashboard.parsing import query_of
from tickerq_dashboard.reading.paused import MOST_RUNS, held_under
from tickerq_dashboard.rendering import url_for
from tickerq_dashboard.show.crons_ticked import CRONS_BY_ACTION, CronsVerb, counted_crons
from tickerq_dashboard.show.outcomes import Refusal, plain_refusal_of, state_words
from tickerq_dashboard.show.pausing import held_words
from tickerq_dashboard.visits import Visit


def ask_crons(visit: Visit, command: TickedCrons) -> Response:
    """Show which cron tickers an action will change and which it will leave, with the form that does it."""
    verb = CRONS_BY_ACTION[command.action]
    if not visit.may(verb.permission):
        raise ForbiddenError(verb.permission)
    if not command.ids:
        return _refused(visit, verb, command, 422, "no cron ticker is ticked")
    crons = visit.dashboard.tickerq.cron_tickers.get_batch(command.ids)
    if not any(map(verb.fits, crons)):
        return _refused(visit, verb, command, 409, verb.none)
    return visit.page(
        "ask_crons.html",
        clock=visit.clock(),
        verb=verb,
        crons=crons,
        counted=counted_crons(verb, crons),
        held=_held(visit, verb, crons),
        missing=len(set(command.ids)) - len(crons),
        filter=command.filter,
        back=_list_of(command),
    )


def _held(visit: Visit, verb: CronsVerb, crons: Sequence[Cron]) -> str:
    """Return what becomes of the runs that the pauses of cron tickers hold, when these are resumed."""
    if verb.action != "resume":
        return ""
    keys = [str(each.id) for each in crons if verb.fits(each)]
    return held_words(held_under(visit.dashboard.reader, keys), MOST_RUNS)


def acting_on_crons(verb: CronsVerb) -> Callable[..., Response]:
    """Return what does an action to cron tickers, and leads to their list, which says what was done."""

    def act(visit: Visit, command: ActOnCrons) -> Response:
        if command.action != verb.action or not command.ids:
            return _refused(visit, verb, command, 422, "no cron ticker is ticked")
        did = str(command.operation_id)
        managers = visit.dashboard.tickerq.acting_as(visit.actor(did))
        try:
            attrgetter(verb.verb)(managers)(command.ids, **command.arguments)
        except TickerChangedError as error:
            return _refused(visit, verb, command, 409, _changed(visit, error))
        except TickerError as error:
            refusal = plain_refusal_of(error, verb.undone, "list of cron tickers", visit.clock())
            if refusal is None:
                raise
            return _refusal_page(visit, verb, command, refusal)
        return redirect(_list_of(command, did), 303)

    return act


def _changed(visit: Visit, error: TickerChangedError) -> str:
    """Return which of several has changed, as it may be any of them."""
    name = error.current.function if isinstance(error.current, Cron) else "one of them"
    return f"{name} has changed since you saw it, and {state_words(error.current, visit.clock())}"


def _refused(visit: Visit, verb: CronsVerb, command: TickedCrons, status: int, why: str) -> Response:
    return _refusal_page(visit, verb, command, Refusal(status=status, sentence=f"{verb.undone}: {why}."))


def _refusal_page(visit: Visit, verb: CronsVerb, command: TickedCrons, refusal: Refusal) -> Response:
    ways = [Way("Back to the list", _list_of(command))]
    return refused(visit, refusal, title=verb.undone, here="crons", ways=ways, before=None)


def _list_of(command: TickedCrons, did: str | None = None) -> str:
    """Return the address of the list in which they were ticked."""
    return url_for(".crons", did=did, **query_of(command.filter, CronsQuery).words)
