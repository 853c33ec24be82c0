"""Pause and resume cron tickers, one of them or several at once."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Generic
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.cron.pausing import resume_with_held
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.managers.changes import batch_change_of, skips_in, with_released
from tickerq_celery.managers.cron.locked import LockedCrons, operation_on_one
from tickerq_celery.managers.operations import Operation, operation_on
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.store.cron import cron_pauses, cron_tickers
from tickerq_celery.store.cron.cron_pauses import BY_FAILURES, is_orphaned
from tickerq_celery.store.database.transaction import Transaction, savepoint
from tickerq_celery.tickers.audit import ObjectKind
from tickerq_celery.tickers.cron_batches import CronBatch, CronSkip
from tickerq_celery.tickers.cron_rows import CronRow
from tickerq_celery.tickers.effect import Effect
from tickerq_celery.tickers.sessions import SessionT
from tickerq_celery.tickers.skip_reasons import who_and_why
from tickerq_celery.tickers.versions import ExpectedBatchLike, ExpectedLike, wanted_versions
from tickerq_celery.tickers.views import Cron

MISSING, NOT_PAUSED = "it is not there", "it is not paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """What a verb did to a cron ticker: ``left`` says why it is as it was; ``released`` is how many runs."""

    left: str | None = None
    released: int | None = None


_Verb = Callable[[Transaction, CronRow], _Done]


class CronPausing(Generic[SessionT]):
    """Pauses of cron tickers, which each call has locked in its transaction, or in the ``session``'s."""

    _storing: UnitOfWork
    _crons: LockedCrons

    def pause(
        self,
        cron_id: UUID | str,
        *,
        session: SessionT | None = None,
        expected: ExpectedLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> Cron:
        """Stop a cron ticker from firing, and hold its unclaimed occurrences.

        An operator's earlier pause stays as it is.

        Raises:
            TickerNotFoundError: There is none.
            TickerChangedError: It is not the ``expected`` one any more.
            TickerValidationError: ``reason`` or ``by`` is too long.
        """
        operation = operation_on_one("pause", cron_id, by, reason)
        who = self._storing.operations.who(by)
        return self._crons.change(
            operation, session, expected, lambda tx, cron: pause_locked(tx, cron, reason, who)
        )

    def resume(
        self,
        cron_id: UUID | str,
        *,
        session: SessionT | None = None,
        missed: bool = False,
        expected: ExpectedLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> Cron:
        """Let a paused cron ticker fire again, from its next instant on; what was held runs now.

        The instants that passed in the pause are recorded in one Skipped occurrence. ``missed=True`` lets
        the misfire policy decide on them, as if beat had been down.

        Raises:
            TickerNotFoundError: There is none.
            TickerChangedError: It is not the ``expected`` one any more.
            TickerValidationError: ``reason`` or ``by`` is too long.
        """
        operation = operation_on_one("resume", cron_id, by, reason, missed=missed)
        who = self._storing.operations.who(by)
        return self._crons.change(
            operation,
            session,
            expected,
            lambda tx, cron: resume_locked(tx, cron, missed=missed, by=who, reason=reason),
            with_released,
        )

    def pause_batch(
        self,
        ids: Collection[UUID | str],
        *,
        session: SessionT | None = None,
        expected: ExpectedBatchLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> CronBatch:
        """Stop cron tickers from firing, each as ``pause`` does; what is paused or is not there is skipped.

        ``expected`` has those that were read, or their versions by their ids.

        Raises:
            TickerChangedError: One is not the ``expected`` one any more; none is paused.
            TickerValidationError: ``reason`` or ``by`` is too long.
        """
        who = self._storing.operations.who(by)

        def pause(tx: Transaction, cron: CronRow) -> _Done:
            if not is_pausable(cron):
                return _Done(left=f"it is paused already{who_and_why(cron.paused_by, cron.paused_reason)}")
            pause_locked(tx, cron, reason, who)
            return _Done()

        return self._do_to_all("pause_batch", pause, ids, session, expected, reason, by)

    def resume_batch(
        self,
        ids: Collection[UUID | str],
        *,
        session: SessionT | None = None,
        missed: bool = False,
        expected: ExpectedBatchLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> CronBatch:
        """Let cron tickers fire again, each as ``resume`` does; what is not paused or not there is skipped.

        So is what this machine cannot read: its expression, or its time zone. ``expected`` has those that
        were read, or their versions by their ids.

        Raises:
            TickerChangedError: One is not the ``expected`` one any more; none is resumed.
            TickerValidationError: ``reason`` or ``by`` is too long.
        """
        who = self._storing.operations.who(by)

        def resume(tx: Transaction, cron: CronRow) -> _Done:
            if cron.is_enabled:
                return _Done(left=NOT_PAUSED)
            try:
                with savepoint(tx):
                    return _Done(released=resume_locked(tx, cron, missed=missed, by=who, reason=reason))
            except TickerValidationError as error:
                return _Done(left=f"{error.field}: {error.reason}")

        return self._do_to_all("resume_batch", resume, ids, session, expected, reason, by, missed=missed)

    def _do_to_all(
        self,
        name: str,
        verb: _Verb,
        ids: Collection[UUID | str],
        session: SessionT | None,
        expected: ExpectedBatchLike,
        reason: str | None,
        by: str | None,
        **arguments: object,
    ) -> CronBatch:
        wanted = list(dict.fromkeys(validation.identifier(each) for each in ids))
        versions = wanted_versions(expected, wanted)
        operation = operation_on(
            ObjectKind.CRON_TICKER,
            f"cron_tickers.{name}",
            wanted,
            by,
            reason,
            expected=versions,
            **arguments,
        )
        return self._storing.operate(
            operation,
            lambda tx: self._done_to_all(tx, operation, versions, verb),
            recall=lambda tx, entry: CronBatch(
                changed=tuple(self._crons.get_all(tx, [each for each in wanted if each in entry.ids])),
                skipped=skips_in(entry, wanted),
            ),
            session=session,
        )

    def _done_to_all(
        self, tx: Transaction, operation: Operation, versions: Mapping[UUID, str], verb: _Verb
    ) -> Effect[CronBatch]:
        before = self._crons.lock_all_seen(tx, operation.ids, versions)
        rows = cron_tickers.lock_all(tx, before)
        # In the order of their ids, as all others lock what belongs to them.
        found = {each: verb(tx, rows[each]) for each in sorted(rows)}
        left = {each: found[each].left if each in found else MISSING for each in operation.ids}
        after = self._crons.get_all(tx, [each for each, why in left.items() if why is None])
        skipped = tuple(CronSkip(id=each, reason=why) for each, why in left.items() if why is not None)
        return Effect(
            result=CronBatch(changed=tuple(after), skipped=skipped),
            change=batch_change_of(
                before,
                after,
                skipped,
                {each: done.released for each, done in found.items() if done.released is not None},
            ),
        )


def pause_locked(tx: Transaction, cron: CronRow, reason: str | None, by: str | None) -> None:
    """Pause a locked cron ticker, unless an operator has paused it."""
    if is_pausable(cron):
        cron_pauses.pause(tx, cron, reason=reason, by=by)


def resume_locked(
    tx: Transaction,
    cron: CronRow,
    *,
    missed: bool = False,
    reason: str | None = None,
    by: str | None = None,
) -> int:
    """Resume a locked cron ticker, and return how many runs that released."""
    if cron.is_enabled:
        return 0
    return resume_with_held(tx, cron, missed=missed, by=by, reason=reason)


def is_pausable(cron: CronRow) -> bool:
    """Return True if a pause changes a cron ticker: it fires, or no operator has paused it.

    A pause for missing code is taken over, too, or the code's return would let it fire.
    """
    if cron.is_enabled:
        return True
    has_no_words = cron.paused_reason is None and cron.paused_by is None
    return has_no_words or cron.paused_by == BY_FAILURES or is_orphaned(cron)
