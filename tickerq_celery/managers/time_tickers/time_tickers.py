"""Schedule, change and read time tickers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final, Unpack
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.deferred import Deferred
from tickerq_celery.enums import OnConflict, OnConflictLike
from tickerq_celery.errors import TickerStateError, TickerValidationError
from tickerq_celery.managers import unique_keys
from tickerq_celery.managers.asynchronous import AsyncListing, AsyncManager, AsyncVerb
from tickerq_celery.managers.batches import (
    by_position,
    check_fields,
)
from tickerq_celery.managers.chains import chain_below, chains_of, with_children
from tickerq_celery.managers.fresh_runs import fresh_run
from tickerq_celery.managers.operations import Operation, Recall, operation_on
from tickerq_celery.managers.task_calls import is_message, replaced
from tickerq_celery.managers.time_tickers.operations import TimeTickerOperations
from tickerq_celery.managers.unit_of_work import refuse_async_session
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.audit import ObjectKind
from tickerq_celery.tickers.call import Changes, with_names
from tickerq_celery.tickers.counts import MOST_COUNTED
from tickerq_celery.tickers.criteria import RunFilters
from tickerq_celery.tickers.effect import Change, Effect
from tickerq_celery.tickers.fields import CloneChanges
from tickerq_celery.tickers.inputs import TimeTicker
from tickerq_celery.tickers.pages import Page, Walk
from tickerq_celery.tickers.run_rows import as_clone
from tickerq_celery.tickers.sessions import AsyncSessionLike, SessionT
from tickerq_celery.tickers.versions import ExpectedLike, check_version, wanted_version
from tickerq_celery.tickers.views import Run

if TYPE_CHECKING:
    from tickerq_celery.managers.time_tickers.chain_copies import as_children, runs_below
    from tickerq_celery.managers.time_tickers.edits import as_ticker
else:
    as_children = Deferred("tickerq_celery.managers.time_tickers.chain_copies", "as_children")
    runs_below = Deferred("tickerq_celery.managers.time_tickers.chain_copies", "runs_below")
    as_ticker = Deferred("tickerq_celery.managers.time_tickers.edits", "as_ticker")


class TimeTickerManager(TimeTickerOperations[SessionT]):
    """Runs at one moment. Every call is one transaction, or part of the caller's ``session``."""

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
        worker has registered yet, and a Celery task that nothing knows. ``on_conflict`` says what happens
        where a ticker with the same unique key is not terminal: ``"return_existing"`` returns that one,
        ``"replace"`` deletes it unless it has been claimed.

        Raises:
            TickerValidationError: A field or the request cannot be stored; nothing is.
            DuplicateTickerError: A ticker with the same unique key is not terminal.
            OtherDatabaseError: ``session`` is on another database than the store.
            StoreError: The database is unreachable.
        """
        refuse_async_session(session, verb="time_tickers.add")
        batch = [ticker]
        operation = _adding("add", batch=batch, allow_unknown=allow_unknown, on_conflict=on_conflict)
        return self._add(
            operation, batch, session=session, allow_unknown=allow_unknown, on_conflict=on_conflict
        )[0]

    def add_batch(
        self,
        batch: Sequence[TimeTicker],
        *,
        session: SessionT | None = None,
        allow_unknown: bool = False,
        on_conflict: OnConflictLike = OnConflict.RAISE,
    ) -> list[Run]:
        """Schedule runs, all or none, and return them in their order; raises what ``add`` does."""
        operation = _adding("add", batch=batch, allow_unknown=allow_unknown, on_conflict=on_conflict)
        return self._add(
            operation, batch, session=session, allow_unknown=allow_unknown, on_conflict=on_conflict
        )

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

    def clone(
        self,
        ticker_id: UUID | str,
        *,
        with_children: bool = False,
        session: SessionT | None = None,
        allow_unknown: bool = False,
        expected: ExpectedLike = None,
        reason: str | None = None,
        by: str | None = None,
        **changes: Unpack[CloneChanges],
    ) -> Run:
        """Schedule a new time ticker like this one, whatever became of it, and return the new one.

        ``changes`` are fields of TimeTicker. ``with_children`` copies all that is below it in its chain, too,
        with run conditions and requests. Unique keys are not copied; a past execution time means now. Raises
        what ``add`` does, TickerNotFoundError, and TickerStateError for a message that ``durable_eta`` keeps.
        """
        check_fields(changes, TimeTicker)
        if validation.flag("with_children", with_children) and "children" in changes:
            raise TickerValidationError("children", changes["children"], "with_children copies those it has")
        wanted = with_names(changes)
        found, version = validation.identifier(ticker_id), wanted_version(expected)
        operation = replace(
            _adding(
                "clone",
                ids=[found],
                changes=changes,
                with_children=with_children,
                allow_unknown=allow_unknown,
                expected=version,
            ),
            by=by,
            reason=reason,
        )
        if session is None:
            done = self._storing.recalled(operation, self._recall([changes.get("namespace")]))
            if done is not None:
                return done[0]
        copied = self._copied(operation, version, wanted, session, with_children=with_children)
        return self._add(
            operation, [copied], session=session, allow_unknown=allow_unknown, cloned_from=found
        )[0]

    def _copied(
        self,
        operation: Operation,
        version: str | None,
        wanted: Changes,
        session: SessionT | None,
        *,
        with_children: bool,
    ) -> TimeTicker:
        """Return the ticker that a clone adds, made of what is stored now."""
        storing, found = self._storing, operation.ids[0]
        codec = storing.core.codec
        with storing.refusals_recorded(operation):
            original = storing.read(
                partial(self._runs.got, ticker_id=found), session, verb="time_tickers.get"
            )
            check_version(version, original, found)
            if is_message(original):
                raise TickerStateError(original.id, "a message that Celery made of a call", "copied")
            copied = replace(as_ticker(original, but=replaced(wanted)), unique_key=None)
        is_past = original.execution_time is not None and original.execution_time <= self.now
        if is_past or wanted.get("delay") is not None:
            copied = replace(copied, execution_time=None)
        if with_children:
            reading = partial(runs_below, ticker_id=found, codec=codec)
            below = storing.read(reading, session, verb="time_tickers.get")
            copied = replace(copied, children=as_children(below, found, now=self.now))
        return replace(copied, **wanted)

    def _add(
        self,
        operation: Operation,
        batch: Sequence[TimeTicker],
        *,
        session: SessionT | None = None,
        allow_unknown: bool,
        on_conflict: OnConflictLike = OnConflict.RAISE,
        cloned_from: UUID | None = None,
    ) -> list[Run]:
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
            cloned_from=cloned_from,
        )
        return self._storing.operate(
            operation,
            work,
            recall=self._recall([each.namespace for each in batch], locks=session is not None),
            session=session,
            verb="time_tickers.add_batch",
        )

    def _recall(self, wanted: Collection[str | None], *, locks: bool = False) -> Recall[list[Run]]:
        """Return what finds the runs that were added before, in the namespaces that were ``wanted``."""
        namespaces = {self._storing.namespace(each) for each in wanted}
        return lambda tx, entry: self._runs.got_all(tx, entry.ids, namespaces, locks=locks)

    def _insert(
        self,
        tx: Transaction,
        batch: Mapping[str, TimeTicker],
        *,
        allow_unknown: bool,
        on_conflict: OnConflict,
        fresh: Core | None,
        cloned_from: UUID | None,
    ) -> Effect[list[Run]]:
        storing = self._storing
        below = {
            position: chain_below(storing, ticker, position=position)
            for position, ticker in batch.items()
            if ticker.children != ()
        }
        named = with_children(batch, below.values())
        known = storing.known(tx, named, allow_unknown=allow_unknown)
        chained = chains_of(storing, batch, below, known=known, now=tx.now)
        if cloned_from is not None:
            chained = [replace(each, head=as_clone(each.head, of=cloned_from)) for each in chained]
        heads = [chain.head for chain in chained]
        codec = storing.core.codec
        existing = unique_keys.insert(tx, chained, on_conflict=on_conflict, fresh=fresh, codec=codec)
        if not existing:
            added, made = heads, [fresh_run(head, codec) for head in heads]
        else:
            added = [head for head in heads if head.id not in existing]
            made = [existing.get(head.id) or fresh_run(head, codec) for head in heads]
        return Effect(
            result=made,
            due=[head.id for head in added if head.is_due],
            change=Change(ids=[run.id for run in made], count=len(added)),
        )


def _adding(verb: str, *, ids: Sequence[UUID] = (), **arguments: object) -> Operation:
    adding = operation_on(ObjectKind.RUN, f"time_tickers.{verb}", ids, None, None, **arguments)
    return replace(adding, only_adds=True)


class AsyncTimeTickers(AsyncManager):
    """Runs at one moment: schedule, change, find."""

    add: Final = AsyncVerb(TimeTickerManager[AsyncSessionLike].add)
    add_batch: Final = AsyncVerb(TimeTickerManager[AsyncSessionLike].add_batch)
    get: Final = AsyncVerb(TimeTickerManager.get)
    explain: Final = AsyncVerb(TimeTickerManager.explain)
    find: Final = AsyncVerb(TimeTickerManager.find)
    iterate: Final = AsyncListing(TimeTickerManager.iterate)
    count: Final = AsyncVerb(TimeTickerManager.count)
    cancel: Final = AsyncVerb(TimeTickerManager[AsyncSessionLike].cancel)
    retry: Final = AsyncVerb(TimeTickerManager[AsyncSessionLike].retry)
    run_now: Final = AsyncVerb(TimeTickerManager[AsyncSessionLike].run_now)
    clone: Final = AsyncVerb(TimeTickerManager[AsyncSessionLike].clone)
    update: Final = AsyncVerb(TimeTickerManager[AsyncSessionLike].update)
    update_batch: Final = AsyncVerb(TimeTickerManager[AsyncSessionLike].update_batch)
    delete: Final = AsyncVerb(TimeTickerManager[AsyncSessionLike].delete)
    delete_batch: Final = AsyncVerb(TimeTickerManager[AsyncSessionLike].delete_batch)
