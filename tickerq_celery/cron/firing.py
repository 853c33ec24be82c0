"""Turn the instants of cron tickers into occurrences."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tickerq_celery.cron.occurrences import left_of, store
from tickerq_celery.cron.overlap import placed
from tickerq_celery.cron.pausing import pause_if_failing
from tickerq_celery.enums import MisfirePolicy, OverlapPolicy
from tickerq_celery.failpoints import Place, failpoint
from tickerq_celery.runtime.core import Core
from tickerq_celery.schedule.planner import Plan, plan, within_runs
from tickerq_celery.schedule.timetable import timetable_of
from tickerq_celery.store import cron_tickers, occurrences, paused_crons, pauses
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.pauses import Pause, covering
from tickerq_celery.tickers.run_rows import occurrence_row, skip_record
from tickerq_celery.tickers.skip_reasons import misfire_reason

logger = logging.getLogger(__name__)
_CRONS_AT_ONCE = 100


class Firing:
    """Creates occurrences: one for each instant, whichever beat does it."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def fire(self) -> bool:
        """Create the occurrences that are due; say whether more cron tickers may be due."""
        fired = self._core.write(self._fire)
        if fired:
            failpoint(Place.FIRED)
        return fired == _CRONS_AT_ONCE

    def _fire(self, tx: Transaction) -> int:
        due = cron_tickers.lock_due(tx, limit=_CRONS_AT_ONCE)
        if not due:
            return 0
        now = tx.now
        paused = pauses.list_pauses(tx)
        for row in due:
            cron = row._asdict()
            if not self._is_paused(tx, cron, paused, now):
                self._fire_one(tx, cron, now)
        failpoint(Place.FIRE_UNCOMMITTED)
        return len(due)

    def _is_paused(
        self, tx: Transaction, cron: Mapping[str, Any], paused: Sequence[Pause], now: datetime
    ) -> bool:
        """Take a cron ticker that may not fire out of the way; say whether it was one."""
        pause = covering(paused, cron["function"], cron["tags"])
        if pause is not None:
            paused_crons.park(tx, [cron["id"]], pause)
            return True
        return cron["is_enabled"] and pause_if_failing(tx, self._core, cron, now)

    def _fire_one(self, tx: Transaction, cron: Mapping[str, Any], now: datetime) -> None:
        rows: list[dict[str, Any]] = []
        try:
            decided = self._plan(tx, cron, now)
            if cron["is_enabled"]:
                rows = self._rows(tx, cron, decided, now)
        except ValueError as error:
            # Only a change of the zone data, of the table by hand, or a word that a newer version wrote leads
            # here: stop it, and say so.
            logger.error("cron ticker %s cannot fire any more: %s", cron["id"], error)  # noqa: TRY400
            rows = []
            decided = Plan(instants=(), next_run_at=None, skipped=None)
        store(tx, cron, rows, now=now)
        cron_tickers.advance(
            tx,
            cron["id"],
            seen=cron["next_run_at"],
            next_run_at=decided.next_run_at if cron["is_enabled"] else None,
            last_run_at=decided.instants[-1] if decided.instants else None,
            runs=len(decided.instants),
        )

    def _plan(self, tx: Transaction, cron: Mapping[str, Any], now: datetime) -> Plan:
        grace = cron["misfire_grace"]
        decided = plan(
            timetable_of(cron),
            next_run_at=cron["next_run_at"],
            now=now,
            late_after=self._core.config.late_after,
            misfire=MisfirePolicy(cron["misfire"]),
            misfire_limit=cron["misfire_limit"],
            misfire_grace=None if grace is None else timedelta(seconds=grace),
        )
        most = cron["max_runs"]
        if cron["overlap"] == OverlapPolicy.ALLOW and most is None:
            # What is there already stays as it is.
            return decided
        # A backfill may have made some: those have their turn, nobody else may end for them, and they are no
        # run of their cron ticker's.
        taken = occurrences.taken_among(tx, cron["id"], decided.instants)
        fresh = replace(decided, instants=tuple(each for each in decided.instants if each not in taken))
        return within_runs(fresh, left=None if most is None else most - cron["run_count"])

    def _rows(
        self, tx: Transaction, cron: Mapping[str, Any], decided: Plan, now: datetime
    ) -> list[dict[str, Any]]:
        rows = [occurrence_row(cron, instant=instant, now=now) for instant in decided.instants]
        rows = placed(tx, self._core, cron, rows, now=now)
        # A tick looks at no more of them than the plan has: what is exact takes a resumption or an edit.
        missed = left_of(tx, cron["id"], decided.skipped)
        if missed is None:
            return rows
        reason = misfire_reason(missed, cron["misfire"])
        return [skip_record(cron, missed, reason=reason, now=now), *rows]
