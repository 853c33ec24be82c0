"""Which flows a claim takes due runs of while some wait for capacity in their queue, and how many of each."""

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from tickerq_celery.runs.publish_window import POLL_EVERY, POLL_SOON, PublishWindow
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.nodes.nodes import WorkerTakes
from tickerq_celery.store.runs import concurrency
from tickerq_celery.store.runs.due_flows import DueFlow, DueFlowsQuery, FoundFlows
from tickerq_celery.tickers.claims import Claim
from tickerq_celery.tickers.flows import FunctionQueue

# In seconds: what was learned of a flow is forgotten when it has not waited for so long.
_KEPT = 60.0
# Each takes a statement; those behind them come with the next poll, at once.
_MOST_FLOWS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many due runs of a flow a claim takes at most; ``is_cut`` where more would fit."""

    due: DueFlow
    most: int
    is_cut: bool


class DueFlows:
    """The windows of flows, each of one function in one queue, and the flows whose runs wait for capacity.

    A flow has a window where live workers consume its queue and say how many messages they take.
    ``queue_of`` returns the queue to which its messages go, None where that is unknown. What a claim finds is
    noted once it has committed.
    """

    def __init__(self, core: Core, queue_of: Callable[[FunctionQueue], str | None]) -> None:
        self._core = core
        self._queue_of = queue_of
        self._workers: Sequence[WorkerTakes] = ()
        self._windows: dict[FunctionQueue, PublishWindow] = {}
        self._waiting: frozenset[FunctionQueue] = frozenset()
        # What waits of the flows that this round has polled, and the last of them.
        self._found: set[FunctionQueue] = set()
        self._after: FunctionQueue | None = None
        self._is_short = False
        self._query = DueFlowsQuery(most=_MOST_FLOWS)

    @property
    def next_poll(self) -> float | None:
        """In how many seconds to poll again what waits; None where nothing does."""
        if not self._waiting:
            return None
        if self._after is not None:
            return 0.0
        return POLL_SOON if self._is_short else POLL_EVERY

    def know(self, workers: Sequence[WorkerTakes]) -> None:
        """Note which workers take runs."""
        self._workers = workers

    def sizes(self, flows: Collection[FunctionQueue], *, times: float = 1) -> Mapping[FunctionQueue, int]:
        """Return so many times the windows of those flows that have one."""
        now = self._core.clock.monotonic()
        sizes = {}
        for flow in flows:
            least = self._least(flow)
            if least is not None:
                window = self._window(flow, now)
                size = least if window is None else max(least, window.size)
                sizes[flow] = math.ceil(times * size)
        return sizes

    def poll(self) -> Sequence[Share]:
        """Return what to take of the next flows that have due runs, with their windows adapted.

        Raises:
            StoreError: The database is unreachable.
        """
        found, ahead = self._core.read(self._read)
        now = self._core.clock.monotonic()
        if self._after is None:
            self._is_short = False
            self._windows = {flow: each for flow in self._windows if (each := self._window(flow, now))}
        self._after = found.last
        free = [(each, self._free(each.flow, ahead.get(each.flow, 0), now)) for each in found.due]
        return _shares(free, self._core.config.batch_size)

    def _read(self, tx: Transaction) -> tuple[FoundFlows, Mapping[FunctionQueue, int]]:
        found = self._query.read(tx, after=self._after)
        queues = {each.flow.queue for each in found.due}
        return found, concurrency.ahead(tx, queues, lease=self._core.config.lease) if queues else {}

    def took(self, found: Mapping[Share, int]) -> None:
        """Note how many runs of each share a poll has found: more wait of one that was used up."""
        self._found |= {share.due.flow for share, count in found.items() if count >= share.most}
        self._is_short |= not self._found <= self._waiting
        if self._after is None:
            self._waiting, self._found = frozenset(self._found), set()

    def claimed(self, ahead: Mapping[FunctionQueue, int], *, left: Collection[FunctionQueue]) -> None:
        """Note how many runs of each flow are ahead of their start now, and of which flows some were left."""
        now = self._core.clock.monotonic()
        for flow, count in ahead.items():
            window = self._windows.get(flow)
            if window is not None:
                self._windows[flow] = replace(window, ahead=count)
        for flow in set(left) - self._waiting:
            window = self._window(flow, now)
            size = self._least(flow) or 1 if window is None else window.size
            self._windows[flow] = PublishWindow(size=size, ahead=ahead.get(flow, 0), polled_at=now)
            self._waiting |= {flow}
            self._is_short = True

    def _free(self, flow: FunctionQueue, ahead: int, now: float) -> int | None:
        """Adapt a flow's window, and return how many more runs fit into it; None where it has no window."""
        least, window = self._least(flow), self._window(flow, now)
        if least is None:
            self._windows.pop(flow, None)
            return None
        if window is None:
            window = PublishWindow(size=least, ahead=ahead, polled_at=now)
        elif flow in self._waiting:
            self._is_short |= window.is_short(ahead, least=least)
            window = window.after(ahead=ahead, at=now, least=least, most=self._core.config.max_queued)
        else:
            window = replace(window, ahead=ahead, polled_at=now)
        self._windows[flow] = window
        return max(0, window.size - ahead)

    def _window(self, flow: FunctionQueue, now: float) -> PublishWindow | None:
        window = self._windows.get(flow)
        return None if window is None or now - window.polled_at > _KEPT else window

    def _least(self, flow: FunctionQueue) -> int | None:
        """Return what a flow's workers take at most, shared by the flows that wait for them.

        None where that is unknown, or as much as may be published at all.
        """
        queue = self._queue_of(flow)
        takes = [each.takes for each in self._workers if _consumes(each, queue)]
        known = [each for each in takes if each is not None]
        if not takes or len(known) < len(takes) or sum(known) >= self._core.config.max_queued:
            return None
        flows = sum(self._queue_of(each) == queue for each in self._waiting | {flow})
        return math.ceil(sum(known) / flows)


def _consumes(worker: WorkerTakes, queue: str | None) -> bool:
    return queue is None or not worker.queues or queue in worker.queues


def _shares(flows: Sequence[tuple[DueFlow, int | None]], most: int) -> Sequence[Share]:
    """Divide a batch of ``most`` runs among flows, so that each with free capacity gets some."""
    shares: list[Share] = []
    # What those with little free capacity leave is for the others.
    for due, free in sorted(flows, key=lambda each: math.inf if each[1] is None else each[1]):
        part = max(1, most // (len(flows) - len(shares)))
        taken = part if free is None else min(free, part)
        most = max(0, most - taken)
        is_cut = free is None or free > part
        shares.append(Share(due=due, most=taken, is_cut=is_cut))
    return shares


def round_robin(claims: Sequence[Claim]) -> Sequence[Claim]:
    """Order claims of one batch by priority, then round robin over the flows.

    Else the first run of a flow would stand behind all that is new of a backlog.
    """
    before: Counter[FunctionQueue] = Counter()
    ranks = []
    for claim in claims:
        flow = FunctionQueue(claim.function, claim.queue)
        ranks.append((claim.priority, before[flow]))
        before[flow] += 1
    return [claims[at] for at in sorted(range(len(claims)), key=ranks.__getitem__)]
