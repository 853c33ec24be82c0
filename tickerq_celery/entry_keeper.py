"""Keeps the cron tickers of Celery's beat entries as the code of the live beats has them."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from tickerq_celery.core import Core
from tickerq_celery.cron_drafts import of_occurrences
from tickerq_celery.entries import GONE, Entry, entry_changes, entry_row, is_gone, keys_of, named_by
from tickerq_celery.models import cron_tickers as table
from tickerq_celery.moving import move
from tickerq_celery.pausing import resume_with_held
from tickerq_celery.sqltypes import sql_now
from tickerq_celery.store import cron_pauses, cron_tickers, entries
from tickerq_celery.store.engine import insert_if_absent
from tickerq_celery.store.entries import LiveBeat
from tickerq_celery.store.pending import rewrite_pending

logger = logging.getLogger(__name__)


class EntryKeeper:
    """One beat's part in it: its own entries, unless a younger beat has them, and those that nobody has."""

    def __init__(self, core: Core, own: Sequence[Entry]) -> None:
        self._core = core
        self._own = {entry.key: entry for entry in own}
        self._settled: frozenset[LiveBeat] | None = None
        self._look_again_at = 0.0

    @property
    def keys(self) -> list[str]:
        """The keys of this beat's entries, for its node row."""
        return sorted(self._own)

    def keep(self) -> None:
        """Write what is different, if beats came or went since the last time, or once in a lease.

        Raises:
            StoreError: The database is away.
        """
        namespace = self._core.config.namespace
        beats = self._core.database.read(lambda connection: entries.live_beats(connection, namespace))
        # A beat that was buried alive decides nothing until its next heartbeat.
        if self._core.node.id not in {beat.id for beat in beats}:
            return
        now = self._core.clock.monotonic()
        # Between two looks a beat may have come and gone, and left its own entries behind.
        if beats == self._settled and now < self._look_again_at:
            return
        if self._core.database.write(lambda connection: self._write(connection, beats)):
            self._settled = beats
            self._look_again_at = now + self._core.config.lease.total_seconds()

    def _write(self, connection: Connection, beats: frozenset[LiveBeat]) -> bool:
        """Write this beat's part; say whether no row was locked elsewhere."""
        core = self._core
        namespace = core.config.namespace
        now = connection.scalars(select(sql_now(core.clock))).one()
        known = entries.known_keys(connection, namespace)
        new = [self._own[key] for key in sorted(self._own.keys() - known)]
        insert_if_absent(
            connection,
            table,
            [entry_row(each, namespace=namespace, codec=core.codec, now=now) for each in new],
        )
        mine = keys_of(core.node.id, beats)
        others = named_by(beats) - mine
        rows = entries.lock_entries(connection, namespace, but=others)
        for row in rows:
            self._keep_one(connection, row._asdict(), is_mine=row.seed_key in mine, now=now)
        return len(rows) == len((known | self._own.keys()) - others)

    def _keep_one(self, connection: Connection, row: dict[str, Any], *, is_mine: bool, now: datetime) -> None:
        core = self._core
        if not is_mine:
            if row["is_enabled"]:
                cron_pauses.pause(connection, core.clock, row, reason=GONE, by=None, now=now)
                logger.info("paused, as no live beat's code defines it any more: %s", row["description"])
            return
        try:
            if is_gone(row):
                row = self._returned(connection, row, now)
            changes = entry_changes(self._own[row["seed_key"]], row, codec=core.codec, now=now)
            if "next_run_at" not in changes:
                changes |= move(connection, core, row, changes, now=now)
        except ValueError as error:
            # An operator's own expression that cannot be read here: its row waits, and the others go on.
            logger.error("cron ticker %s cannot fire any more: %s", row["id"], error)  # noqa: TRY400
            return
        if changes:
            cron_tickers.edit(connection, core.clock, row["id"], changes)
            rewrite_pending(connection, core.clock, row["id"], of_occurrences(changes))

    def _returned(self, connection: Connection, row: dict[str, Any], now: datetime) -> dict[str, Any]:
        """Let an entry that is defined again fire again; what passed meanwhile is told in one record."""
        core = self._core
        resume_with_held(connection, core, row, missed=False, now=now)
        found = cron_tickers.lock(connection, core.config.namespace, row["id"])
        return row if found is None else found._asdict()
