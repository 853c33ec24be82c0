"""What waits for a run that is claimed: for its slot, or for the overlap lock of its cron ticker."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tickerq_celery import Run, TickerQ
from tickerq_celery.enums import CLAIMED, HoldReason

MOST_COUNTED = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiters:
    """How many runs wait for something that a run has, up to ``MOST_COUNTED``.

    ``filters`` are those of the list of these runs, as words of its address.
    """

    reason: HoldReason
    runs: int
    filters: Mapping[str, str]


def waiters_of(tickerq: TickerQ, run: Run) -> tuple[Waiters, ...]:
    """Return what waits for a run; nothing does for one that is not claimed.

    Raises:
        QueryTooWideError: Reading it takes too long.
    """
    if run.status not in CLAIMED:
        return ()
    return tuple(
        Waiters(reason=reason, runs=count, filters=words)
        for reason, criteria, words in _asked(run)
        if (count := tickerq.runs.count(held_for=reason, limit=MOST_COUNTED, **criteria))
    )


def _asked(run: Run) -> Iterator[tuple[HoldReason, dict[str, Any], dict[str, str]]]:
    function = {"function": run.function}
    # Not what waits for capacity in its queue, which is held for a key of the queue.
    yield (
        HoldReason.LIMIT,
        {**function, "hold_key": run.function},
        {"held_for": HoldReason.LIMIT.value, **function},
    )
    key = run.concurrency_key
    if key is not None:
        words = {"held_for": HoldReason.KEY.value, **function, "concurrency_key": key}
        yield HoldReason.KEY, {**function, "concurrency_key": key}, words
    cron_id = run.cron_ticker_id
    if cron_id is not None:
        words = {"held_for": HoldReason.OVERLAP.value, "cron_ticker_id": str(cron_id)}
        yield HoldReason.OVERLAP, {"cron_ticker_id": cron_id}, words
