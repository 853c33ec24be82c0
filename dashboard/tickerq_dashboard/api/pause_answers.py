"""Pauses, as JSON."""

from tickerq_dashboard.api.fields import Answer, Moment, Word


class PauseAnswer(Answer):
    """A pause; ``name`` is the function or the tag, empty for everything."""

    kind: Word
    name: str
    reason: str | None
    paused_by: str | None
    paused_at: Moment
    version: str


class PauseList(Answer):
    """What is paused beyond single cron tickers."""

    items: tuple[PauseAnswer, ...]
