"""Bounds of a cron ticker: from when to when, how often, on which dates not, and how its runs are spread."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.wording import moment

MOST_RUNS = 1_000_000_000
LONGEST_JITTER = timedelta(days=1)
MILLISECOND = timedelta(milliseconds=1)
BOUND_FIELDS = ("start_at", "end_at", "max_runs", "exclude", "jitter")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Checked bounds: moments are aware UTC and both inclusive, dates those of the cron ticker's zone."""

    start_at: datetime | None = None
    end_at: datetime | None = None
    max_runs: int | None = None
    exclude: tuple[date, ...] = ()
    jitter: timedelta = timedelta(0)


UNBOUNDED = Bounds()


def checked_bounds(
    *,
    start_at: object = None,
    end_at: object = None,
    max_runs: object = None,
    exclude: object = (),
    jitter: object = 0,
) -> Bounds:
    """Return the bounds that a user gave; durations are timedeltas or seconds.

    Raises:
        TickerValidationError: One of them cannot be used.
    """
    bounds = Bounds(
        start_at=None if start_at is None else validation.moment("start_at", start_at),
        end_at=None if end_at is None else validation.moment("end_at", end_at),
        max_runs=_max_runs(max_runs),
        exclude=_dates(exclude),
        jitter=validation.duration("jitter", jitter, most=LONGEST_JITTER, step=MILLISECOND),
    )
    if bounds.start_at is not None and bounds.end_at is not None and bounds.end_at < bounds.start_at:
        raise TickerValidationError("end_at", end_at, f"it is before start_at, {moment(bounds.start_at)}")
    return bounds


def dates_from(stored: Sequence[str] | None) -> tuple[date, ...]:
    """Return the excluded dates that a row holds."""
    return tuple(date.fromisoformat(each) for each in stored or ())


def _max_runs(value: object) -> int | None:
    if value is None:
        return None
    return validation.whole("max_runs", value, 1, MOST_RUNS, note="None means any number")


def _dates(value: object) -> tuple[date, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence | set | frozenset):
        raise TickerValidationError("exclude", value, "pass a list of dates")
    if len(value) > validation.MOST_DATES:
        raise TickerValidationError(
            "exclude", value, f"at most {validation.MOST_DATES} dates, these are {len(value)}"
        )
    for each in value:
        # A datetime is a date to Python, and would name another one in another zone.
        if not isinstance(each, date) or isinstance(each, datetime):
            raise TickerValidationError("exclude", each, "pass dates, such as date(2026, 12, 25)")
    return tuple(sorted(set(value)))


def delay_of(cron_ticker_id: UUID, instant: datetime, jitter: timedelta) -> timedelta:
    """Return how much later than its instant an occurrence runs: from 0 to ``jitter``, in milliseconds.

    It depends on nothing but the arguments, so that two beats, or one after a restart, agree.
    """
    if not jitter:
        return jitter
    seed = f"{cron_ticker_id} {instant.astimezone(UTC).isoformat()}".encode()
    number = int.from_bytes(hashlib.sha256(seed).digest()[:8])
    return number % (jitter // MILLISECOND + 1) * MILLISECOND
