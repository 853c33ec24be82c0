"""Rows with unique keys, inserted together: few statements where no other process interferes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.exc import DBAPIError, IntegrityError

from tickerq_celery.enums import TERMINAL, OnConflict, TickerStatus, TickerType
from tickerq_celery.errors import DuplicateTickerError
from tickerq_celery.payload.codec import RequestCodec
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.database.batches import in_parts
from tickerq_celery.store.database.errors import is_stale
from tickerq_celery.store.database.transaction import Transaction, savepoint
from tickerq_celery.store.runs import deletes as run_deletes
from tickerq_celery.store.runs import runs
from tickerq_celery.tickers.run_rows import RunRow
from tickerq_celery.tickers.views import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of rows: runs that stay instead of some, by the rows' ids, and rows not decided yet."""

    keepers: Mapping[UUID, Run]
    left: Sequence[RunRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedRows:
    """New rows of one namespace; ``fresh`` reads what is committed where the transaction is a caller's."""

    tx: Transaction
    fresh: Core | None
    codec: RequestCodec
    rows: Sequence[RunRow]

    def insert(self, on_conflict: OnConflict) -> Settled:
        """Insert the rows whose keys are free, or become so; leave those that met another process.

        Raises:
            DuplicateTickerError: A key is held by what cannot be replaced.
        """
        seen = runs.active(self.tx, [row.active_key for row in self.rows if row.active_key], codec=self.codec)
        holders = self._committed(seen)
        keepers: dict[UUID, Run] = {}
        free: list[RunRow] = []
        replacing: dict[UUID, RunRow] = {}
        for row in self.rows:
            holder = holders.get(row.active_key or "")
            if holder is None:
                free.append(row)
            elif on_conflict is OnConflict.RETURN_EXISTING:
                keepers[row.id] = holder
            elif holder.status is not TickerStatus.IDLE:
                raise DuplicateTickerError(row.active_key or "")
            else:
                replacing[holder.id] = row
        # What was changed after the caller's snapshot cannot be locked: MariaDB would undo all of it.
        unchanged = [run.id for key, run in holders.items() if seen[key].updated_at == run.updated_at]
        removed = self._removed([each for each in unchanged if each in replacing])
        free += [replacing.pop(each) for each in removed]
        return Settled(keepers=keepers, left=[*replacing.values(), *self._not_inserted(free)])

    def _committed(self, seen: Mapping[str, Run]) -> Mapping[str, Run]:
        """Return the holders that this transaction sees, if they are committed and no history."""
        if self.fresh is None or not seen:
            return seen
        ids = [run.id for run in seen.values()]
        found = self.fresh.read(lambda tx: runs.get_all(tx.within(self.tx.namespace), ids, codec=self.codec))
        committed = {key: found[run.id] for key, run in seen.items() if run.id in found}
        return {key: run for key, run in committed.items() if run.status not in TERMINAL}

    def _removed(self, ids: Sequence[UUID]) -> Sequence[UUID]:
        """Delete those of the runs that can be locked and are Idle, and return them."""
        if not ids:
            return ()
        try:
            with savepoint(self.tx):
                locked = runs.lock_idle(self.tx, ids)
        except DBAPIError as error:
            if is_stale(error):
                return ()
            raise
        found = run_deletes.lock_chains(self.tx, locked, type=TickerType.TIME_TICKER)
        run_deletes.remove(self.tx, found)
        return locked

    def _not_inserted(self, rows: Sequence[RunRow]) -> list[RunRow]:
        """Insert rows and return those that stood in one statement with one whose key is taken."""
        return in_parts(rows, lambda part: () if self._is_inserted(part) else part)

    def _is_inserted(self, rows: Sequence[RunRow]) -> bool:
        try:
            with savepoint(self.tx):
                runs.insert(self.tx, rows)
        except IntegrityError:
            return False
        return True
