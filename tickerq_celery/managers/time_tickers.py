"""Schedule, change and read time tickers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Generic, Unpack
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.enums import HoldReason, OnConflict, OnConflictLike, TickerType
from tickerq_celery.errors import TickerNotFoundError, TickerStateError, TickerValidationError
from tickerq_celery.managers import unique_keys
from tickerq_celery.managers.batches import (
    IdT,
    by_position,
    check_fields,
    checked_changes,
)
from tickerq_celery.managers.chains import chain_below, chain_rows, with_children
from tickerq_celery.managers.filters import RunFilters
from tickerq_celery.managers.fresh_runs import fresh_run
from tickerq_celery.managers.runs import KIND_NAMES, MOST_COUNTED, RunManager
from tickerq_celery.managers.task_calls import is_message, replaced
from tickerq_celery.managers.time_ticker_edits import as_ticker, edit, is_due
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.runs.canceller import Canceller
from tickerq_celery.runtime.core import Core
from tickerq_celery.store import runs
from tickerq_celery.store.database.transaction import Transaction, savepoint
from tickerq_celery.tickers.call import with_names
from tickerq_celery.tickers.effect import Effect
from tickerq_celery.tickers.fields import CloneChanges, TimeTickerChanges
from tickerq_celery.tickers.inputs import TimeTicker
from tickerq_celery.tickers.pages import Page, Walk
from tickerq_celery.tickers.sessions import SessionT
from tickerq_celery.tickers.views import Run

FIXED = {"namespace", "unique_key", "run_condition", "children"}


class TimeTickerManager(Generic[SessionT]):
    """Runs at one moment. Every call is one transaction, or part of the caller's ``session``."""

    def __init__(self, storing: UnitOfWork, canceller: Canceller) -> None:
        self._storing = storing
        self._runs = RunManager(storing, canceller, TickerType.TIME_TICKER)

    @property
    def now(self) -> datetime:
        """The present moment of this process's clock."""
        return self._storing.core.clock.now()

    def add(
        self,
        ticker: TimeTicker,
        *,
        session: SessionT | None = None,
        allow_unknown: bool = False,
        on_conflict: OnConflictLike = OnConflict.RAISE,
    ) -> Run:
        """Schedule a run and return it; one that is due at once starts without waiting for beat.

        With ``session`` (a SQLAlchemy Session or Connection on the store's database) the ticker is stored
        when the caller's transaction commits, or not at all. ``allow_unknown`` takes a function that no
        worker has registered yet. ``on_conflict`` says what happens where a ticker with the same unique key
        is not terminal: ``"return_existing"`` returns that one, ``"replace"`` deletes it unless it has been
        claimed.

        Raises:
            TickerValidationError: A field or the request cannot be stored; nothing is.
            DuplicateTickerError: A ticker with the same unique key is not terminal.
            OtherDatabaseError: ``session`` is on another database than the store.
            StoreError: The database is unreachable.
        """
        self._storing.refuse_asynchronous(session, verb="time_tickers.add")
        batch = [ticker]
        return self.add_batch(batch, session=session, allow_unknown=allow_unknown, on_conflict=on_conflict)[0]

    def add_batch(
        self,
        batch: Sequence[TimeTicker],
        *,
        session: SessionT | None = None,
        allow_unknown: bool = False,
        on_conflict: OnConflictLike = OnConflict.RAISE,
    ) -> list[Run]:
        """Schedule runs, all or none, and return them in their order; raises what ``add`` does."""
        tickers_by_position = by_position(batch, TimeTicker)
        for position, ticker in tickers_by_position.items():
            if ticker.run_condition is not None:
                field = f"{position}run_condition"
                raise TickerValidationError(field, ticker.run_condition, "only a child has one")
        work = partial(
            self._insert,
            batch=tickers_by_position,
            allow_unknown=allow_unknown,
            on_conflict=unique_keys.checked(on_conflict, batch),
            # Of its own transactions each statement sees what is committed.
            fresh=None if session is None else self._storing.core,
        )
        return self._storing.in_transaction(work, session, verb="time_tickers.add_batch")

    def get(self, ticker_id: UUID | str) -> Run:
        """Return a time ticker with its attempts and log lines; raises what ``runs.get`` does."""
        return self._runs.get(ticker_id)

    def find(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        with_logs: bool = False,
        **filters: Unpack[RunFilters],
    ) -> Page[Run]:
        """Return a page of time tickers, the newest first; takes and raises what ``runs.find`` does."""
        return self._runs.find(limit=limit, cursor=cursor, with_logs=with_logs, **filters)

    def iterate(
        self, *, page_size: int = 100, with_logs: bool = False, **filters: Unpack[RunFilters]
    ) -> Walk[Run]:
        """Return an iterator over the time tickers of all pages; does what ``runs.iterate`` does."""
        return self._runs.iterate(page_size=page_size, with_logs=with_logs, **filters)

    def count(self, *, limit: int = MOST_COUNTED, **filters: Unpack[RunFilters]) -> int:
        """Return how many time tickers there are; takes and raises what ``runs.count`` does."""
        return self._runs.count(limit=limit, **filters)

    def cancel(self, ticker_id: UUID | str, *, terminate: bool = False) -> Run:
        """Cancel a time ticker, from any process; does and raises what ``runs.cancel`` does."""
        return self._runs.cancel(ticker_id, terminate=terminate)

    def retry(self, ticker_id: UUID | str) -> Run:
        """Let a time ticker that did not succeed start again; does and raises what ``runs.retry`` does."""
        return self._runs.retry(ticker_id)

    def run_now(self, ticker_id: UUID | str) -> Run:
        """Let a time ticker start now that waits for its moment or for a retry, and return it.

        Raises:
            TickerNotFoundError: There is none.
            TickerStateError: It is not Idle any more, or waits for its parent.
        """
        if self.get(ticker_id).held_for is HoldReason.PARENT:
            raise TickerStateError(validation.identifier(ticker_id), "held until its parent ends", "run now")
        try:
            return self.update(ticker_id, allow_unknown=True, execution_time=None)
        except TickerStateError as error:
            raise TickerStateError(error.ticker_id, error.status, "run now") from error

    def clone(
        self, ticker_id: UUID | str, *, allow_unknown: bool = False, **changes: Unpack[CloneChanges]
    ) -> Run:
        """Schedule a new time ticker like this one, whatever became of it, and return the new one.

        ``changes`` are fields of TimeTicker. Neither its unique key nor its children are copied; a past
        execution time means now. Raises what ``add`` does, TickerNotFoundError, and TickerStateError for a
        message that ``durable_eta`` keeps.
        """
        check_fields(changes, TimeTicker)
        wanted = with_names(changes)
        original = self.get(ticker_id)
        if is_message(original):
            raise TickerStateError(original.id, "a message that durable_eta keeps", "copied")
        copied = replace(as_ticker(original, but=replaced(wanted)), unique_key=None)
        is_past = original.execution_time is not None and original.execution_time <= self.now
        if is_past or wanted.get("delay") is not None:
            copied = replace(copied, execution_time=None)
        return self.add(replace(copied, **wanted), allow_unknown=allow_unknown)

    def update(
        self,
        ticker_id: UUID | str,
        *,
        session: SessionT | None = None,
        allow_unknown: bool = False,
        **changes: Unpack[TimeTickerChanges],
    ) -> Run:
        """Change fields of a time ticker that has not been claimed, and return it.

        Raises:
            TickerNotFoundError: There is none.
            TickerStateError: It is not Idle any more.
            TickerValidationError: A field does not exist, is fixed, or its value cannot be stored.
        """
        self._storing.refuse_asynchronous(session, verb="time_tickers.update")
        return self.update_batch({ticker_id: changes}, session=session, allow_unknown=allow_unknown)[0]

    def update_batch(
        self,
        changes: Mapping[IdT, TimeTickerChanges],
        *,
        session: SessionT | None = None,
        allow_unknown: bool = False,
    ) -> list[Run]:
        """Change fields of time tickers, by their ids, all or none; return and raise what ``update`` does."""
        wanted = checked_changes(changes, TimeTicker, FIXED)

        def work(tx: Transaction) -> Effect[list[Run]]:
            # All or none also where the caller goes on after an error.
            with savepoint(tx):
                due = edit(self._storing, tx, wanted, allow_unknown=allow_unknown)
            return Effect(result=[] if session is None else self._runs.got_all(tx, wanted), due=due)

        changed = self._storing.in_transaction(work, session, verb="time_tickers.update_batch")
        # Some may have been published since.
        return changed if session is not None else self._storing.core.read(self._runs.got_all, wanted)

    def delete(self, ticker_id: UUID | str) -> None:
        """Delete a time ticker with its attempts.

        The body of an active one runs on, and no longer takes up a slot of its limits.

        Raises:
            TickerNotFoundError: There is none.
        """
        found = validation.identifier(ticker_id)
        if not self.delete_batch([found]):
            raise TickerNotFoundError(KIND_NAMES[TickerType.TIME_TICKER], found)

    def delete_batch(self, ids: Collection[UUID | str]) -> int:
        """Delete time tickers with their attempts, all or none; return how many were there."""
        wanted = [validation.identifier(each) for each in ids]
        core = self._storing.core
        return core.write(runs.remove, wanted, type=TickerType.TIME_TICKER)

    def _insert(
        self,
        tx: Transaction,
        batch: Mapping[str, TimeTicker],
        *,
        allow_unknown: bool,
        on_conflict: OnConflict,
        fresh: Core | None,
    ) -> Effect[list[Run]]:
        storing = self._storing
        below = {
            position: chain_below(storing, ticker, position=position) for position, ticker in batch.items()
        }
        named = with_children(batch, below.values())
        known = storing.known(tx, named, allow_unknown=allow_unknown)
        now = tx.now
        chained = [
            chain_rows(storing, ticker, below[position], position=position, known=known, now=now)
            for position, ticker in batch.items()
        ]
        heads = [chain.head for chain in chained]
        codec = storing.core.codec
        existing = unique_keys.insert(tx, chained, on_conflict=on_conflict, fresh=fresh, codec=codec)
        added = [head for head in heads if head.id not in existing]
        return Effect(
            result=[existing.get(head.id) or fresh_run(head, codec) for head in heads],
            due=[head.id for head in added if is_due(head)],
        )
