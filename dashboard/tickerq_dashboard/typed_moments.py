"""Read a moment as people say it: how long ago or in how long, by the clock, or by the date."""

import re
from datetime import UTC, datetime, timedelta

from tickerq_dashboard import texts
from tickerq_dashboard.show.moments import Clock
from tickerq_dashboard.texts import FIRST_YEAR, LAST_YEAR, Unreadable

_TIME_OF_DAY = re.compile(r"\d\d?:\d\d(:\d\d)?")
_MOMENTS = "such as 2 h, or a moment such as 14:30 or 2026-11-24 14:30."
_PAST_RULE = f"Write how long ago, {_MOMENTS}"
_COMING_RULE = f"Write in how long, {_MOMENTS}"
_DAY = timedelta(days=1)


def past_moment(text: str, clock: Clock) -> datetime:
    """Return the moment that a text means: "2 h" ago, the last "14:30", "2026-11-24", "2026-11-24 14:30".

    Without a zone of its own it is by the reader's clocks; of a time that they show twice it is the first.

    Raises:
        Unreadable: It means none.
    """
    text = text.strip()
    if _TIME_OF_DAY.fullmatch(text):
        found = _today(text, clock)
        return found if found <= clock.now else _today(text, clock, -_DAY)
    return _dated(text, clock, -1, _PAST_RULE)


def coming_moment(text: str, clock: Clock) -> datetime:
    """Return the moment that a text means: in "2 h", the next "14:30", "2026-11-24", "2026-11-24 14:30".

    Zones and times that are shown twice are as in ``past_moment``.

    Raises:
        Unreadable: It means none.
    """
    text = text.strip()
    if _TIME_OF_DAY.fullmatch(text):
        found = _today(text, clock)
        return found if found >= clock.now else _today(text, clock, _DAY)
    return _dated(text, clock, 1, _COMING_RULE)


def _today(text: str, clock: Clock, away: timedelta = timedelta(0)) -> datetime:
    """Return when the reader's clocks show a time of today, or of the day that is so far away."""
    day = clock.local(clock.now).date() + away
    return texts.moment(f"{day} {text.zfill(5)}", clock.name, texts.FIRST)


def _dated(text: str, clock: Clock, direction: int, rule: str) -> datetime:
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return _away(text, clock, direction, rule)
    if local.tzinfo is None:
        return texts.moment(local.isoformat(), clock.name, texts.FIRST)
    if not FIRST_YEAR <= local.year <= LAST_YEAR:
        raise Unreadable(rule)
    return local.astimezone(UTC)


def _away(text: str, clock: Clock, direction: int, rule: str) -> datetime:
    try:
        return clock.now + direction * texts.span(text)
    except (Unreadable, OverflowError):
        raise Unreadable(rule) from None
