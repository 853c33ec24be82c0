"""Read a moment of the past as people say it: how long ago, by the clock, or by the date."""

import re
from datetime import UTC, datetime, timedelta

from tickerq_dashboard import texts
from tickerq_dashboard.show.moments import Clock
from tickerq_dashboard.texts import FIRST_YEAR, LAST_YEAR, Unreadable

_TIME_OF_DAY = re.compile(r"\d\d?:\d\d(:\d\d)?")
_RULE = "Write how long ago, such as 2 h, or a moment such as 14:30 or 2026-11-24 14:30."


def past_moment(text: str, clock: Clock) -> datetime:
    """Return the moment that a text means: "2 h" ago, the last "14:30", "2026-11-24", "2026-11-24 14:30".

    Without a zone of its own it is by the reader's clocks; of a time that they show twice it is the first.

    Raises:
        Unreadable: It means none.
    """
    text = text.strip()
    if _TIME_OF_DAY.fullmatch(text):
        return _last(text, clock)
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return _ago(text, clock)
    if local.tzinfo is None:
        return texts.moment(local.isoformat(), clock.name, texts.FIRST)
    if not FIRST_YEAR <= local.year <= LAST_YEAR:
        raise Unreadable(_RULE)
    return local.astimezone(UTC)


def _last(text: str, clock: Clock) -> datetime:
    """Return the last moment at which the reader's clocks showed a time of day."""
    today = clock.local(clock.now).date()
    found = texts.moment(f"{today} {text.zfill(5)}", clock.name, texts.FIRST)
    if found <= clock.now:
        return found
    return texts.moment(f"{today - timedelta(days=1)} {text.zfill(5)}", clock.name, texts.FIRST)


def _ago(text: str, clock: Clock) -> datetime:
    try:
        return clock.now - texts.span(text)
    except (Unreadable, OverflowError):
        raise Unreadable(_RULE) from None
