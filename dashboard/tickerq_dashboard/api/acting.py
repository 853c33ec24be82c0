"""Do the commands of programs in their name, once for each operation, and say what came of it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any
from uuid import UUID, uuid4

from flask import Response

from tickerq_celery import Cron, Run
from tickerq_celery.errors import (
    OperationReusedError,
    TickerChangedError,
    TickerError,
    TickerStateError,
    TickerValidationError,
)
from tickerq_celery.typing import Managers
from tickerq_celery.views import ChainChange
from tickerq_dashboard.api.answering import answered, may_see
from tickerq_dashboard.api.chain_answers import ChainChangeAnswer
from tickerq_dashboard.api.cron_answers import CronAnswer
from tickerq_dashboard.api.fields import Answer
from tickerq_dashboard.api.preconditions import is_conditional, seen_version
from tickerq_dashboard.api.queries import Deleting
from tickerq_dashboard.api.run_answers import RunAnswer
from tickerq_dashboard.commands.command import Command
from tickerq_dashboard.problem_details import RefusedError, by_field
from tickerq_dashboard.show.actions import Action
from tickerq_dashboard.show.outcomes import AnyAction, plain_refusal_of, refusal_of, state_words
from tickerq_dashboard.visits import Visit

_REUSED = "The operation_id has served for something else: make a new one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """What is done, for the sentence of a refusal: ``undone`` begins it, ``noun`` is of what."""

    undone: str
    noun: str
    action: AnyAction | None = None


def acting(action: Action[Any], noun: str, id_name: str) -> Callable[..., Response]:
    """Return what does an action to an object, by its own command."""
    doing = Doing(undone=action.undone, noun=noun, action=action)

    def do(visit: Visit, command: Command, **ids: UUID) -> Response:
        expected = seen_version(command.expected, is_needed=False)
        given = command.model_copy(update={"expected": expected}).arguments
        verb = partial(_called, action.verb, ids[id_name], given)
        return shown(visit, done(visit, doing, command.operation_id, verb))

    do.__annotations__["command"] = action.command
    do.__doc__ = f"{action.word}."
    return do


def deleting(action: Action[Any], noun: str, id_name: str) -> Callable[..., Response]:
    """Return what deletes an object that was seen."""
    doing = Doing(undone=action.undone, noun=noun, action=action)

    def delete(visit: Visit, query: Deleting, **ids: UUID) -> Response:
        given = {"expected": seen_version(is_needed=True), "reason": query.reason or None}
        verb = partial(_called, action.verb, ids[id_name], given)
        done(visit, doing, query.operation_id or uuid4(), verb)
        return Response(status=204)

    delete.__doc__ = f"{action.word}."
    return delete


def done(visit: Visit, doing: Doing, operation_id: UUID, verb: Callable[[Managers], Any]) -> Any:
    """Return what a verb of the core returns, called in the name of the visitor.

    Raises:
        RefusedError: The core refuses it: 404, 409, 412 where If-Match was sent, or 422.
    """
    managers = visit.dashboard.tickerq.acting_as(visit.actor(str(operation_id)))
    try:
        found = verb(managers)
    except TickerError as error:
        refusal = _refused(error, visit, doing)
        if refusal is None:
            raise
        raise refusal from error
    # The next answer of this process has it.
    visit.dashboard.reader.follow(operation_id)
    return found


def shown(visit: Visit, thing: object, *, status: int = 200, location: str | None = None) -> Response:
    """Return a run, a cron ticker or what was changed of a chain as an answer."""
    answer: Answer
    if isinstance(thing, ChainChange):
        answer, version = ChainChangeAnswer.of(thing, may_see=may_see(visit)), thing.tree.version
    elif isinstance(thing, Run):
        answer = RunAnswer.whole(thing, may_see=may_see(visit))
        version = thing.version
    else:
        assert isinstance(thing, Cron)  # noqa: S101  # for the type checker
        answer, version = CronAnswer.model_validate(thing), thing.version
    response = answered(answer, version=version)
    response.status_code = status
    if location is not None:
        response.headers["Location"] = location
    return response


def _called(verb: str, object_id: UUID, given: dict[str, Any], managers: Managers) -> Any:
    return attrgetter(verb)(managers)(object_id, **given)


def _refused(error: TickerError, visit: Visit, doing: Doing) -> RefusedError | None:
    """Return how an error of the core is said; None where it is none of what was asked."""
    if isinstance(error, OperationReusedError):
        return RefusedError(409, doing.undone, _REUSED)
    if isinstance(error, TickerValidationError):
        return RefusedError(422, doing.undone, "A field has a value that cannot be stored.", by_field(error))
    if isinstance(error, TickerChangedError):
        now = state_words(error.current, visit.clock())
        said = f"{doing.undone}: it has changed since you saw it, and {now}."
        return RefusedError(412 if is_conditional() else 409, doing.undone, said)
    if isinstance(error, TickerStateError) and doing.action is None:
        now = state_words(error.current, visit.clock())
        return RefusedError(409, doing.undone, f"{doing.undone}: {now}.")
    clock = visit.clock()
    if doing.action is not None:
        refusal = refusal_of(error, doing.action, doing.noun, clock)
    else:
        refusal = plain_refusal_of(error, doing.undone, doing.noun, clock)
    return None if refusal is None else RefusedError(refusal.status, doing.undone, refusal.sentence)
