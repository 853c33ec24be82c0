"""Define, change, pause and read cron tickers."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Generic, Unpack
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.errors import TickerNotFoundError
from tickerq_celery.managers.batches import IdT, by_position, checked_changes, naming, position_in
from tickerq_celery.managers.cron_edits import edit
from tickerq_celery.managers.cron_operations import CronOperations
from tickerq_celery.managers.cron_preview import KIND
from tickerq_celery.managers.cron_rows import cron_rows
from tickerq_celery.managers.filters import RunFilters
from tickerq_celery.managers.runs import checked_page_size
from tickerq_celery.store import cron_tickers, occurrences
from tickerq_celery.store.database.transaction import Transaction, savepoint
from tickerq_celery.tickers.effect import Effect
from tickerq_celery.tickers.fields import CronTickerChanges
from tickerq_celery.tickers.inputs import CronTicker
from tickerq_celery.tickers.pages import Page, Walk
from tickerq_celery.tickers.sessions import SessionT
from tickerq_celery.tickers.views import Cron, Run

FIXED = {"namespace"}


class CronTickerManager(CronOperations, Generic[SessionT]):
    """Standing definitions. Every call but a delete is one transaction, or part of a ``session``."""

    def add(
        self, ticker: CronTicker, *, session: SessionT | None = None, allow_unknown: bool = False
    ) -> Cron:
        """Store a cron ticker and return it; its first occurrence is the first instant after now.

        Raises:
            InvalidCronError: The expression cannot be parsed, or never fires.
            TickerValidationError: A field or the request cannot be stored; nothing is.
            StoreError: The database is unreachable.
        """
        self._storing.refuse_asynchronous(session, verb="cron_tickers.add")
        return self.add_batch([ticker], session=session, allow_unknown=allow_unknown)[0]

    def add_batch(
        self, batch: Sequence[CronTicker], *, session: SessionT | None = None, allow_unknown: bool = False
    ) -> list[Cron]:
        """Store cron tickers, all or none, and return them in their order; raises what ``add`` does."""
        tickers_by_position = by_position(batch, CronTicker)
        return self._storing.in_transaction(
            lambda tx: Effect(result=self._insert(tx, tickers_by_position, allow_unknown)),
            session,
            verb="cron_tickers.add_batch",
        )

    def find(
        self,
        *,
        function: str | None = None,
        is_enabled: bool | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Cron]:
        """Return a page of cron tickers, the newest first; ``cursor`` is the ``next_cursor`` of one."""
        return self._page_after(cursor, function=function, is_enabled=is_enabled, limit=limit)

    def iterate(
        self, *, function: str | None = None, is_enabled: bool | None = None, page_size: int = 100
    ) -> Walk[Cron]:
        """Return an iterator over the cron tickers of all pages; goes on as that of ``runs.iterate``."""
        limit = checked_page_size(page_size)
        return Walk(partial(self._page_after, function=function, is_enabled=is_enabled, limit=limit))

    def update(
        self,
        cron_id: UUID | str,
        *,
        session: SessionT | None = None,
        allow_unknown: bool = False,
        **changes: Unpack[CronTickerChanges],
    ) -> Cron:
        """Change fields of a cron ticker and of its occurrences that have not begun, and return it.

        Raises:
            TickerNotFoundError: There is none.
            TickerValidationError: A field does not exist, or its value cannot be stored.
        """
        self._storing.refuse_asynchronous(session, verb="cron_tickers.update")
        return self.update_batch({cron_id: changes}, session=session, allow_unknown=allow_unknown)[0]

    def update_batch(
        self,
        changes: Mapping[IdT, CronTickerChanges],
        *,
        session: SessionT | None = None,
        allow_unknown: bool = False,
    ) -> list[Cron]:
        """Change fields of cron tickers, by their ids, all or none; return and raise what ``update`` does."""
        wanted = checked_changes(changes, CronTicker, FIXED)

        def work(tx: Transaction) -> Effect[list[Cron]]:
            # All or none also where the caller goes on after an error.
            with savepoint(tx):
                edit(self._storing, tx, wanted, allow_unknown=allow_unknown)
                for cron_id in sorted(wanted):
                    with naming(position_in(wanted, cron_id)):
                        self._switch(tx, cron_id, wanted[cron_id].get("is_enabled"))
            return Effect(result=self._got_all(tx, wanted))

        return self._storing.in_transaction(work, session, verb="cron_tickers.update_batch")

    def delete(self, cron_id: UUID | str) -> None:
        """Delete a cron ticker with its occurrences, as ``delete_batch`` does.

        Raises:
            TickerNotFoundError: There is none.
        """
        found = validation.identifier(cron_id)
        if not self.delete_batch([found]):
            raise TickerNotFoundError(KIND, found)

    def delete_batch(self, ids: Collection[UUID | str]) -> int:
        """Delete cron tickers with their occurrences; return how many were there.

        A long history takes several transactions, the definitions go in the last, all or none. Where one
        of them fails, the cron tickers are left paused with what remains; delete them again.
        """
        wanted = [validation.identifier(each) for each in ids]
        core = self._storing.core
        core.write(cron_tickers.close, wanted)
        while core.write(occurrences.remove_some, wanted):
            pass
        return core.write(cron_tickers.remove, wanted)

    def occurrences(
        self,
        cron_id: UUID | str,
        *,
        limit: int = 50,
        cursor: str | None = None,
        **filters: Unpack[RunFilters],
    ) -> Page[Run]:
        """Return a page of a cron ticker's occurrences, newest first; takes what ``runs.find`` does.

        All of them: ``runs.iterate(cron_ticker_id=…)``.
        """
        own: RunFilters = {**filters, "cron_ticker_id": cron_id}
        return self._occurrences.find(limit=limit, cursor=cursor, **own)

    def _page_after(
        self, cursor: str | None, *, function: str | None, is_enabled: bool | None, limit: int
    ) -> Page[Cron]:
        core = self._storing.core
        return core.read(
            cron_tickers.find,
            function=function,
            is_enabled=is_enabled,
            codec=core.codec,
            limit=limit,
            cursor=cursor,
        )

    def _insert(self, tx: Transaction, batch: Mapping[str, CronTicker], allow_unknown: bool) -> list[Cron]:
        rows = cron_rows(self._storing, tx, batch, allow_unknown=allow_unknown)
        cron_tickers.insert(tx, rows)
        codec = self._storing.core.codec
        found: dict[UUID, Cron] = {}
        for namespace in {row.namespace for row in rows}:
            ids = [row.id for row in rows if row.namespace == namespace]
            found |= cron_tickers.get_all(tx.within(namespace), ids, codec=codec)
        return [found[row.id] for row in rows]

    def _switch(self, tx: Transaction, cron_id: UUID, is_enabled: object) -> None:
        """Pause or resume a cron ticker whose ``is_enabled`` is changed: a bool, None where it is not."""
        if is_enabled is True:
            self._resume(tx, cron_id)
        elif is_enabled is False:
            self._pause(tx, cron_id, None, None)

    def _got_all(self, tx: Transaction, ids: Collection[UUID]) -> list[Cron]:
        found = cron_tickers.get_all(tx, ids, codec=self._storing.core.codec)
        return [found[each] for each in ids]
