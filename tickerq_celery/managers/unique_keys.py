"""Insert time tickers whose unique keys others may hold: the unique index decides, whatever a caller sees.

A caller's snapshot may show a holder that has ended, and hide one that came later. So what it shows is
compared with what is committed, and where it shows none, the insert finds out.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from sqlalchemy.exc import DBAPIError, IntegrityError

from tickerq_celery import validation
from tickerq_celery.enums import TERMINAL, OnConflict, TickerStatus, TickerType
from tickerq_celery.errors import DuplicateTickerError, TickerValidationError
from tickerq_celery.managers.keyed_rows import KeyedRows
from tickerq_celery.payload.codec import RequestCodec
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.database.errors import is_stale
from tickerq_celery.store.database.transaction import Transaction, savepoint
from tickerq_celery.store.runs import deletes as run_deletes
from tickerq_celery.store.runs import runs
from tickerq_celery.tickers.inputs import TimeTicker
from tickerq_celery.tickers.run_rows import RunRow
from tickerq_celery.tickers.views import Run

# Each time another process was faster.
_MOST_TRIES = 10


def checked(on_conflict: object, batch: Iterable[TimeTicker]) -> OnConflict:
    """Return what the caller asks for.

    Raises:
        TickerValidationError: There is no such choice, or a ticker has no key that could be taken.
    """
    choice = validation.member("on_conflict", on_conflict, OnConflict)
    if choice is not OnConflict.RAISE and any(ticker.unique_key is None for ticker in batch):
        raise TickerValidationError("on_conflict", on_conflict, "a ticker without unique_key has no conflict")
    return choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The row of a ticker, and those of the tickers below it, parents first."""

    head: RunRow
    below: Sequence[RunRow] = ()


def insert(
    tx: Transaction,
    chains: Sequence[Chain],
    *,
    on_conflict: OnConflict,
    fresh: Core | None,
    codec: RequestCodec,
) -> dict[UUID, Run]:
    """Insert chains, all or none; return the runs that stay instead of some, by the id of the head.

    ``on_conflict`` is about the heads. ``fresh`` reads what is committed where the transaction is a caller's.

    Raises:
        DuplicateTickerError: A key is taken, and not by what may be returned or replaced; or twice here.
    """
    rows = [*(chain.head for chain in chains), *(row for chain in chains for row in chain.below)]
    _refuse_twins(rows)
    if on_conflict is OnConflict.RAISE:
        _insert_all(tx, rows)
        return {}
    keepers: dict[UUID, Run] = {}
    with savepoint(tx):
        for namespace, heads in _by_namespace(chain.head for chain in chains):
            inner = tx.within(namespace)
            settled = KeyedRows(tx=inner, fresh=fresh, codec=codec, rows=heads).insert(on_conflict)
            keepers |= settled.keepers
            for row in settled.left:
                keeper = _Keyed(tx=inner, fresh=fresh, row=row, codec=codec).insert(on_conflict)
                if keeper is not None:
                    keepers[row.id] = keeper
        _insert_all(tx, [row for chain in chains if chain.head.id not in keepers for row in chain.below])
    return keepers


def _by_namespace(rows: Iterable[RunRow]) -> list[tuple[str, list[RunRow]]]:
    found: dict[str, list[RunRow]] = {}
    for row in rows:
        found.setdefault(row.namespace, []).append(row)
    return list(found.items())


def _refuse_twins(rows: Sequence[RunRow]) -> None:
    keys = Counter((row.namespace, row.active_key) for row in rows if row.active_key is not None)
    for (_, key), times in keys.items():
        if times > 1:
            raise DuplicateTickerError(key, is_twice=True)


def _insert_all(tx: Transaction, rows: Sequence[RunRow]) -> None:
    if all(row.active_key is None for row in rows):
        runs.insert(tx, rows)
        return
    try:
        with savepoint(tx):
            runs.insert(tx, rows)
    except IntegrityError:
        with savepoint(tx):
            _insert_singly(tx, rows)


def _insert_singly(tx: Transaction, rows: Sequence[RunRow]) -> None:
    """Find the taken key by inserting: the caller's snapshot may not show the row that has it."""
    # In their order: a parent stands before its children.
    for key, group in groupby(rows, key=lambda row: row.active_key):
        try:
            runs.insert(tx, list(group))
        except IntegrityError as error:
            if key is None:
                raise
            raise DuplicateTickerError(key) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Keyed:
    """One row with a unique key, on its way into the store while another process interferes."""

    tx: Transaction
    fresh: Core | None
    row: RunRow
    codec: RequestCodec

    @property
    def _key(self) -> str:
        return self.row.active_key or ""

    def insert(self, on_conflict: OnConflict) -> Run | None:
        """Insert the row and return None, or return the run that stays instead."""
        for _ in range(_MOST_TRIES):
            holder = self._seen_holder()
            if holder is None:
                if self._is_inserted():
                    return None
                holder = self._conflicting_holder()
            if holder is None:
                continue  # it has ended meanwhile
            if on_conflict is OnConflict.RETURN_EXISTING:
                return holder
            if holder.status is not TickerStatus.IDLE:
                break
            self._remove(holder)
        raise DuplicateTickerError(self._key)

    def _seen_holder(self) -> Run | None:
        """Return the holder that this transaction sees, if that is committed and no history."""
        seen = self._active(self.tx)
        if seen is None or self.fresh is None:
            return seen
        committed = self._committed(self.fresh, seen)
        return None if committed is None or committed.status in TERMINAL else committed

    def _conflicting_holder(self) -> Run | None:
        """Return what an insert met: the caller's own ticker, not committed yet, or one it does not see."""
        seen = self._active(self.tx)
        if self.fresh is None:
            return seen
        own = seen if seen is not None and self._committed(self.fresh, seen) is None else None
        found = [run for run in (own, self.fresh.read(self._active)) if run is not None]
        # Ids grow: the later one has replaced the other.
        return max(found, key=lambda run: run.id, default=None)

    def _is_inserted(self) -> bool:
        try:
            with savepoint(self.tx):
                runs.insert(self.tx, [self.row])
        except IntegrityError:
            return False
        return True

    def _remove(self, holder: Run) -> None:
        seen = runs.get(self.tx, holder.id, codec=self.codec)
        # What was changed after the caller's snapshot cannot be locked: MariaDB would undo all of it.
        if seen is None or seen.updated_at != holder.updated_at:
            return
        if self._is_locked(holder):
            found = run_deletes.lock_chains(self.tx, [holder.id], type=TickerType.TIME_TICKER)
            run_deletes.remove(self.tx, found)

    def _is_locked(self, run: Run) -> bool:
        try:
            with savepoint(self.tx):
                return bool(runs.lock_idle(self.tx, [run.id]))
        except DBAPIError as error:
            if is_stale(error):
                return False
            raise

    def _active(self, tx: Transaction) -> Run | None:
        held = runs.active(tx.within(self.row.namespace), [self._key], codec=self.codec)
        return held.get(self._key)

    def _committed(self, core: Core, run: Run) -> Run | None:
        return core.read(lambda tx: runs.get(tx.within(run.namespace), run.id, codec=self.codec))
