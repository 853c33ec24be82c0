"""What a worker has of messages: running, prefetched, or held back for a rate limit or an eta."""

from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Any

from celery.worker import state
from celery.worker.request import Request

from tickerq_celery.broker.messages import task_id
from tickerq_celery.worker.followed_requests import execution_of

_MOST_COPIES = 100


def held_claims() -> Collection[str]:
    """Return the claims that this process has, prefetched or running, as Celery task ids of functions."""
    # Not ``state.requests``: it keeps one request of each id, and forgets the running one when a second
    # message of the same claim is dropped.
    return {_claim_of(request) for request in held_requests()}


def has_no_message(consumer: Any) -> bool:
    """Return True if a worker's consumer runs and has nothing: no request, also none that it holds back.

    Celery keeps those of a rate limit in buckets, and those with an eta in its timer.
    """
    if consumer is None or getattr(consumer, "task_consumer", None) is None:
        return False
    is_in_bucket = any(bucket is not None and bucket.contents for bucket in consumer.task_buckets.values())
    return not (held_requests() or is_in_bucket or any(map(_is_request, consumer.timer.schedule.queue)))


def _is_request(scheduled: Any) -> bool:
    arguments = getattr(scheduled.entry, "args", None) or ()
    return any(isinstance(each, Request) for each in arguments)


def _claim_of(request: Request) -> str:
    call = execution_of(request)
    return str(request.id) if call is None else task_id(call.id, call.claim_no)


def held_requests() -> list[Request]:
    """Return the requests that this process has: prefetched, or running."""
    return _copied(state.reserved_requests) + _copied(state.active_requests)


def _copied(requests: Iterable[Request]) -> list[Request]:
    # The event loop changes the set meanwhile. Where it always does, the next beat compares.
    for _ in range(_MOST_COPIES):
        with suppress(RuntimeError):
            return list(requests)
    return list(requests)
