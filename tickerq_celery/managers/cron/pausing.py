"""Pause and resume one cron ticker, and what all changes of one have in common."""

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.cron.pausing import resume_with_held
from tickerq_celery.errors import TickerNotFoundError
from tickerq_celery.managers.changes import change_of, with_released
from tickerq_celery.managers.cron.preview import KIND, CronPreview
from tickerq_celery.managers.operations import Operation, operation_on
from tickerq_celery.store.cron import cron_pauses, cron_tickers
from tickerq_celery.store.cron.cron_pauses import BY_FAILURES, is_orphaned
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.audit import ObjectKind
from tickerq_celery.tickers.cron_rows import CronRow
from tickerq_celery.tickers.effect import Change, Effect
from tickerq_celery.tickers.versions import ExpectedLike, check_version, check_versions, wanted_version
from tickerq_celery.tickers.views import Cron

T = TypeVar("T")


class CronPausing(CronPreview):
    """Changes of one cron ticker. Every call is one transaction that has it locked."""

    def pause(
        self,
        cron_id: UUID | str,
        *,
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
        operation = self._operation("pause", cron_id, by, reason)
        who = self._storing.operations.who(by)
        return self._change(operation, expected, lambda tx, cron: self._pause(tx, cron, reason, who))

    def resume(
        self,
        cron_id: UUID | str,
        *,
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
        operation = self._operation("resume", cron_id, by, reason, missed=missed)
        who = self._storing.operations.who(by)
        return self._change(
            operation,
            expected,
            lambda tx, cron: self._resume(tx, cron, missed=missed, by=who, reason=reason),
            with_released,
        )

    def _operation(
        self, verb: str, cron_id: UUID | str, by: str | None, reason: str | None, **arguments: object
    ) -> Operation:
        action, ids = f"cron_tickers.{verb}", [validation.identifier(cron_id)]
        return operation_on(ObjectKind.CRON_TICKER, action, ids, by, reason, **arguments)

    def _change(
        self,
        operation: Operation,
        expected: ExpectedLike,
        work: Callable[[Transaction, CronRow], T],
        shown: Callable[[Change, T], Change] = lambda change, _: change,
    ) -> Cron:
        """Do ``work`` on the one locked cron ticker of an operation, if it is the ``expected`` one.

        ``shown`` returns what the audit has of the change, with what the work says of it.
        """
        version = wanted_version(expected)
        operation = operation.expecting(version)
        cron_id = operation.ids[0]

        def change(tx: Transaction) -> Effect[Cron]:
            row = self._locked(tx, cron_id)
            before = self._get(tx, cron_id)
            check_version(version, before, cron_id)
            done = work(tx, row)
            after = self._get(tx, cron_id)
            return Effect(result=after, change=shown(change_of({cron_id: before}, [after]), done))

        return self._storing.operate(operation, change, recall=lambda tx, entry: self._get(tx, cron_id))

    def _pause(self, tx: Transaction, cron: CronRow, reason: str | None, by: str | None) -> None:
        if is_pausable(cron):
            cron_pauses.pause(tx, cron, reason=reason, by=by)

    def _resume(
        self,
        tx: Transaction,
        cron: CronRow,
        *,
        missed: bool = False,
        reason: str | None = None,
        by: str | None = None,
    ) -> int:
        if cron.is_enabled:
            return 0
        return resume_with_held(tx, cron, missed=missed, by=by, reason=reason)

    def _locked(self, tx: Transaction, cron_id: UUID) -> CronRow:
        cron = cron_tickers.lock(tx, cron_id)
        if cron is None:
            raise TickerNotFoundError(KIND, cron_id)
        return cron

    def _get(self, tx: Transaction, cron_id: UUID) -> Cron:
        core = self._storing.core
        cron = cron_tickers.get(tx, cron_id, codec=core.codec)
        if cron is None:
            raise TickerNotFoundError(KIND, cron_id)
        return cron

    def _seen_all(
        self, tx: Transaction, ids: Collection[UUID], versions: Mapping[UUID, str]
    ) -> dict[UUID, Cron]:
        """Lock those of ``ids`` that are cron tickers, if they are as a caller has seen them."""
        seen = cron_tickers.lock_views(tx, ids, codec=self._storing.core.codec)
        check_versions(versions, seen)
        return seen

    def _got_all(
        self, tx: Transaction, ids: Collection[UUID], namespaces: Collection[str] = ()
    ) -> list[Cron]:
        """Return cron tickers in the order of their ``ids``; a caller's snapshot may be older."""
        found: dict[UUID, Cron] = {}
        for namespace in sorted(namespaces) or [tx.namespace]:
            found |= cron_tickers.lock_views(tx.within(namespace), ids, codec=self._storing.core.codec)
        for each in ids:
            if each not in found:
                raise TickerNotFoundError(KIND, each)
        return [found[each] for each in ids]


def is_pausable(cron: CronRow) -> bool:
    """Return True if a pause changes a cron ticker: it fires, or no operator has paused it.

    A pause for missing code is taken over, too, or the code's return would let it fire.
    """
    if cron.is_enabled:
        return True
    has_no_words = cron.paused_reason is None and cron.paused_by is None
    return has_no_words or cron.paused_by == BY_FAILURES or is_orphaned(cron)
