"""Ask for an act, do it by the core's verb, and lead to what came of it."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any
from uuid import UUID

from flask import redirect
from werkzeug.wrappers import Response

from tickerq_celery import Cron, Run, TickerStatus
from tickerq_celery.errors import TickerError, TickerNotFoundError
from tickerq_celery.views import ChainTree, Pause, RunSummary
from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.actions.refusing import Way, last_done, refused
from tickerq_dashboard.commands.command import Command
from tickerq_dashboard.reading.lost_runs import lost_workers
from tickerq_dashboard.reading.paused import MOST_RUNS, held_under
from tickerq_dashboard.reading.reader import or_none
from tickerq_dashboard.rendering import url_for
from tickerq_dashboard.show.failing import failing_words, is_paused_by_failures
from tickerq_dashboard.show.outcomes import AnyAction, Refusal, refusal_of, state_words
from tickerq_dashboard.show.pausing import held_words
from tickerq_dashboard.visits import Visit

Thing = Run | Cron | ChainTree
_RESUME = "cron_tickers.resume"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A kind of object: how people and the audit call it, and where its page and its list are.

    ``listed`` is what that list is of, ``head`` whose name and description stand for an object.
    """

    noun: str
    kind: str
    page: str
    list: str
    listed: str
    id_name: str
    read: Callable[[Visit, UUID], Thing]
    head: Callable[[Any], Run | RunSummary | Cron] = lambda thing: thing

    @property
    def path(self) -> str:
        """The address of an object, as a rule of Werkzeug."""
        return f"/{self.page}s/<uuid:{self.id_name}>"


def asking(target: Target, action: AnyAction) -> Callable[..., Response]:
    """Return the page that shows what an action will do to an object, with the form that does it."""

    def ask(visit: Visit, **ids: UUID) -> Response:
        object_id, clock = ids[target.id_name], visit.clock()
        try:
            thing = target.read(visit, object_id)
        except TickerNotFoundError as error:
            return _refused(visit, target, action, object_id, error)
        if not action.fits(thing):  # type: ignore[arg-type]  # a target's actions fit its objects
            sentence = f"{action.undone}: {state_words(thing, clock)}."
            return _refusal_page(visit, target, action, object_id, Refusal(status=409, sentence=sentence))
        return _asked(visit, target, action, object_id, thing)

    return ask


def doing(target: Target, action: AnyAction) -> Callable[..., Response]:
    """Return what does an action, by a form of its own model.

    It leads to the object's page, or to its list where the object is gone.
    """

    def do(visit: Visit, command: Command, **ids: UUID) -> Response:
        object_id, did = ids[target.id_name], str(command.operation_id)
        untyped = _untyped(visit, target, action, object_id, command)
        if untyped is not None:
            return untyped
        managers = visit.dashboard.tickerq.acting_as(visit.actor(did))
        try:
            attrgetter(action.verb)(managers)(object_id, **command.arguments)
        except TickerError as error:
            return _refused(visit, target, action, object_id, error)
        if action.removes:
            return redirect(url_for(f".{target.list}", did=did), 303)
        return redirect(url_for(f".{target.page}", did=did, **ids), 303)

    do.__annotations__["command"] = action.command
    return do


def _asked(
    visit: Visit,
    target: Target,
    action: AnyAction,
    object_id: UUID,
    thing: Thing,
    *,
    error: str = "",
    reason: str | None = None,
) -> Response:
    clock = visit.clock()
    return visit.page(
        "ask.html",
        clock=clock,
        status=422 if error else 200,
        target=target,
        action=action,
        thing=thing,
        still=_still(visit, action, thing),
        held=_held(visit, action, thing),
        failing=_failing(visit, action, thing),
        lost=lost_workers(visit.dashboard.reader, [thing] if isinstance(thing, Run) else ()),
        head=target.head(thing),
        route=f"{target.page}_{action.name}",
        ids={target.id_name: object_id},
        effect=action.effect(thing, clock),  # type: ignore[arg-type]  # a target's actions fit its objects
        typed=None if action.typed is None else action.typed(thing),  # type: ignore[arg-type]
        error=error,
        reason=reason,
    )


def _held(visit: Visit, action: AnyAction, thing: Thing) -> str:
    """Return what becomes of the runs that the pause of a cron ticker holds, when it is resumed."""
    if action.verb != _RESUME or not isinstance(thing, Cron):
        return ""
    return held_words(held_under(visit.dashboard.reader, [str(thing.id)]), MOST_RUNS)


def _failing(visit: Visit, action: AnyAction, thing: Thing) -> str:
    """Return why a cron ticker that failures have paused may be paused again when it is resumed."""
    if action.verb != _RESUME or not isinstance(thing, Cron) or not is_paused_by_failures(thing):
        return ""
    runs = visit.dashboard.tickerq.runs
    latest = or_none(lambda: runs.history(cron_ticker_id=thing.id, status=TickerStatus.FAILED, limit=1)) or ()
    last = next(iter(latest), None)
    return failing_words(thing, last, may_see=visit.may(Permission.PAYLOAD_VIEW))


def _still(visit: Visit, action: AnyAction, thing: Thing) -> list[Pause]:
    """Return the pauses that hold a cron ticker on when it is resumed."""
    if action.verb != _RESUME or not isinstance(thing, Cron):
        return []
    return visit.dashboard.reader.pauses_over(thing.function, thing.tags)


def _untyped(
    visit: Visit, target: Target, action: AnyAction, object_id: UUID, command: Command
) -> Response | None:
    """Return the page that asks anew where what must be typed was not; None if it was, or all is gone."""
    if action.typed is None:
        return None
    try:
        thing = target.read(visit, object_id)
    except TickerNotFoundError:
        return None
    wanted = action.typed(thing)  # type: ignore[arg-type]
    if getattr(command, "typed", "").strip() == wanted:
        return None
    error = f"Type {wanted} as it stands here."
    return _asked(visit, target, action, object_id, thing, error=error, reason=command.reason)


def _refused(
    visit: Visit, target: Target, action: AnyAction, object_id: UUID, error: TickerError
) -> Response:
    """Return the page of an error of the core; raise it if it is none of what was asked."""
    refusal = refusal_of(error, action, target.noun, visit.clock())
    if refusal is None:
        raise error
    return _refusal_page(visit, target, action, object_id, refusal)


def _refusal_page(
    visit: Visit, target: Target, action: AnyAction, object_id: UUID, refusal: Refusal
) -> Response:
    here = url_for(f".{target.page}", **{target.id_name: object_id})
    ways = [Way(f"See the {target.listed}", url_for(f".{target.list}"))]
    if refusal.status != 404:
        ways.insert(0, Way(f"Open the {target.noun}", here))
    return refused(
        visit,
        refusal,
        title=action.undone,
        here=target.list,
        ways=ways,
        before=last_done(visit, target.kind, object_id),
    )
