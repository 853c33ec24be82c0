"""Define, change, pause and read cron tickers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, Unpack
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.enums import TickerType
from tickerq_celery.errors import TickerNotFoundError
from tickerq_celery.managers.asynchronous import AsyncListing, AsyncManager, AsyncVerb
from tickerq_celery.managers.batches import IdT, by_position, checked_changes, naming, position_in
from tickerq_celery.managers.changes import change_of, deletion_of
from tickerq_celery.managers.cron.edits import edit
from tickerq_celery.managers.cron.lists import CronLists
from tickerq_celery.managers.cron.locked import KIND, LockedCrons, lock
from tickerq_celery.managers.cron.operations import CronOperations
from tickerq_celery.managers.cron.pausing import CronPausing, pause_locked, resume_locked
from tickerq_celery.managers.cron.reading import CronReading
from tickerq_celery.managers.cron.rows import cron_rows
from tickerq_celery.managers.cron.running import CronRunning
from tickerq_celery.managers.operations import Operation, operation_on
from tickerq_celery.managers.runs.runs import RunManager
from tickerq_celery.managers.unit_of_work import UnitOfWork, refuse_async_session
from tickerq_celery.runs.cancelling import Canceller
from tickerq_celery.store.cron import cron_tickers, occurrences
from tickerq_celery.store.database.transaction import Transaction, savepoint
from tickerq_celery.tickers.audit import ObjectKind
from tickerq_celery.tickers.effect import Change, Effect
from tickerq_celery.tickers.fields import CronTickerChanges
from tickerq_celery.tickers.inputs import CronTicker
from tickerq_celery.tickers.sessions import AsyncSessionLike, SessionT
from tickerq_celery.tickers.surroundings import Surroundings
from tickerq_celery.tickers.versions import (
    ExpectedBatchLike,
    ExpectedLike,
    expected_of,
    wanted_versions,
)
from tickerq_celery.tickers.views import Cron

FIXED = {"namespace"}
_operation = partial(operation_on, ObjectKind.CRON_TICKER)


class CronTickerManager(
    CronReading[SessionT], CronLists, CronPausing[SessionT], CronRunning[SessionT], CronOperations[SessionT]
):
    """Standing definitions. Every call but a delete is one transaction, or part of a ``session``."""

    def __init__(self, storing: UnitOfWork, canceller: Canceller, surroundings: Surroundings) -> None:
        self._storing = storing
        self._crons = LockedCrons(storing)
        self._occurrences = RunManager[SessionT](
            storing, canceller, surroundings, TickerType.CRON_TICKER_OCCURRENCE
        )

    def add(
        self, ticker: CronTicker, *, session: SessionT | None = None, allow_unknown: bool = False
    ) -> Cron:
        """Store a cron ticker and return it; its first occurrence is the first instant after now.

        Raises:
            InvalidCronError: The expression cannot be parsed, or never fires.
            TickerValidationError: A field or the request cannot be stored; nothing is.
            StoreError: The database is unreachable.
        """
        refuse_async_session(session, verb="cron_tickers.add")
        return self.add_batch([ticker], session=session, allow_unknown=allow_unknown)[0]

    def add_batch(
        self, batch: Sequence[CronTicker], *, session: SessionT | None = None, allow_unknown: bool = False
    ) -> list[Cron]:
        """Store cron tickers, all or none, and return them in their order; raises what ``add`` does."""
        tickers_by_position = by_position(batch, CronTicker)
        operation = _operation("cron_tickers.add", batch=batch, allow_unknown=allow_unknown)
        namespaces = {self._storing.namespace(each.namespace) for each in batch}

        def work(tx: Transaction) -> Effect[list[Cron]]:
            made = self._insert(tx, tickers_by_position, allow_unknown)
            return Effect(result=made, change=Change(ids=[cron.id for cron in made]))

        return self._storing.operate(
            replace(operation, only_adds=True),
            work,
            recall=lambda tx, entry: self._crons.get_all(tx, entry.ids, namespaces),
            session=session,
            verb="cron_tickers.add_batch",
        )

    def update(
        self,
        cron_id: UUID | str,
        *,
        session: SessionT | None = None,
        allow_unknown: bool = False,
        expected: ExpectedLike = None,
        reason: str | None = None,
        by: str | None = None,
        **changes: Unpack[CronTickerChanges],
    ) -> Cron:
        """Change fields of a cron ticker and of its occurrences that have not begun, and return it.

        Raises:
            TickerNotFoundError: There is none.
            TickerChangedError: It is not the ``expected`` one any more.
            TickerValidationError: A field does not exist, or its value cannot be stored.
        """
        refuse_async_session(session, verb="cron_tickers.update")
        return self.update_batch(
            {cron_id: changes},
            session=session,
            allow_unknown=allow_unknown,
            expected=expected_of(validation.identifier(cron_id), expected),
            reason=reason,
            by=by,
        )[0]

    def update_batch(
        self,
        changes: Mapping[IdT, CronTickerChanges],
        *,
        session: SessionT | None = None,
        allow_unknown: bool = False,
        expected: ExpectedBatchLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> list[Cron]:
        """Change fields of cron tickers, by their ids, all or none; return and raise what ``update`` does.

        ``expected`` has those that were read, or their versions by their ids.
        """
        wanted = checked_changes(changes, CronTicker, FIXED)
        versions = wanted_versions(expected, wanted)
        operation = _operation(
            "cron_tickers.update",
            list(wanted),
            by,
            reason,
            changes=wanted,
            allow_unknown=allow_unknown,
            expected=versions,
        )
        who = self._storing.operations.who(by)

        def work(tx: Transaction) -> Effect[list[Cron]]:
            # All or none also where the caller goes on after an error.
            with savepoint(tx):
                before = self._crons.lock_all_seen(tx, wanted, versions)
                edit(self._storing, tx, wanted, allow_unknown=allow_unknown)
                for cron_id in sorted(wanted):
                    with naming(position_in(wanted, cron_id)):
                        self._switch(tx, cron_id, wanted[cron_id].get("is_enabled"), reason, who)
            after = self._crons.get_all(tx, wanted)
            return Effect(result=after, change=change_of(before, after))

        return self._storing.operate(
            operation,
            work,
            recall=lambda tx, entry: self._crons.get_all(tx, wanted),
            session=session,
            verb="cron_tickers.update_batch",
        )

    def delete(
        self,
        cron_id: UUID | str,
        *,
        session: SessionT | None = None,
        expected: ExpectedLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> None:
        """Delete a cron ticker with its occurrences, as ``delete_batch`` does.

        Raises:
            TickerNotFoundError: There is none.
            TickerChangedError: It is not the ``expected`` one any more.
        """
        found = validation.identifier(cron_id)
        versions = expected_of(found, expected)
        operation = _operation("cron_tickers.delete", [found], by, reason, expected=versions)
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
        """Delete cron tickers with their occurrences; return how many were there.

        A long history takes several transactions, the definitions go in the last, all or none, with the
        entry of the audit. Where one of them fails, the cron tickers are left paused with what remains, and
        say who is deleting them; delete them again. In a caller's ``session`` all of it is one transaction.

        Raises:
            TickerChangedError: One is not the ``expected`` one any more; nothing is deleted.
        """
        wanted = [validation.identifier(each) for each in ids]
        versions = wanted_versions(expected, wanted)
        return self._delete(
            _operation("cron_tickers.delete", wanted, by, reason, expected=versions), versions, session
        )

    def _delete(
        self,
        operation: Operation,
        versions: Mapping[UUID, str],
        session: SessionT | None,
        *,
        needed: Collection[UUID] = (),
    ) -> int:
        storing, wanted = self._storing, operation.ids
        if session is None:
            with storing.refusals_recorded(operation):
                storing.core.write(self._close, operation, versions)
            while storing.core.write(occurrences.remove_some, wanted):
                pass

        def work(tx: Transaction) -> Effect[int]:
            before = self._crons.lock_all_seen(tx, wanted, versions if session is not None else {})
            while session is not None and occurrences.remove_some(tx, wanted):
                pass
            for each in needed:
                if each not in before:
                    raise TickerNotFoundError(KIND, each)
            removed = cron_tickers.remove(tx, wanted)
            return Effect(result=removed, change=deletion_of(list(before.values())))

        return storing.operate(operation, work, recall=lambda tx, entry: entry.count, session=session)

    def _close(self, tx: Transaction, operation: Operation, versions: Mapping[UUID, str]) -> None:
        # Before anything goes: the last transaction would find out too late.
        self._storing.operations.check_unused(tx, operation)
        before = self._crons.lock_all_seen(tx, operation.ids, versions)
        cron_tickers.close(tx, list(before), by=self._storing.operations.who(operation.by))

    def _insert(self, tx: Transaction, batch: Mapping[str, CronTicker], allow_unknown: bool) -> list[Cron]:
        rows = cron_rows(self._storing, tx, batch, allow_unknown=allow_unknown)
        cron_tickers.insert(tx, rows)
        codec = self._storing.core.codec
        found: dict[UUID, Cron] = {}
        for namespace in {row.namespace for row in rows}:
            ids = [row.id for row in rows if row.namespace == namespace]
            found |= cron_tickers.get_all(tx.within(namespace), ids, codec=codec)
        return [found[row.id] for row in rows]

    def _switch(
        self, tx: Transaction, cron_id: UUID, is_enabled: object, reason: str | None, by: str | None
    ) -> None:
        """Pause or resume a cron ticker whose ``is_enabled`` is changed: a bool, None where it is not."""
        if is_enabled is True:
            resume_locked(tx, lock(tx, cron_id), reason=reason, by=by)
        elif is_enabled is False:
            pause_locked(tx, lock(tx, cron_id), reason, by)


class AsyncCronTickers(AsyncManager):
    """Standing definitions: store, change, pause, list, find."""

    by_next_run: Final = AsyncVerb(CronTickerManager.by_next_run)
    by_name: Final = AsyncVerb(CronTickerManager.by_name)
    add: Final = AsyncVerb(CronTickerManager[AsyncSessionLike].add)
    add_batch: Final = AsyncVerb(CronTickerManager[AsyncSessionLike].add_batch)
    get: Final = AsyncVerb(CronTickerManager.get)
    get_batch: Final = AsyncVerb(CronTickerManager.get_batch)
    find: Final = AsyncVerb(CronTickerManager.find)
    iterate: Final = AsyncListing(CronTickerManager.iterate)
    occurrences: Final = AsyncVerb(CronTickerManager.occurrences)
    update: Final = AsyncVerb(CronTickerManager[AsyncSessionLike].update)
    update_batch: Final = AsyncVerb(CronTickerManager[AsyncSessionLike].update_batch)
    delete: Final = AsyncVerb(CronTickerManager[AsyncSessionLike].delete)
    delete_batch: Final = AsyncVerb(CronTickerManager[AsyncSessionLike].delete_batch)
    pause: Final = AsyncVerb(CronTickerManager[AsyncSessionLike].pause)
    resume: Final = AsyncVerb(CronTickerManager[AsyncSessionLike].resume)
    pause_batch: Final = AsyncVerb(CronTickerManager[AsyncSessionLike].pause_batch)
    resume_batch: Final = AsyncVerb(CronTickerManager[AsyncSessionLike].resume_batch)
    skip_next: Final = AsyncVerb(CronTickerManager[AsyncSessionLike].skip_next)
    unskip_next: Final = AsyncVerb(CronTickerManager[AsyncSessionLike].unskip_next)
    revert_to_code: Final = AsyncVerb(CronTickerManager[AsyncSessionLike].revert_to_code)
    run_now: Final = AsyncVerb(CronTickerManager[AsyncSessionLike].run_now)
    run_now_batch: Final = AsyncVerb(CronTickerManager[AsyncSessionLike].run_now_batch)
    backfill: Final = AsyncVerb(CronTickerManager[AsyncSessionLike].backfill)
    preview: Final = AsyncVerb(CronTickerManager.preview)
    explain: Final = AsyncVerb(CronTickerManager.explain)
    figures: Final = AsyncVerb(CronTickerManager.figures)
    upcoming: Final = AsyncVerb(CronTickerManager.upcoming)
    backfill_preview: Final = AsyncVerb(CronTickerManager.backfill_preview)
