"""What a sweep does for a run at a moment, or that it was to and has not."""

from dataclasses import dataclass
from datetime import datetime

from tickerq_celery.health.phrases import comes
from tickerq_celery.health.waiting import for_beats
from tickerq_celery.health.waiting.case import WaitingCase
from tickerq_celery.wording import moment


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepAct:
    """What a sweep does: ``does`` as in "publishes it again", ``was_to`` as in "publish it again"."""

    does: str
    was_to: str


def swept(case: WaitingCase, at: datetime, act: SweepAct, *, unless: str = "") -> str:
    """Return when a sweep does what it is to do ``at`` a moment; ``unless`` is what begins the sentence.

    Beats sweep every second or two: what has not come about a lease later does not by itself.
    """
    if at > case.at:
        sweep = f"{unless}, a sweep" if unless else "A sweep"
        return f"{sweep} {act.does} {comes(at, case.at)}."
    if case.at - at <= case.config.lease:
        return f"The next sweep of a beat {act.does}."
    has_none = any(True for _ in for_beats.beat(case))
    why = "no beat is alive that completes a tick" if has_none else "the log of a beat says why"
    return f"A sweep was to {act.was_to} at {moment(at)} and has not: {why}."


def still_to_come(case: WaitingCase, at: datetime | None) -> datetime | None:
    """Return a moment that has not passed, else None."""
    return at if at is not None and at > case.at else None
