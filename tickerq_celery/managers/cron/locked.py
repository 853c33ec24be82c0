"""Cron tickers as a transaction locks and reads them, and changes one of them."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.errors import TickerNotFoundError
from tickerq_celery.managers.changes import change_of
from tickerq_celery.managers.operations import Operation, operation_on
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.store.cron import cron_tickers
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.audit import ObjectKind
from tickerq_celery.tickers.cron_rows import CronRow
from tickerq_celery.tickers.effect import Change, Effect
from tickerq_celery.tickers.versions import ExpectedLike, check_version, check_versions, wanted_version
from tickerq_celery.tickers.views import Cron

T = TypeVar("T")
KIND = "cron ticker"


def operation_on_one(
    verb: str, cron_id: UUID | str, by: str | None, reason: str | None, **arguments: object
) -> Operation:
    """Return the operation of a verb on one cron ticker."""
    action, ids = f"cron_tickers.{verb}", [validation.identifier(cron_id)]
    return operation_on(ObjectKind.CRON_TICKER, action, ids, by, reason, **arguments)


def lock(tx: Transaction, cron_id: UUID) -> CronRow:
    """Lock a cron ticker.

    Raises:
        TickerNotFoundError: There is none.
    """
    cron = cron_tickers.lock(tx, cron_id)
    if cron is None:
        raise TickerNotFoundError(KIND, cron_id)
    return cron


@dataclass(frozen=True, slots=True)
class LockedCrons:
    """Cron tickers that a transaction has locked, as users see them."""

    storing: UnitOfWork

    def change(
        self,
        operation: Operation,
        session: object,
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
            row = lock(tx, cron_id)
            # Locking reads, as a caller's snapshot may be older.
            (before,) = self.get_all(tx, [cron_id])
            check_version(version, before, cron_id)
            done = work(tx, row)
            (after,) = self.get_all(tx, [cron_id])
            return Effect(result=after, change=shown(change_of({cron_id: before}, [after]), done))

        return self.storing.operate(
            operation, change, recall=lambda tx, entry: self.get(tx, cron_id), session=session
        )

    def lock_seen(self, tx: Transaction, cron_id: UUID, version: str | None) -> CronRow:
        """Lock a cron ticker, if it is the one that a caller has seen."""
        cron = lock(tx, cron_id)
        if version is not None:
            check_version(version, self.get(tx, cron_id), cron_id)
        return cron

    def get(self, tx: Transaction, cron_id: UUID) -> Cron:
        """Return a cron ticker.

        Raises:
            TickerNotFoundError: There is none.
        """
        cron = cron_tickers.get(tx, cron_id, codec=self.storing.core.codec)
        if cron is None:
            raise TickerNotFoundError(KIND, cron_id)
        return cron

    def lock_all_seen(
        self, tx: Transaction, ids: Collection[UUID], versions: Mapping[UUID, str]
    ) -> dict[UUID, Cron]:
        """Lock those of ``ids`` that are cron tickers, if they are as a caller has seen them."""
        seen = cron_tickers.lock_views(tx, ids, codec=self.storing.core.codec)
        check_versions(versions, seen)
        return seen

    def get_all(self, tx: Transaction, ids: Collection[UUID], namespaces: Collection[str] = ()) -> list[Cron]:
        """Return cron tickers in the order of their ``ids``; a caller's snapshot may be older.

        Raises:
            TickerNotFoundError: One is not there.
        """
        found: dict[UUID, Cron] = {}
        for namespace in sorted(namespaces) or [tx.namespace]:
            found |= cron_tickers.lock_views(tx.within(namespace), ids, codec=self.storing.core.codec)
        for each in ids:
            if each not in found:
                raise TickerNotFoundError(KIND, each)
        return [found[each] for each in ids]
