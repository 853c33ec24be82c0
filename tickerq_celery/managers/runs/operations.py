"""Operate on one run or several: delete them, and end what a dead node has left."""

from collections.abc import Collection, Mapping
from functools import partial
from typing import Generic
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.enums import OnLost, TickerType
from tickerq_celery.errors import TickerNotFoundError
from tickerq_celery.managers.changes import change_of
from tickerq_celery.managers.operations import KIND_NAMES, Operation, operation_on
from tickerq_celery.managers.runs.deletes import delete_inactive
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.runs.cancelling import Canceller
from tickerq_celery.runs.lost_runs import LostOrder, LostRun, LostRuns
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs import runs
from tickerq_celery.tickers.audit import ObjectKind
from tickerq_celery.tickers.effect import Effect
from tickerq_celery.tickers.sessions import SessionT
from tickerq_celery.tickers.skip_reasons import who_and_why
from tickerq_celery.tickers.versions import (
    ExpectedBatchLike,
    ExpectedLike,
    check_version,
    check_versions,
    expected_of,
    wanted_version,
    wanted_versions,
)
from tickerq_celery.tickers.views import Run


class RunOperations(Generic[SessionT]):
    """What an operator does to runs of one ``kind``, or of both.

    Every call is one transaction, or a part of its caller's ``session``.
    """

    def __init__(self, storing: UnitOfWork, canceller: Canceller, kind: TickerType | None = None) -> None:
        self._storing = storing
        self._canceller = canceller
        self._lost = LostRuns(storing.core, canceller.notifier)
        self._core = storing.core
        self._kind = kind

    def delete(
        self,
        ticker_id: UUID | str,
        *,
        session: SessionT | None = None,
        expected: ExpectedLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> None:
        """Delete a run that waits or has ended, as ``delete_batch`` does.

        Raises:
            TickerNotFoundError: There is none.
            TickerStateError: It, or one below it, is Queued or InProgress: cancel that one first.
            TickerChangedError: It is not the ``expected`` one any more.
            TickerBusyError: Another process keeps its row locked, or that of one below it.
            TickerValidationError: ``reason`` or ``by`` is too long.
        """
        found = validation.identifier(ticker_id)
        versions = expected_of(found, expected)
        operation = self._operation("runs.delete", [found], by, reason, expected=versions)
        self._delete(operation, versions, session, needed=[found])

    def delete_batch(
        self,
        ids: Collection[UUID | str],
        *,
        session: SessionT | None = None,
        expected: ExpectedBatchLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> int:
        """Delete runs that wait or have ended, all or none; return how many of them were there.

        Their attempts and log lines go with them, and all that is below them in a chain. An instant whose
        occurrence was deleted can be backfilled again.

        Raises:
            TickerStateError: One of them, or one below it, is Queued or InProgress; nothing is deleted.
            TickerChangedError: One is not the ``expected`` one any more; nothing is deleted.
            TickerBusyError: Another process keeps one of them, or one below it, locked; nothing is deleted.
            TickerValidationError: ``reason`` or ``by`` is too long.
        """
        wanted = [validation.identifier(each) for each in ids]
        versions = wanted_versions(expected, wanted)
        operation = self._operation("runs.delete_batch", wanted, by, reason, expected=versions)
        return self._delete(operation, versions, session)

    def release(
        self,
        ticker_id: UUID | str,
        *,
        session: SessionT | None = None,
        expected: ExpectedLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> Run:
        """Let a run start again now whose node is dead, whatever its function's ``on_lost``; return it.

        Its attempt is recorded as lost, as a sweep records it; it uses up no retry. One whose cancel was
        requested is Cancelled instead. The end that its node may report after all is dropped.

        Raises:
            TickerNotFoundError: There is none.
            TickerStateError: It is not InProgress, or its node gave a sign of life less than a lease ago.
            TickerChangedError: It is not the ``expected`` one any more.
            TickerBusyError: Another process keeps its row locked.
            TickerValidationError: ``reason`` or ``by`` is too long.
        """
        return self._end_lost("runs.release", ticker_id, OnLost.RETRY, session, expected, reason, by)

    def mark_failed(
        self,
        ticker_id: UUID | str,
        *,
        session: SessionT | None = None,
        expected: ExpectedLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> Run:
        """End a run as Failed whose node is dead, whatever its function's ``on_lost``, and return it.

        What follows a failure follows: children, the next occurrence, a pause by failures. Does and raises
        what ``release`` does besides.
        """
        return self._end_lost("runs.mark_failed", ticker_id, OnLost.FAIL, session, expected, reason, by)

    def _delete(
        self,
        operation: Operation,
        versions: Mapping[UUID, str],
        session: SessionT | None,
        *,
        needed: Collection[UUID] = (),
    ) -> int:
        wanted = operation.ids

        def check(tx: Transaction) -> None:
            seen = runs.get_all(tx, list(versions), codec=self._core.codec, type=self._kind)
            check_versions(versions, seen)

        def work(tx: Transaction) -> Effect[int]:
            effect = delete_inactive(tx, wanted, type=self._kind, check=check if versions else None)
            for each in needed if effect.result == 0 else ():
                raise TickerNotFoundError(KIND_NAMES[self._kind], each)
            return effect

        return self._storing.operate(
            operation,
            work,
            recall=lambda tx, entry: len(set(wanted) & set(entry.ids)),
            session=session,
        )

    def reread(self, ticker_id: UUID, session: SessionT | None = None) -> Run:
        """Return a run as it is stored after a verb, which does not fail for wide reads of others."""
        if session is None:
            return self._core.read(self.got, ticker_id)
        found = self._storing.read(
            partial(self.got_all, ids=[ticker_id], locks=True), session, verb="runs.get"
        )
        return found[0]

    def got(self, tx: Transaction, ticker_id: UUID) -> Run:
        """Return a run, in a transaction that is open; raises what ``got_all`` does."""
        return self.got_all(tx, [ticker_id])[0]

    def got_all(
        self,
        tx: Transaction,
        ids: Collection[UUID],
        namespaces: Collection[str] = (),
        *,
        locks: bool = False,
    ) -> list[Run]:
        """Return runs in the order of their ``ids``, in a transaction that is open.

        One of a caller ``locks`` them, as its snapshot may be older. They are of this application's namespace
        unless other ``namespaces`` are given.

        Raises:
            TickerNotFoundError: One is not there.
        """
        found: dict[UUID, Run] = {}
        for namespace in sorted(namespaces) or [tx.namespace]:
            found |= runs.get_all(
                tx.within(namespace), list(ids), codec=self._core.codec, type=self._kind, locks=locks
            )
        for each in ids:
            if each not in found:
                raise TickerNotFoundError(KIND_NAMES[self._kind], each)
        return [found[each] for each in ids]

    def _check_there(self, tx: Transaction, ticker_id: UUID) -> None:
        """Go on where a run is still there."""
        if not runs.exists(tx, ticker_id, type=self._kind):
            raise TickerNotFoundError(KIND_NAMES[self._kind], ticker_id)

    def _check_version(self, tx: Transaction, ticker_id: UUID, expected: str | None) -> None:
        if expected is not None:
            check_version(expected, self.got(tx, ticker_id), ticker_id)

    def _operation(
        self,
        action: str,
        ids: Collection[UUID],
        by: str | None,
        reason: str | None,
        **arguments: object,
    ) -> Operation:
        return operation_on(ObjectKind.RUN, action, ids, by, reason, kind_of_run=self._kind, **arguments)

    def _end_lost(
        self,
        action: str,
        ticker_id: UUID | str,
        then: OnLost,
        session: SessionT | None,
        expected: ExpectedLike,
        reason: str | None,
        by: str | None,
    ) -> Run:
        found, version = validation.identifier(ticker_id), wanted_version(expected)
        said = who_and_why(self._storing.operations.who(by), reason)

        def work(tx: Transaction) -> Effect[LostRun | None]:
            seen: dict[UUID, Run] = {}

            def check(tx: Transaction) -> None:
                seen[found] = self.got(tx, found)
                check_version(version, seen[found], found)

            order = LostOrder(ticker_id=found, type=self._kind, then=then, who_and_why=said, check=check)
            effect = self._lost.end(tx, order)
            change = change_of(seen, [self.got(tx, found)])
            return Effect(result=effect.result, due=effect.due, change=change)

        operation = self._operation(action, [found], by, reason, expected=version)
        self._storing.operate(
            operation,
            work,
            recall=lambda tx, entry: self._check_there(tx, found),
            session=session,
            after=self._notify_lost,
        )
        return self.reread(found, session)

    def _notify_lost(self, ended: LostRun | None) -> None:
        if ended is not None:
            self._lost.notify(ended)
