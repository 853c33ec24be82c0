"""Keeps the cron tickers of Celery's beat entries as the code of the live beats has them."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from tickerq_celery.beat.entry_rows import Entry, as_defined, entry_row, is_stopped, keys_of, named_by
from tickerq_celery.cron.own_entries import record_pause, record_resume
from tickerq_celery.cron.pausing import resume_with_held
from tickerq_celery.cron.rescheduling import reschedule
from tickerq_celery.errors import SchemaError, StoreError
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.cron import beat_entries, cron_pauses, cron_tickers
from tickerq_celery.store.cron.beat_entries import LiveBeat
from tickerq_celery.store.cron.cron_pauses import ORPHANED, is_orphaned
from tickerq_celery.store.cron.occurrences import rewrite_pending
from tickerq_celery.store.database.transaction import Transaction, savepoint
from tickerq_celery.tickers.cron_rows import CronEdit, CronRow

logger = logging.getLogger(__name__)
_DEFINED_AGAIN = "a beat's code defines this entry again"


class EntryReconciler:
    """One beat's part in it: its own entries, unless a younger beat has them, and orphaned ones."""

    def __init__(self, core: Core, own: Sequence[Entry]) -> None:
        self._core = core
        self._own = {entry.key: entry for entry in own}
        self._keys: Mapping[UUID, str] = {}
        self._settled: frozenset[LiveBeat] | None = None
        self._reconcile_again_at = 0.0

    @property
    def keys(self) -> list[str]:
        """The keys of this beat's entries, for its node row."""
        return sorted(self._own)

    def entry_of(self, cron_id: UUID | None) -> Entry | None:
        """Return the entry of this beat's code that a cron ticker is of, or None."""
        key = None if cron_id is None else self._keys.get(cron_id)
        return None if key is None else self._own.get(key)

    def reconcile(self) -> None:
        """Write what is different, if beats came or went since the last time, or once in a lease.

        What cannot be written for another reason is logged, and tried again.

        Raises:
            StoreError: The database is unreachable.
            SchemaError: This version cannot work with the store any more.
        """
        try:
            self._reconcile_if_due()
        except (StoreError, SchemaError):
            raise
        except Exception:
            # The sweep must not wait for the entries to be put right.
            logger.exception("entries of beat_schedule could not be kept")

    def _reconcile_if_due(self) -> None:
        beats = self._core.read(beat_entries.live_beats)
        # A beat that was reaped while it was alive decides nothing until its next heartbeat.
        if self._core.node.id not in {beat.id for beat in beats}:
            return
        now = self._core.clock.monotonic()
        # Between two passes a beat may have come and gone, and left its own entries behind.
        if beats == self._settled and now < self._reconcile_again_at:
            return
        if self._core.write(self._write, beats):
            self._settled = beats
            self._reconcile_again_at = now + self._core.config.lease.total_seconds()

    def _write(self, tx: Transaction, beats: frozenset[LiveBeat]) -> bool:
        """Write this beat's part; return True if no row was locked elsewhere."""
        core = self._core
        known = beat_entries.known_ids(tx)
        new = self._new_rows(known, tx.now)
        cron_tickers.insert_new(tx, list(new.values()))
        # Another beat may have added the same one meanwhile: it is known to the next pass.
        self._keys = {id: key for key, id in known.items()} | {row.id: key for key, row in new.items()}
        own = keys_of(core.node.id, beats)
        others = named_by(beats) - own
        rows = beat_entries.lock_entries(tx, but=others)
        for row in rows:
            self._reconcile_one(tx, row, is_own=row.seed_key in own)
        return len(rows) == len((known.keys() | new.keys()) - others)

    def _new_rows(self, known: Collection[str], now: datetime) -> dict[str, CronRow]:
        """Return the rows, by key, of this beat's entries that are not stored yet."""
        core = self._core
        rows = {}
        for key in sorted(self._own.keys() - set(known)):
            entry = self._own[key]
            try:
                rows[key] = entry_row(entry, namespace=core.config.namespace, codec=core.codec, now=now)
            except ValueError as error:
                # Checked when beat started; what became of it since then must not stop the others.
                logger.error("entry %r of beat_schedule cannot be kept: %s", entry.name, error)  # noqa: TRY400
        return rows

    def _reconcile_one(self, tx: Transaction, cron: CronRow, *, is_own: bool) -> None:
        """Reconcile one entry; what goes wrong with it keeps no other from being reconciled."""
        try:
            with savepoint(tx):
                if is_own:
                    self._reconcile_own(tx, cron)
                else:
                    _pause_orphan(tx, cron)
        except SQLAlchemyError:
            raise
        except Exception:
            # Whatever is wrong with one entry must keep no other from being reconciled.
            logger.exception("%s could not be kept", cron.description)

    def _reconcile_own(self, tx: Transaction, cron: CronRow) -> None:
        core = self._core
        try:
            before = self._returned(tx, cron) if is_orphaned(cron) else cron
            after = as_defined(self._own[str(cron.seed_key)], before, codec=core.codec, now=tx.now)
            if is_stopped(before):
                after = replace(after, next_run_at=after.next_run_after(tx.now))
            elif after != before:
                after = reschedule(tx, before, after)
        except ValueError as error:
            # An operator's own expression that cannot be read here: its row waits, and the others go on.
            name = cron.description
            logger.error("cron ticker %s cannot fire any more: %s: %s", cron.id, name, error)  # noqa: TRY400
            return
        if after != before:
            cron_tickers.edit(tx, before, after)
            rewrite_pending(tx, [CronEdit(before=before, after=after)])

    def _returned(self, tx: Transaction, cron: CronRow) -> CronRow:
        """Let an entry that is defined again fire again; what passed meanwhile gets one misfire record."""
        released = resume_with_held(tx, cron, missed=False)
        record_resume(tx, cron, reason=_DEFINED_AGAIN, released=released)
        return cron_tickers.lock(tx, cron.id) or cron


def _pause_orphan(tx: Transaction, cron: CronRow) -> None:
    if cron.is_enabled:
        cron_pauses.pause(tx, cron, reason=ORPHANED, by=None)
        record_pause(tx, cron, reason=ORPHANED)
        logger.info("paused, as no live beat's code defines it any more: %s", cron.description)
