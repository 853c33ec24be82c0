"""Claim due runs, publish them, stamp them; give back what the broker did not take."""

import logging
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from uuid import UUID

from tickerq_celery.errors import StoreError
from tickerq_celery.failpoints import CrashPoint, failpoint
from tickerq_celery.runs.claimer import Claimer
from tickerq_celery.runs.publisher import Publisher
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs import publications
from tickerq_celery.tickers.claims import Claim, Due
from tickerq_celery.tickers.handover import RefusedClaim, UnsentCallError
from tickerq_celery.tickers.lifecycle import Failure
from tickerq_celery.wording import cause_of

logger = logging.getLogger(__name__)
# A start keeps a row locked for milliseconds; a worker that keeps it longer is stalled.
_PAUSES = (0.0, 0.01, 0.05, 0.1, 0.2, 0.4)
_NAMES_SHOWN = 5
_LONGEST_CAUSE = 200


class Dispatcher:
    """Claims due runs and publishes them.

    ``must_stop`` is called in the middle of a batch, and returns True if the rest is to be given back;
    ``on_published`` is given the claims that the broker has taken.
    """

    def __init__(
        self,
        core: Core,
        claimer: Claimer,
        publisher: Publisher,
        *,
        must_stop: Callable[[], bool] = lambda: False,
        on_published: Callable[[Sequence[Claim]], None] = lambda claims: None,
    ) -> None:
        self._core = core
        self._claimer = claimer
        self._publisher = publisher
        self._must_stop = must_stop
        self._on_published = on_published

    def dispatch(
        self, *, holder: str, ids: Collection[UUID] | None = None, calls: Sequence[Due] = ()
    ) -> bool:
        """Claim and publish a batch; return True if more runs may be due.

        ``ids`` narrows to those runs, and ``calls`` to what this process has just stored.

        Raises:
            PublishError: The broker is unreachable; nothing stays claimed and unpublished.
            StoreError: The database is unreachable.
        """
        self._publisher.connect()
        until = self._core.clock.monotonic() + self._core.config.publish_check.total_seconds()
        if calls:
            claimed = self._claimer.claim_calls(calls, holder=holder)
        else:
            claimed = self._claimer.claim(holder=holder, ids=ids)
        if claimed.claims:
            failpoint(CrashPoint.CLAIMED)
        sent = self.publish(claimed.claims, until=until)
        if sent:
            names = sorted({claim.function for claim in sent})
            shown = ", ".join(names[:_NAMES_SHOWN]) + (", …" if len(names) > _NAMES_SHOWN else "")
            logger.info("dispatched %d %s: %s", len(sent), "run" if len(sent) == 1 else "runs", shown)
        return claimed.is_full

    def publish(self, batch: Sequence[Claim], *, until: float) -> list[Claim]:
        """Publish claims, stamp and return them; give back those of first-time claims that could not be.

        One that the broker would never take, as its queue or its route is wrong, is set aside.
        ``until`` is the monotonic moment at which the sweep of another beat may take the claims over.

        Raises:
            PublishError: The broker did not take all of them.
        """
        locked: list[Claim] = []
        try:
            published = self._publish(batch, until, locked)
        finally:
            self._stamp_locked(locked, until)
        self._on_published(published)
        return published

    def _publish(self, batch: Sequence[Claim], until: float, locked: list[Claim]) -> list[Claim]:
        """Publish claims, and add to ``locked`` the calls that are still to be stamped."""
        published: list[Claim] = []
        done = 0
        for part in _parts(batch, self._publisher.most_at_once):
            if self._must_stop():
                self._give_back(batch[done:], until)
                break
            if not self._is_ours(part[0], until):
                logger.warning("run %s is left to the sweep, which may publish it already", part[0].id)
                done += len(part)
                continue
            handed = self._publisher.hand_over(part)
            if handed.failure is not None:
                self._give_back([*handed.left, *batch[done + len(part) :]], until)
            locked += self._stamp(handed.taken)
            self._set_aside(handed.refused)
            if handed.failure is not None:
                raise handed.failure
            done += len(part)
            published += handed.taken
        return published

    def _is_ours(self, claim: Claim, until: float) -> bool:
        # A worker drops the second message of a claim, but not that of a Celery task.
        return claim.call is None or self._core.clock.monotonic() < until

    def _stamp(self, part: Sequence[Claim]) -> list[Claim]:
        """Stamp what was published, and return the calls whose rows another transaction has locked."""
        if not part:
            return []
        try:
            locked = self._write_stamps(part)
        except StoreError as error:
            # An unstamped run is checked soon. Its second message is dropped; that of a Celery task is not.
            logger.warning("could not stamp %d published runs: %s", len(part), error)
            return []
        failpoint(CrashPoint.STAMPED)
        return locked

    def _write_stamps(self, part: Sequence[Claim]) -> list[Claim]:
        core, after = self._core, self._core.config.republish_after
        is_alone = len(part) == 1 and part[0].call is not None and core.database.returns_alone
        if is_alone and core.write_alone(publications.stamp_call, part[0], check_after=after):
            return []
        return core.write(publications.stamp, part, check_after=after)

    def _stamp_locked(self, locked: list[Claim], until: float) -> None:
        """Stamp calls that a worker was starting meanwhile, in case the store does not take their starts."""
        for pause in _PAUSES:
            if not locked or self._core.clock.monotonic() + pause >= until:
                break
            time.sleep(pause)
            locked = self._stamp(locked)
        if locked:
            logger.warning("could not stamp %d published runs: another process has them locked", len(locked))

    def _set_aside(self, refused: Sequence[RefusedClaim]) -> None:
        """Let refused claims wait; a Celery task's, of which more come, fails in the end.

        The user's router raised, or Celery does not know a queue. Those behind must not wait for that. What
        a task's own ``apply_async`` did not send ends at once, if no earlier claim may have tried it.
        """
        if not refused:
            return
        for each in refused:
            self._log_refusal(each)
        try:
            self._core.write(self._write_refusals, refused)
        except StoreError as error:
            # Harmless: they stay Queued, and the sweep tries them again.
            logger.warning("could not postpone %d runs that cannot be published: %s", len(refused), error)

    def _log_refusal(self, refusal: RefusedClaim) -> None:
        claim, error = refusal.claim, refusal.error
        if isinstance(error, UnsentCallError) and _ends_now(claim, self._core):
            logger.warning("run %s of %s ends unsent: %s", claim.id, claim.function, error.reason)
            return
        logger.error(
            "run %s of %s cannot be published, it is tried again in %d s",
            claim.id,
            claim.function,
            self._core.config.republish_after.total_seconds(),
            exc_info=error,
        )

    def _write_refusals(self, tx: Transaction, refused: Sequence[RefusedClaim]) -> None:
        core = self._core
        for each in refused:
            claim, error = each.claim, each.error
            if isinstance(error, UnsentCallError) and _ends_now(claim, core):
                _end_unsent(tx, core, claim, error)
            elif claim.call is not None and claim.number > core.config.max_rescues:
                publications.fail(tx, claim, _failure(core, error))
            else:
                publications.postpone(tx, claim.id, claim.number, core.config.republish_after)

    def _give_back(self, rest: Sequence[Claim], until: float) -> None:
        # A claim without a due time was taken over by the sweep, and stays Queued until its next check.
        fresh = [claim for claim in rest if claim.due_at is not None and self._is_ours(claim, until)]
        failpoint(CrashPoint.REFUSED)
        try:
            self._core.write(publications.give_back, fresh)
        except StoreError as error:
            logger.warning(
                "could not give back %d claims, the sweep will publish them: %s", len(fresh), error
            )


def _ends_now(claim: Claim, core: Core) -> bool:
    """Return True unless the lock that a task met may be its own, of an earlier claim that failed to send.

    One without a due time was taken over by the sweep.
    """
    is_first = claim.number == 1 and claim.due_at is not None
    return is_first or claim.number > core.config.max_rescues


def _end_unsent(tx: Transaction, core: Core, claim: Claim, unsent: UnsentCallError) -> None:
    if unsent.error is None:
        publications.skip(tx, claim, core.redact(unsent.reason))
    else:
        publications.fail(tx, claim, _failure(core, unsent.error))


def _failure(core: Core, error: Exception) -> Failure:
    # Redacted before it is cut: of half a secret nothing can be found.
    message = core.redact(cause_of(error, sys.maxsize))[:_LONGEST_CAUSE]
    return Failure(type=type(error).__name__, message=message)


def _parts(batch: Sequence[Claim], most: int) -> Iterator[list[Claim]]:
    """Yield what is stamped at once: a Celery task's call alone, so that a kill repeats no other."""
    part: list[Claim] = []
    for claim in batch:
        is_alone = claim.call is not None or (part and part[0].call is not None)
        if part and (is_alone or len(part) == most):
            yield part
            part = []
        part.append(claim)
    if part:
        yield part
