"""The words, icons and figures in which the pages speak."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tickerq_celery import Attempt, Cron, Run, TickerStatus, TickerType
from tickerq_celery.enums import OnLost, TickerKind
from tickerq_celery.errors import UnreadableRequestError
from tickerq_dashboard.filters import PUBLISHED_SLUG, STATUS_SLUGS

MAX_REQUEST_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """How a status looks: never by its colour alone."""

    word: str
    icon: str
    css: str


BADGES = {
    TickerStatus.IDLE: Badge(word="Idle", icon="○", css="idle"),
    TickerStatus.QUEUED: Badge(word="Queued", icon="◔", css="queued"),
    TickerStatus.IN_PROGRESS: Badge(word="In progress", icon="▶", css="in-progress"),
    TickerStatus.DONE: Badge(word="Done", icon="✓", css="done"),
    TickerStatus.DUE_DONE: Badge(word="Due done (late)", icon="✓", css="due-done"),
    TickerStatus.FAILED: Badge(word="Failed", icon="✕", css="failed"),
    TickerStatus.CANCELLED: Badge(word="Cancelled", icon="⊘", css="cancelled"),
    TickerStatus.SKIPPED: Badge(word="Skipped", icon="»", css="skipped"),
}

PUBLISHED = Badge(word="Published", icon="→", css="published")

# What the filter of runs offers, by the word of the address.
STATUS_WORDS = {
    **{slug: BADGES[status].word for slug, status in STATUS_SLUGS.items()},
    PUBLISHED_SLUG: PUBLISHED.word,
}

TYPE_WORDS = {TickerType.TIME_TICKER: "Time ticker", TickerType.CRON_TICKER_OCCURRENCE: "Cron occurrence"}

LOSS_WORDS = {OnLost.FAIL: "it fails", OnLost.RETRY: "it starts again"}

HOLD_WORDS = {
    "function": "no worker knows it",
    "limit": "waiting for a free slot",
    "key": "waiting for a free slot of its key",
    "rate": "waiting for its rate limit",
    "paused": "paused",
    "parent": "waiting for its parent",
    "overlap": "waiting for an earlier occurrence to end",
}


def badge(execution: Run | Attempt) -> Badge:
    """Return the word, icon and style of a run's or an attempt's status."""
    if isinstance(execution, Run) and execution.is_published:
        return PUBLISHED
    return BADGES[execution.status]


def type_word(kind: TickerType) -> str:
    """Return what a kind of run is called."""
    return TYPE_WORDS[kind]


def is_call(ticker: Run | Cron) -> bool:
    """Whether it calls a task of Celery's, which has options of its own instead of ours."""
    return ticker.kind is TickerKind.CELERY_TASK


def attempt_word(run: Run) -> str:
    """Return which attempt at a run is the latest; how many there may be, Celery alone knows of its tasks."""
    number = run.retry_count + 1
    return f"{number}" if is_call(run) else f"{number} of {run.retries + 1}"


def retries_word(run: Run) -> str:
    """Return how many retries a run has used."""
    return f"{run.retry_count} by Celery" if is_call(run) else f"{run.retry_count} of {run.retries} used"


def hold_words(reason: str) -> str:
    """Return why a due run may not run yet."""
    return HOLD_WORDS.get(reason, reason)


def loss_words(policy: OnLost) -> str:
    """Return what becomes of a run whose worker died."""
    return LOSS_WORDS[policy]


def moment(when: datetime) -> str:
    """Return a moment for people; the page names its zone."""
    return f"{when:%Y-%m-%d %H:%M:%S}"


def machine_moment(when: datetime) -> str:
    """Return a moment for machines, in ISO 8601 with Z."""
    return f"{when:%Y-%m-%dT%H:%M:%S.%f}Z"


def duration(span: timedelta | None) -> str:
    """Return a span of time in its two largest units, or nothing for None."""
    if span is None:
        return ""
    milliseconds = span / timedelta(milliseconds=1)
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 59_950:
        return f"{milliseconds / 1000:.1f} s"
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def took(started: datetime | None, ended: datetime) -> str:
    """Return how long an attempt ran, or nothing if it never started."""
    return "" if started is None else duration(ended - started)


def intervals(waits: Sequence[timedelta]) -> str:
    """Return the waits before retries, the last of which repeats."""
    return ", ".join(f"{each.total_seconds():g} s" for each in waits)


def percent(fraction: float) -> str:
    """Return a fraction in per cent, never 100 before it is 1."""
    return f"{int(fraction * 100 + 1e-6)} %"


def log_lines(run: Run) -> list[str]:
    """Return the lines that a function logged, each with its moment, attempt and level."""
    return [f"{moment(line.at)} attempt {line.attempt + 1} {line.level} {line.message}" for line in run.logs]


def request_text(ticker: Run | Cron) -> str:
    """Return a request as indented JSON, its secrets masked, cut where it is long; empty without one."""
    try:
        stored = ticker.stored_request.json
    except UnreadableRequestError as error:
        return f"{error}."
    if stored is None:
        return ""
    try:
        text = json.dumps(ticker.shown_request, indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return f"These {len(stored):,} bytes cannot be read as JSON."
    if len(text) > MAX_REQUEST_CHARACTERS:
        text = f"{text[:MAX_REQUEST_CHARACTERS]}\n… cut: the request has {len(stored):,} bytes"
    # JSON may hold lone surrogates, which no response can carry.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
