"""How statuses look: a word, a sign and a colour, never one of them alone."""

import re
from collections.abc import Container
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from tickerq_celery import TickerStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The word of a status, ``css``, which names its sign and its colour, and ``about``, what it means."""

    word: str
    css: str
    has_ended: bool
    about: str


class Executed(Protocol):
    """A run or an attempt, as far as its look depends on it."""

    @property
    def status(self) -> TickerStatus: ...


LOOKS = {
    TickerStatus.IDLE: Look(
        word="Idle",
        css="idle",
        has_ended=False,
        about="It waits for its moment, for its parent, or for its next attempt.",
    ),
    TickerStatus.QUEUED: Look(
        word="Queued",
        css="queued",
        has_ended=False,
        about="A beat has claimed it and published its message; no worker has begun it.",
    ),
    TickerStatus.IN_PROGRESS: Look(
        word="In progress", css="in-progress", has_ended=False, about="A worker runs it."
    ),
    TickerStatus.DONE: Look(word="Done", css="done", has_ended=True, about="It has ended well."),
    TickerStatus.DUE_DONE: Look(
        word="Done late", css="due-done", has_ended=True, about="It has ended well, but was claimed late."
    ),
    TickerStatus.FAILED: Look(
        word="Failed",
        css="failed",
        has_ended=True,
        about="Its last attempt has failed, and no retry is left.",
    ),
    TickerStatus.CANCELLED: Look(
        word="Cancelled", css="cancelled", has_ended=True, about="It was cancelled, before or while it ran."
    ),
    TickerStatus.SKIPPED: Look(
        word="Skipped",
        css="skipped",
        has_ended=True,
        about="It was ended without running; its page says why.",
    ),
}
# No status of its own: all that is known is that the broker has, or had, the message of a Celery task.
PUBLISHED = Look(
    word="Published",
    css="published",
    has_ended=False,
    about="The broker has, or had, the message of a Celery task; no worker has reported it.",
)
CANCELLING = Look(
    word="Cancelling",
    css="in-progress",
    has_ended=False,
    about="It runs and was asked to end; its function has not checked for that yet.",
)
# Of a run in progress, by its worker: the store still says that it runs.
LOST = Look(
    word="Lost",
    css="lost",
    has_ended=False,
    about="It was in progress on a worker that is dead or gone; a beat rescues it, so that it starts again, "
    "or fails.",
)

EVERY_LOOK = (*LOOKS.values(), CANCELLING, LOST, PUBLISHED)

_WORDS = {str(status): look.word for status, look in LOOKS.items()}
_STATUSES = re.compile(rf"\b({'|'.join(_WORDS)})\b")
SLUGS = {look.css: status for status, look in LOOKS.items()}


def look_of(executed: Executed, lost: Container[UUID | None] = ()) -> Look:
    """Return how a run's or an attempt's status looks; ``lost`` are the workers that are dead or gone."""
    if getattr(executed, "is_published", False) or not getattr(executed, "outcome_known", True):
        return PUBLISHED
    if getattr(executed, "running_on", None) in lost:
        return LOST
    if getattr(executed, "cancel_requested", False) and executed.status is TickerStatus.IN_PROGRESS:
        return CANCELLING
    return LOOKS[executed.status]


def in_words(text: str) -> str:
    """Return a text of the core with its statuses as the pages say them."""
    return _STATUSES.sub(lambda found: _WORDS[found[0]], text)
