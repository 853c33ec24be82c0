"""What is known of how a run went, and the word for it that every surface shows."""

from datetime import datetime

from tickerq_celery.enums import SUCCEEDED, TickerKind, TickerStatus

PUBLISHED = "Published"


def outcome_known(kind: TickerKind, status: TickerStatus, started_at: datetime | None) -> bool:
    """Return True if a status says how a run went; False where Done means "published".

    That is a call of one of the app's Celery tasks which was published, and which no worker reported.
    """
    return kind is not TickerKind.CELERY_TASK or status not in SUCCEEDED or started_at is not None


def is_published(
    kind: TickerKind, status: TickerStatus, *, published_at: datetime | None, started_at: datetime | None
) -> bool:
    """Return True if all that is known is that the broker has a run's message.

    That is a call of one of the app's Celery tasks which waits for a worker's report, or for Celery's retry
    of it, or which ended unreported.
    """
    is_waiting = kind is TickerKind.CELERY_TASK and status is TickerStatus.QUEUED and published_at is not None
    return is_waiting or not outcome_known(kind, status, started_at)


def status_word(
    kind: TickerKind, status: TickerStatus, *, published_at: datetime | None, started_at: datetime | None
) -> str:
    """Return what people read of a run's status: its word, or Published where that is all that is known."""
    published = is_published(kind, status, published_at=published_at, started_at=started_at)
    return PUBLISHED if published else str(status)


def refused_status(kind: TickerKind, status: TickerStatus, started_at: datetime | None) -> str:
    """Return the status by which a verb refuses a run, as errors write it."""
    return str(status) if outcome_known(kind, status, started_at) else PUBLISHED
