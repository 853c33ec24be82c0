"""Record what a worker does with its claims: start, finish, rescue."""

import logging
import os
import time
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Protocol
from uuid import UUID

from sqlalchemy import Connection

from tickerq_celery.backoff import Backoff
from tickerq_celery.core import Core
from tickerq_celery.drops import DropReason
from tickerq_celery.enums import HoldReason, OnLost, TickerStatus
from tickerq_celery.errors import StoreError
from tickerq_celery.failpoints import Place, failpoint
from tickerq_celery.lifecycle import Outcome, lost
from tickerq_celery.pausing import after_a_failure
from tickerq_celery.store import claims, drops, ends, functions, holds, overlaps
from tickerq_celery.store.claims import Started

logger = logging.getLogger(__name__)
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


class LostCalls(Protocol):
    """Asks a worker to call the user's exception handler for an attempt that was lost."""

    def publish_lost(self, run: Started, message: str, *, was_cancelled: bool = False) -> None:
        """Send the call to a worker, or raise PublishError."""


class Recorder:
    """Writes the life of claimed runs, each write fenced by its claim number."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @property
    def is_in_main_process(self) -> bool:
        """Whether this process is the node itself, and no child of its pool."""
        return os.getpid() == self._core.node.pid

    def start(self, ticker_id: UUID, claim_no: int) -> Started | None:
        """Let this worker execute a claim, or return None where it may not.

        Raises:
            StoreError: The database is away; the run stays Queued, and its message comes again.
        """
        failpoint(Place.RECEIVED)
        run = self._core.database.write(lambda connection: self._start(connection, ticker_id, claim_no))
        if run is not None:
            failpoint(Place.STARTED)
        return run

    def reason_against(self, ticker_id: UUID, claim_no: int) -> DropReason:
        """Return why ``start`` refused a claim.

        Raises:
            StoreError: The database is away.
        """
        return self._core.database.read(
            lambda connection: drops.reason_against(connection, ticker_id, claim_no)
        )

    def finish(self, run: Started, outcome: Outcome, *, elapsed: timedelta | None) -> bool:
        """Write how an attempt ended, trying for one lease; say whether it was accepted.

        Raises:
            StoreError: The database stayed away for a whole lease.
        """
        failpoint(Place.BODY_ENDED)
        accepted = self._finish_patiently(run, outcome, elapsed)
        failpoint(Place.FINISHED)
        return accepted

    def _finish_patiently(self, run: Started, outcome: Outcome, elapsed: timedelta | None) -> bool:
        deadline = self._core.clock.monotonic() + self._core.config.lease.total_seconds()
        backoff = Backoff(_SHORTEST_PAUSE, _LONGEST_PAUSE)
        work = partial(self._finish, run=run, outcome=outcome, elapsed=elapsed)
        while True:
            try:
                return self._core.database.write(work)
            except StoreError as error:
                work = partial(self._finish_again, run=run, outcome=outcome, elapsed=elapsed)
                if self._core.clock.monotonic() >= deadline:
                    raise
                logger.warning(
                    "run %s has ended, the store is away, trying again: %s", run.id, error,
                    extra={"ticker_id": str(run.id)},
                )  # fmt: skip
                time.sleep(backoff.next())

    def rescue(self, run: Started, message: str) -> Outcome | None:
        """End the attempt of a worker that died, by the function's ``on_lost``; None if it had ended.

        None also while another process has the run in hand, as does one that stands still in its finish.

        Raises:
            StoreError: The database is away; whoever looks next will rescue the run.
        """
        return self._core.database.write(lambda connection: self._rescue(connection, run, message))

    def _start(self, connection: Connection, ticker_id: UUID, claim_no: int) -> Started | None:
        core = self._core
        run = claims.start(
            connection,
            core.clock,
            ticker_id=ticker_id,
            claim_no=claim_no,
            node_id=core.node.id,
            node=core.node.name,
        )
        if run is not None:
            failpoint(Place.START_UNCOMMITTED)
        return run

    def _rescue(self, connection: Connection, run: Started, message: str) -> Outcome | None:
        if not claims.lock_free(connection, [run.id]):
            return None
        outcome = lost(
            run.standing,
            on_lost=self._facts(connection, run.function).on_lost,
            max_rescues=self._core.config.max_rescues,
            message=message,
        )
        return outcome if self._finish(connection, run, outcome, None) else None

    def _finish(
        self, connection: Connection, run: Started, outcome: Outcome, elapsed: timedelta | None
    ) -> bool:
        core = self._core
        accepted = ends.finish(
            connection,
            core.clock,
            run,
            outcome,
            node=core.node.name,
            elapsed_ms=None if elapsed is None else round(elapsed / timedelta(milliseconds=1)),
        )
        if accepted:
            self._tell_cron(connection, run, outcome)
            failpoint(Place.FINISH_UNCOMMITTED)
        if accepted and self._facts(connection, run.function).is_limited:
            # The freed place goes to the oldest run that waits for it.
            holds.lift(
                connection,
                core.clock,
                namespace=core.config.namespace,
                reason=HoldReason.LIMIT,
                keys=[run.function],
                limit=1,
            )
        return accepted

    def _tell_cron(self, connection: Connection, run: Started, outcome: Outcome) -> None:
        """Let an occurrence's end do what its cron ticker's policies want."""
        if run.cron_ticker_id is None or outcome.goes_on:
            return
        if run.active_key is not None:
            overlaps.pass_on(connection, self._core.clock, run.cron_ticker_id)
        if outcome.status is TickerStatus.FAILED and run.instant is not None:
            after_a_failure(connection, self._core, run.cron_ticker_id)

    def _finish_again(
        self, connection: Connection, run: Started, outcome: Outcome, elapsed: timedelta | None
    ) -> bool:
        # The store may have written the end before, and only its answer was lost.
        return self._finish(connection, run, outcome, elapsed) or ends.has_written(
            connection, run, outcome, node=self._core.node.name
        )

    def _facts(self, connection: Connection, name: str) -> "_Facts":
        function = self._core.registry.get(name)
        if function is not None:
            return _Facts(on_lost=function.on_lost, is_limited=function.max_concurrency > 0)
        record = functions.find(connection, self._core.config.namespace, [name]).get(name)
        if record is not None:
            return _Facts(on_lost=OnLost(record.on_lost), is_limited=record.max_concurrency > 0)
        return _Facts(on_lost=OnLost.RETRY, is_limited=False)


def log_lost(run: Started, outcome: Outcome, message: str) -> None:
    """Tell the operator that an attempt was lost, and what becomes of its run."""
    logger.warning(
        "run %s of %s was lost and %s: %s", run.id, run.function,
        "starts again" if outcome.goes_on else f"ended {outcome.status.name}", message,
        extra={"ticker_id": str(run.id)},
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What the end of a run must know of its function, also where its code is not at hand."""

    on_lost: OnLost
    is_limited: bool
