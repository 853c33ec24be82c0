"""Flows: the runs of one cron ticker, of one concurrency key, or of one function in one queue.

A backlog of one flow must not delay the runs of another, as in fair queuing (RFC 970): what a claim needs to
know for that, decided from the runs that it has locked.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from tickerq_celery.tickers.claims import Due, Slot

# A backlog of more flows than that is one of their functions.
MOST_FLOWS = 100
# Of the runs at the head of the backlog, how many its flows make up: the others are no backlog.
_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class FunctionQueue:
    """The runs of one function in one queue; None is the queue to which Celery's router sends them."""

    function: str
    queue: str | None


Flow = UUID | Slot | FunctionQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """Some flows, by what finds their runs; that of a function in a queue has its keyed runs as well."""

    crons: frozenset[UUID] = frozenset()
    slots: frozenset[Slot] = frozenset()
    queues: frozenset[FunctionQueue] = frozenset()

    def __or__(self, other: "Flows") -> "Flows":
        return Flows(
            crons=self.crons | other.crons, slots=self.slots | other.slots, queues=self.queues | other.queues
        )

    def __bool__(self) -> bool:
        return bool(self.crons or self.slots or self.queues)


def crowding(due: Sequence[Due]) -> Flows:
    """Return the flows that make up nine tenths of ``due``; none where they are of very many functions."""
    for flow_of in (_narrowest, _function_queue):
        found = _most_of(due, flow_of)
        if len(found) <= MOST_FLOWS:
            return _flows(found)
    return Flows()


def _most_of(due: Sequence[Due], flow_of: Callable[[Due], Flow]) -> list[Flow]:
    found, left = [], len(due) * _SHARE
    for flow, count in Counter(map(flow_of, due)).most_common():
        if left <= 0:
            break
        found.append(flow)
        left -= count
    return found


def _narrowest(run: Due) -> Flow:
    return run.cron_ticker_id or run.slot or _function_queue(run)


def _function_queue(run: Due) -> FunctionQueue:
    return FunctionQueue(run.function, run.queue)


def _flows(found: Sequence[Flow]) -> Flows:
    return Flows(
        crons=frozenset(each for each in found if isinstance(each, UUID)),
        slots=frozenset(each for each in found if isinstance(each, Slot)),
        queues=frozenset(each for each in found if isinstance(each, FunctionQueue)),
    )
