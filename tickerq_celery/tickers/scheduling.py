"""The keywords of ``schedule``: when, in which transaction, and fields of a TimeTicker."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from tickerq_celery import validation
from tickerq_celery.errors import TickerValidationError, UnknownKeywordError
from tickerq_celery.payload.redaction import discreet
from tickerq_celery.tickers.keywords import refuse_unknown

# The parameters of ``schedule`` besides what it schedules.
_PARAMETERS = ["at", "delay", "session", "on_conflict", "allow_unknown"]
# What users of Celery and of TimeTicker write, and the keywords of ``schedule`` that stand for it.
_MEANT = {"execution_time": "at=", "eta": "at=, an aware datetime", "countdown": "delay=, in seconds"}


def asked_at(at: datetime | None, delay: timedelta | float | None) -> datetime | None:
    """Return the moment that a call of ``schedule`` names, None where it names none, or a delay.

    Raises:
        TickerValidationError: It names both, or a moment that cannot be used.
    """
    if at is not None and delay is not None:
        raise TickerValidationError("delay", delay, "pass at or delay, not both")
    return None if at is None else validation.moment("at", at)


def refuse_keywords(
    keywords: Mapping[str, object],
    fields: type,
    *,
    own: Sequence[str] = (),
    meant: Mapping[str, str] | None = None,
    in_request: frozenset[str] = frozenset(),
    advice: Callable[[Sequence[str]], str] | None = None,
) -> None:
    """Refuse keywords that ``schedule`` does not take; ``fields`` is a TypedDict of those that it does.

    ``own`` are parameters of this one beside those of all, ``meant`` what stands here for others' keywords,
    ``in_request`` names that a request has, and ``advice`` is as in ``refuse_unknown``.

    Raises:
        UnknownKeywordError: There are such keywords.
    """
    for name, instead in {**_MEANT, **(meant or {})}.items():
        if name in keywords and name not in in_request:
            raise UnknownKeywordError(name, discreet([name], keywords[name]), f"pass {instead}")
    refuse_unknown(
        "schedule has no such keyword",
        keywords,
        [*own, *_PARAMETERS, *fields.__annotations__],
        advice=advice,
        never_meant=in_request,
    )
