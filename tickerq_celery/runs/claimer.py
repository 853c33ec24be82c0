"""Claim due runs in one transaction: lock, count, decide, hold or take."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from uuid import UUID

from tickerq_celery.enums import HoldReason
from tickerq_celery.failpoints import CrashPoint, failpoint
from tickerq_celery.functions.limits import FunctionLimits
from tickerq_celery.runs.capacity import KnownFunctions, count
from tickerq_celery.runs.holds import HoldRelease, Released
from tickerq_celery.runtime.core import Core
from tickerq_celery.store import capacity, claims, holds, nodes, rates
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.holds import Hold
from tickerq_celery.tickers.claims import Claim, Due

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """The claims of one transaction; ``is_full`` means that more runs may be due."""

    claims: Sequence[Claim]
    is_full: bool


class Claimer:
    """Takes due runs for publishing, and holds those that may not run.

    What ``may_claim`` returns False for is left to others.
    """

    def __init__(self, core: Core, *, may_claim: Callable[[Due], bool] = lambda due: True) -> None:
        self._core = core
        self._may_claim = may_claim
        self._known = KnownFunctions()
        self._hold_release = HoldRelease(core)
        # Functions of which it was logged that their runs are held.
        self._logged: set[str] = set()

    def claim(self, *, holder: str, ids: Collection[UUID] | None = None) -> Claimed:
        """Claim a batch of due runs, or those of ``ids`` that are due; the commit is done on return.

        Runs that waited for a rate are claimed with them, once it lets the next ones through.
        """
        return self._core.write(self._claim, holder, ids)

    def release_holds(self, tx: Transaction) -> Released:
        """Make runs due whose hold's cause is gone, up to a batch for each cause."""
        return self._hold_release.release(tx, self._functions_of(tx, nodes.worker_hashes(tx)))

    def _functions_of(self, tx: Transaction, hashes: Set[str]) -> Mapping[str, FunctionLimits]:
        known = self._known.of(tx, hashes)
        self._logged -= known.keys()
        return known

    def _claim(self, tx: Transaction, holder: str, ids: Collection[UUID] | None) -> Claimed:
        config = self._core.config
        due = [run for run in claims.lock_due(tx, limit=config.batch_size, ids=ids) if self._may_claim(run)]
        if not due and ids is not None:
            return Claimed(claims=(), is_full=False)
        among = None if ids is None else {run.function for run in due}
        deciding = capacity.read(tx, due, ready_among=among)
        if not due and not deciding.ready:
            return Claimed(claims=(), is_full=False)
        known = self._functions_of(tx, deciding.worker_hashes)
        counted = count(self._core, tx, due, known=known, deciding=deciding)
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
        return Claimed(claims=taken, is_full=len(due) == config.batch_size)

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
