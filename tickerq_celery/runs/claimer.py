"""Claim due runs in one transaction: lock, count, decide, hold or take."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from uuid import UUID

from tickerq_celery.enums import HoldReason
from tickerq_celery.failpoints import CrashPoint, failpoint
from tickerq_celery.functions.limits import FunctionLimits
from tickerq_celery.runs.capacity import KnownFunctions, count
from tickerq_celery.runs.due_flows import DueFlows, Share, round_robin
from tickerq_celery.runs.fair_queuing import FairQueuing
from tickerq_celery.runs.holds import HoldRelease, Released
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.nodes import nodes
from tickerq_celery.store.runs import capacity, claims, due_flows, holds, rates
from tickerq_celery.store.runs.holds import Hold
from tickerq_celery.tickers.claims import Claim, Due
from tickerq_celery.tickers.flows import Flows, FunctionQueue

logger = logging.getLogger(__name__)
# How large the windows are for runs of other cron tickers and keys, which a backlog of one would delay else.
_BESIDE = 1.5
# And for a process that adds runs: what it leaves waits for the next poll of a beat.
_AT_ONCE = 4


class _NotAllError(Exception):
    """Something holds one of the calls, or another process has it: none is to be claimed with the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """The claims of one transaction; ``is_full`` means that more runs may be due."""

    claims: Sequence[Claim]
    is_full: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """The claims of a batch, the flows of runs that were left due, and how many are ahead in each flow."""

    claims: Sequence[Claim] = ()
    left: Collection[FunctionQueue] = ()
    ahead: Mapping[FunctionQueue, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What a claim locked: runs beside a backlog, or else the oldest that are due, and what it left.

    ``found`` is how many it locked of each share, None where it took none by flow.
    """

    others: Sequence[Due] = ()
    oldest: Sequence[Due] = ()
    found: Mapping[Share, int] | None = None
    left: Collection[FunctionQueue] = ()
    ahead: Mapping[FunctionQueue, int] = field(default_factory=dict)


class Claimer:
    """Takes due runs for publishing, and holds those that may not run.

    What ``may_claim`` returns False for is left to others; ``on_claimed`` is given how many were claimed.
    ``queue_of`` returns the queue to which runs of a function are sent, None where that is unknown.
    """

    def __init__(
        self,
        core: Core,
        *,
        may_claim: Callable[[Due], bool] = lambda due: True,
        on_claimed: Callable[[int], None] = lambda count: None,
        queue_of: Callable[[FunctionQueue], str | None] = lambda flow: flow.queue,
    ) -> None:
        self._core = core
        self._may_claim = may_claim
        self._on_claimed = on_claimed
        self._most = core.config.batch_size
        self._known = KnownFunctions()
        self._fair = FairQueuing(core.clock)
        self._flows = DueFlows(core, queue_of)
        self._hold_release = HoldRelease(core)
        # Functions of which it was logged that their runs are held.
        self._logged: set[str] = set()

    def claim_calls(self, calls: Sequence[Due], *, holder: str) -> Claimed:
        """Claim calls of Celery tasks that this process has just stored, as ``claim`` does with their ids.

        By one statement for each queue, where nothing holds them: who has committed waits for it. That of one
        call is undone by nothing, so it may commit itself.
        """
        core, claimed = self._core, None
        write = core.write_alone if len(calls) == 1 and core.database.autocommits else core.write
        with suppress(_NotAllError):
            claimed = write(self._claim_calls, calls, holder)
        if claimed is None:
            return self.claim(holder=holder, ids=[call.id for call in calls])
        self._on_claimed(len(claimed))
        return Claimed(claims=claimed, is_full=False)

    def claim(self, *, holder: str, ids: Collection[UUID] | None = None) -> Claimed:
        """Claim a batch of due runs, or those of ``ids`` that are due; the commit is done on return.

        Runs that waited for a rate are claimed with them, once it lets the next ones through. What has no
        capacity in its queue yet is left due, for a claim of a beat.
        """
        if ids is not None:
            claimed, _ = self._core.write(self._claim, holder, ids, None)
        else:
            claimed = self._claim_next(holder)
        self._on_claimed(len(claimed.claims))
        return claimed

    @property
    def next_poll(self) -> float | None:
        """In how many seconds to claim again, as due runs wait for capacity in their queue; None: none do."""
        return self._flows.next_poll

    def _claim_calls(self, tx: Transaction, calls: Sequence[Due], holder: str) -> Sequence[Claim]:
        config = self._core.config
        taken: list[Claim] = []
        for queue in dict.fromkeys(call.queue for call in calls):
            of_queue = claims.claim_calls(
                tx,
                [call for call in calls if call.queue == queue],
                holder=holder,
                late_after=config.late_after,
                publish_check=config.publish_check,
                most_queued=config.max_queued,
            )
            if of_queue is None:
                raise _NotAllError
            taken += of_queue
        failpoint(CrashPoint.CLAIM_UNCOMMITTED)
        return taken

    def _claim_next(self, holder: str) -> Claimed:
        by_flow = self._flows.next_poll is not None
        passed = self._fair.passed_over(by_flow=by_flow)
        shares = self._flows.poll() if by_flow else None
        began = self._core.clock.monotonic()
        claimed, work = self._core.write(self._claim, holder, None, passed, shares)
        if passed is not None:
            self._fair.took_others(work.others, is_full=len(work.others) == self._most, began=began)
        if work.found is not None:
            self._flows.took(work.found)
        self._flows.claimed(work.ahead, left=work.left)
        if not work.others:
            is_backlog = claimed.is_full or self._flows.next_poll is not None
            self._fair.took_oldest(work.oldest, is_full=is_backlog)
        return claimed

    def release_holds(self, tx: Transaction) -> Released:
        """Make runs due whose hold's cause is gone, up to a batch for each cause."""
        return self._hold_release.release(tx, self._functions_of(tx, nodes.worker_hashes(tx)))

    def _functions_of(self, tx: Transaction, hashes: Set[str]) -> Mapping[str, FunctionLimits]:
        known = self._known.of(tx, hashes)
        self._logged -= known.keys()
        return known

    def _claim(
        self,
        tx: Transaction,
        holder: str,
        ids: Collection[UUID] | None,
        passed: Flows | None,
        shares: Sequence[Share] | None = None,
    ) -> tuple[Claimed, _Work]:
        work = self._lock(tx, ids, passed, shares)
        due = work.others or work.oldest
        if work.found is None:
            is_full = bool(work.others) or len(due) == self._most
        else:
            is_full = any(share.is_cut and count >= share.most for share, count in work.found.items())
        taken = self._take(tx, due, holder=holder, ids=ids, beside=bool(work.others))
        work = replace(work, left=taken.left, ahead=taken.ahead)
        found = taken.claims if work.found is None else round_robin(taken.claims)
        return Claimed(claims=found, is_full=is_full), work

    def _lock(
        self,
        tx: Transaction,
        ids: Collection[UUID] | None,
        passed: Flows | None,
        shares: Sequence[Share] | None,
    ) -> _Work:
        if passed is not None:
            found = claims.due_beside(tx, passed, limit=self._most)
            others = self._lock_due(tx, found) if found else ()
            if others:
                return _Work(others=others)
        if shares is None:
            return _Work(oldest=self._lock_due(tx, ids))
        locked = due_flows.lock_shares(tx, [(share.due, share.most) for share in shares])
        oldest = [run for runs in locked for run in runs if self._may_claim(run)]
        return _Work(oldest=oldest, found=dict(zip(shares, map(len, locked), strict=True)))

    def _lock_due(self, tx: Transaction, ids: Collection[UUID] | None) -> Sequence[Due]:
        due = claims.lock_due(tx, limit=self._most, ids=ids)
        return [run for run in due if self._may_claim(run)]

    def _take(
        self,
        tx: Transaction,
        due: Sequence[Due],
        *,
        holder: str,
        ids: Collection[UUID] | None,
        beside: bool,
    ) -> _Taken:
        config = self._core.config
        if not due and ids is not None:
            return _Taken()
        among = None if ids is None else {run.function for run in due}
        deciding = capacity.read(tx, due, ready_among=among, lease=config.lease)
        self._flows.know(deciding.workers)
        if not due and not deciding.ready:
            return _Taken()
        known = self._functions_of(tx, {worker.functions_hash for worker in deciding.workers})
        times = _BESIDE if beside else 1 if ids is None else _AT_ONCE
        windows = partial(self._flows.sizes, times=times)
        counted = count(self._core, tx, due, known=known, deciding=deciding, windows=windows)
        admission = counted.capacity.admit(counted.runs)
        holds.hold(tx, admission.held)
        self._log_unknown(admission.held.values())
        taken = claims.claim(
            tx,
            admission.admitted,
            holder=holder,
            late_after=config.late_after,
            publish_check=config.publish_check,
        )
        self._start_waits(tx, admission.admitted, known)
        failpoint(CrashPoint.CLAIM_UNCOMMITTED)
        left = {FunctionQueue(run.function, run.queue) for run in admission.left}
        return _Taken(claims=taken, left=left, ahead=counted.capacity.ahead)

    def _start_waits(
        self, tx: Transaction, admitted: Iterable[Due], known: Mapping[str, FunctionLimits]
    ) -> None:
        limits = {run.function: known[run.function] for run in admitted if run.call is None}
        waits = {name: each.rate.wait for name, each in limits.items() if each.rate is not None}
        rates.wait_after(tx, waits)

    def _log_unknown(self, held: Iterable[Hold]) -> None:
        """Log once for each function that its runs wait for a worker that has it."""
        unknown = {each.key for each in held if each.reason is HoldReason.FUNCTION} - self._logged
        for name in sorted(unknown):
            logger.warning("runs of %s are held: no live worker has this function", name)
        self._logged |= unknown
