"""What came of an act, in words: done, or refused with the object's present state."""

from dataclasses import dataclass

from tickerq_celery import Cron, Run
from tickerq_celery.errors import (
    DuplicateTickerError,
    OperationReusedError,
    TickerBusyError,
    TickerChangedError,
    TickerError,
    TickerNotFoundError,
    TickerStateError,
    TickerValidationError,
)
from tickerq_celery.views import ChainTree, Pause
from tickerq_dashboard.show.actions import Action
from tickerq_dashboard.show.chains import chain_words
from tickerq_dashboard.show.moments import Clock
from tickerq_dashboard.show.statuses import in_words, look_of
from tickerq_dashboard.show.words import scope_words

AnyAction = Action[Run] | Action[Cron] | Action[ChainTree]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why something was not done, as a page: HTTP status, and a sentence."""

    status: int
    sentence: str


def state_words(thing: object, clock: Clock) -> str:
    """Return how an object is at present: "the run is Done since 15:03:58 CET"."""
    if isinstance(thing, Cron):
        return _cron_words(thing, clock)
    if isinstance(thing, Run):
        since = thing.ended_at or thing.started_at or thing.published_at
        word = look_of(thing).word
        return f"the run is {word}" + ("" if since is None else f" since {clock.single(since)}")
    if isinstance(thing, ChainTree):
        words = chain_words([look_of(each.run) for each in thing.runs], truncated=thing.truncated)
        return f"t{words.removeprefix('T').removesuffix('.')}"
    if isinstance(thing, Pause):
        who = f" by {thing.paused_by}" if thing.paused_by else ""
        return f"{scope_words(thing.kind, thing.name)} is paused{who} since {clock.single(thing.paused_at)}"
    return "it is not as you saw it"


def _cron_words(cron: Cron, clock: Clock) -> str:
    if cron.is_enabled:
        # Since when it is so is not stored.
        return f"the cron ticker is enabled, last changed at {clock.single(cron.updated_at)}"
    who = f" by {cron.paused_by}" if cron.paused_by else ""
    since = "" if cron.paused_at is None else f" since {clock.single(cron.paused_at)}"
    return f"the cron ticker is paused{who}{since}"


def refusal_of(error: TickerError, action: AnyAction, noun: str, clock: Clock) -> Refusal | None:
    """Return how an error of the core is shown; None where it is none of what was asked."""
    if isinstance(error, TickerStateError):
        return Refusal(status=409, sentence=f"{action.undone}: {_state(error, action, noun, clock)}.")
    return plain_refusal_of(error, action.undone, noun, clock)


def plain_refusal_of(error: TickerError, undone: str, noun: str, clock: Clock) -> Refusal | None:
    """Return how an error that is not about an object's state is shown; None where it is none of these."""
    said = _said(error, noun, clock)
    if said is None:
        return None
    status, why = said
    return Refusal(status=status, sentence=f"{undone}: {why}.")


def _said(error: TickerError, noun: str, clock: Clock) -> tuple[int, str] | None:
    match error:
        case TickerChangedError():
            return 409, f"it has changed since you saw it, and {state_words(error.current, clock)}"
        case TickerBusyError():
            return 409, f"another process has the {noun} locked. Try again in a moment"
        case TickerNotFoundError():
            gone = "it was done before, and the" if error.done else "the"
            return 404, f"{gone} {noun} no longer exists"
        case OperationReusedError():
            return 409, "this form was used for something else. Load its page again"
        case DuplicateTickerError():
            return 409, "another run with its unique key is active"
        case TickerValidationError():
            return 422, f"{error.field}: {error.reason}"
    return None


def _state(error: TickerStateError, action: AnyAction, noun: str, clock: Clock) -> str:
    thing, said = error.current, clock.localised(in_words(error.status))
    if noun == "chain":
        # The core speaks of the run that the chain was named by.
        return f"the run is {said}"
    if isinstance(thing, (Run, Cron)) and not action.fits(thing):  # type: ignore[arg-type]  # fits its own
        return state_words(thing, clock)
    # The page could not know: the core's own words say more than the mere status.
    return f"the {noun} is {said}"
