"""Pause and resume several cron tickers at once."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.managers.changes import batch_change_of, skips_in
from tickerq_celery.managers.cron.pausing import CronPausing, is_pausable
from tickerq_celery.managers.operations import Operation, operation_on
from tickerq_celery.store.cron import cron_tickers
from tickerq_celery.store.database.transaction import Transaction, savepoint
from tickerq_celery.tickers.audit import ObjectKind
from tickerq_celery.tickers.cron_batches import CronBatch, CronSkip
from tickerq_celery.tickers.cron_rows import CronRow
from tickerq_celery.tickers.effect import Effect
from tickerq_celery.tickers.skip_reasons import who_and_why
from tickerq_celery.tickers.versions import ExpectedBatchLike, wanted_versions

MISSING, NOT_PAUSED = "it is not there", "it is not paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """What a verb did to a cron ticker: ``left`` says why it is as it was; ``released`` is how many runs."""

    left: str | None = None
    released: int | None = None


_Verb = Callable[[Transaction, CronRow], _Done]


class CronBatches(CronPausing):
    """Changes of several cron tickers. Every call is one transaction that has them locked."""

    def pause_batch(
        self,
        ids: Collection[UUID | str],
        *,
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
            self._pause(tx, cron, reason, who)
            return _Done()

        return self._do_to_all("pause_batch", pause, ids, expected, reason, by)

    def resume_batch(
        self,
        ids: Collection[UUID | str],
        *,
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
                    return _Done(released=self._resume(tx, cron, missed=missed, by=who, reason=reason))
            except TickerValidationError as error:
                return _Done(left=f"{error.field}: {error.reason}")

        return self._do_to_all("resume_batch", resume, ids, expected, reason, by, missed=missed)

    def _do_to_all(
        self,
        name: str,
        verb: _Verb,
        ids: Collection[UUID | str],
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
                changed=tuple(self._got_all(tx, [each for each in wanted if each in entry.ids])),
                skipped=skips_in(entry, wanted),
            ),
        )

    def _done_to_all(
        self, tx: Transaction, operation: Operation, versions: Mapping[UUID, str], verb: _Verb
    ) -> Effect[CronBatch]:
        before = self._seen_all(tx, operation.ids, versions)
        rows = cron_tickers.lock_all(tx, before)
        # In the order of their ids, as all others lock what belongs to them.
        found = {each: verb(tx, rows[each]) for each in sorted(rows)}
        left = {each: found[each].left if each in found else MISSING for each in operation.ids}
        after = self._got_all(tx, [each for each, why in left.items() if why is None])
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
