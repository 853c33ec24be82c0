"""Claim due runs in one transaction: lock, decide, hold or take."""

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from tickerq_celery.admission import Capacity
from tickerq_celery.core import Core
from tickerq_celery.enums import HoldReason
from tickerq_celery.failpoints import Place, failpoint
from tickerq_celery.store import claims, cron_tickers, functions, holds, nodes, pauses, sweeps
from tickerq_celery.store.claims import Claim, Due
from tickerq_celery.store.holds import Hold

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """The claims of one transaction; ``is_full`` says that more runs may be due."""

    claims: Sequence[Claim]
    is_full: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifted:
    """How many holds one transaction lifted; ``is_full`` says that there may be more to lift."""

    count: int
    is_full: bool


class Claimer:
    """Takes due runs for publishing, and holds those that may not run."""

    def __init__(self, core: Core) -> None:
        self._core = core
        # A hash stands for one set of functions for ever, so what it means is read once.
        self._sets: dict[str, dict[str, int]] = {}
        # Functions whose runs are held, as far as the log has said so.
        self._told: set[str] = set()

    def claim(self, *, holder: str, ids: Collection[UUID] | None = None) -> Claimed:
        """Claim a batch of due runs, or those of ``ids`` that are due; the commit is done on return."""
        return self._core.database.write(lambda connection: self._claim(connection, holder, ids))

    def known_functions(self, connection: Connection) -> dict[str, int]:
        """Return the functions that live workers have, with their concurrency limits.

        Where workers differ, as in a rolling deployment, the smallest limit counts.
        """
        namespace = self._core.config.namespace
        hashes = nodes.worker_hashes(connection, namespace)
        missing = hashes - self._sets.keys()
        if missing:
            self._sets |= nodes.function_sets(connection, namespace, missing)
        known: dict[str, int] = {}
        for each in hashes & self._sets.keys():
            for name, limit in self._sets[each].items():
                smaller = [value for value in (known.get(name, 0), limit) if value > 0]
                known[name] = min(smaller, default=0)
        self._told -= known.keys()
        return known

    def lift_holds(self, connection: Connection) -> Lifted:
        """Make runs due whose hold's cause is gone, up to a batch for each cause."""
        config, most = self._core.config, self._core.config.batch_size
        known = self.known_functions(connection)
        waiting = sweeps.held_keys(connection, config.namespace, HoldReason.FUNCTION)
        room = self._room(connection, known)
        whole = [
            self._lift(connection, HoldReason.FUNCTION, [name for name in waiting if name in known], most),
            self._lift(connection, HoldReason.PAUSED, self._resumed(connection), most),
            self._lift(connection, HoldReason.LIMIT, [name for name in room if not known[name]], most),
        ]
        count = sum(whole) + sweeps.lift_full_queues(
            connection, self._core.clock, namespace=config.namespace, most=config.max_queued
        )
        for name, places in room.items():
            if known[name]:
                count += self._lift(connection, HoldReason.LIMIT, [name], places)
        return Lifted(count=count, is_full=max(whole) >= most)

    def _lift(self, connection: Connection, reason: HoldReason, keys: Collection[str], limit: int) -> int:
        lifted = holds.lift(
            connection,
            self._core.clock,
            namespace=self._core.config.namespace,
            reason=reason,
            keys=keys,
            limit=limit,
        )
        return len(lifted)

    def _resumed(self, connection: Connection) -> list[str]:
        # A claim that saw the pause may write its hold just after the resumption lifted them all.
        namespace = self._core.config.namespace
        waiting = sweeps.held_keys(connection, namespace, HoldReason.PAUSED)
        held = pauses.keys(connection, namespace, waiting)
        return [key for key in waiting if key not in held]

    def _room(self, connection: Connection, known: dict[str, int]) -> dict[str, int]:
        namespace = self._core.config.namespace
        waiting = sweeps.held_keys(connection, namespace, HoldReason.LIMIT)
        names = [name for name in waiting if name in known]
        if not names:
            return {}
        active = sweeps.active_per_function(connection, namespace, names)
        # A function that has lost its limit gets all its held runs back, a batch at a time.
        room = {
            name: (known[name] - active[name]) if known[name] else self._core.config.batch_size
            for name in names
        }
        return {name: places for name, places in room.items() if places > 0}

    def _claim(self, connection: Connection, holder: str, ids: Collection[UUID] | None) -> Claimed:
        config, clock = self._core.config, self._core.clock
        due = claims.lock_due(connection, clock, namespace=config.namespace, limit=config.batch_size, ids=ids)
        if not due:
            return Claimed(claims=(), is_full=False)
        admission = self._capacity(connection, due).admit(due)
        holds.hold(connection, admission.held)
        self._tell_unknown(admission.held.values())
        taken = claims.claim(
            connection,
            clock,
            admission.admitted,
            holder=holder,
            late_after=config.late_after,
            publish_check=config.publish_check,
        )
        failpoint(Place.CLAIM_UNCOMMITTED)
        return Claimed(claims=taken, is_full=len(due) == config.batch_size)

    def _tell_unknown(self, held: Iterable[Hold]) -> None:
        """Say once for each function that its runs wait for a worker that has it."""
        unknown = {each.key for each in held if each.reason is HoldReason.FUNCTION} - self._told
        for name in sorted(unknown):
            logger.warning("runs of %s are held: no live worker has this function", name)
        self._told |= unknown

    def _capacity(self, connection: Connection, due: Sequence[Due]) -> Capacity:
        namespace = self._core.config.namespace
        known = self.known_functions(connection)
        limited = sorted({run.function for run in due if known.get(run.function)})
        active: dict[str, int] = {}
        if limited:
            counted_elsewhere = functions.lock(connection, namespace, limited)
            active = sweeps.active_per_function(connection, namespace, limited)
            # Whose places another claim gives away just now, has none for this one: the sweep lifts the hold.
            active |= {name: known[name] for name in counted_elsewhere}
        crons = {run.cron_ticker_id for run in due if run.cron_ticker_id is not None}
        return Capacity(
            functions=known,
            most_queued=self._core.config.max_queued,
            paused_crons=cron_tickers.paused_among(connection, crons),
            paused=pauses.holding(connection, namespace, due),
            active=active,
            queued=sweeps.queued_per_queue(connection, namespace, {run.queue for run in due}),
        )
