"""Turn the instants of cron tickers into occurrences."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from tickerq_celery.core import Core
from tickerq_celery.drafts import misfire_reason, occurrence_children, occurrence_row, skipped_row
from tickerq_celery.enums import MisfirePolicy, OverlapPolicy
from tickerq_celery.failpoints import Place, failpoint
from tickerq_celery.models import tickers as tickers_table
from tickerq_celery.planner import Plan, plan, within_runs
from tickerq_celery.sqltypes import sql_now
from tickerq_celery.store import cron_tickers, tickers
from tickerq_celery.store.engine import insert_rows
from tickerq_celery.timetable import timetable_of

logger = logging.getLogger(__name__)
_CRONS_AT_ONCE = 100
OVERLAP_REASON = "Overlap: an earlier occurrence of this cron ticker has not ended"


class Firing:
    """Creates occurrences: one for each instant, whichever beat does it."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def fire(self) -> bool:
        """Create the occurrences that are due; say whether more cron tickers may be due."""
        fired = self._core.database.write(self._fire)
        if fired:
            failpoint(Place.FIRED)
        return fired == _CRONS_AT_ONCE

    def _fire(self, connection: Connection) -> int:
        core = self._core
        due = cron_tickers.lock_due(
            connection, core.clock, namespace=core.config.namespace, limit=_CRONS_AT_ONCE
        )
        if not due:
            return 0
        now = connection.scalars(select(sql_now(core.clock))).one()
        for row in due:
            self._fire_one(connection, row._asdict(), now)
        failpoint(Place.FIRE_UNCOMMITTED)
        return len(due)

    def _fire_one(self, connection: Connection, cron: Mapping[str, Any], now: datetime) -> None:
        rows: list[dict[str, Any]] = []
        try:
            decided = self._plan(cron, now)
            if cron["is_enabled"]:
                rows = self._rows(connection, cron, decided, now)
        except ValueError as error:
            # Only a change of the zone data, of the table by hand, or a word that a newer version wrote leads
            # here: stop it, and say so.
            logger.error("cron ticker %s cannot fire any more: %s", cron["id"], error)  # noqa: TRY400
            decided = Plan(instants=(), next_run_at=None, skipped=None)
        cron_tickers.add_occurrences(connection, rows)
        self._add_children(connection, cron, rows, now)
        cron_tickers.advance(
            connection,
            cron["id"],
            seen=cron["next_run_at"],
            next_run_at=decided.next_run_at if cron["is_enabled"] else None,
            last_run_at=decided.instants[-1] if decided.instants else None,
            runs=len(decided.instants),
        )

    @staticmethod
    def _add_children(
        connection: Connection, cron: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], now: datetime
    ) -> None:
        heads = {row["id"]: row for row in rows if row["has_children"]}
        # Where the instant had its occurrence already, ours was not stored, and that one has its chain.
        for head_id in cron_tickers.stored_among(connection, heads):
            children = occurrence_children(cron, heads[head_id], now=now)
            insert_rows(connection, tickers_table, children)

    def _plan(self, cron: Mapping[str, Any], now: datetime) -> Plan:
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
        return within_runs(decided, left=None if most is None else most - cron["run_count"])

    def _rows(
        self, connection: Connection, cron: Mapping[str, Any], decided: Plan, now: datetime
    ) -> list[dict[str, Any]]:
        rows = []
        if decided.skipped is not None:
            missed = occurrence_row(cron, instant=decided.skipped.first, now=now)
            rows.append(skipped_row(missed, reason=misfire_reason(decided.skipped, cron["misfire"]), now=now))
        taken = cron["overlap"] == OverlapPolicy.SKIP and self._overlaps(connection, cron)
        for instant in decided.instants:
            row = occurrence_row(cron, instant=instant, now=now)
            if cron["overlap"] == OverlapPolicy.SKIP:
                row = (
                    skipped_row(row, reason=OVERLAP_REASON, now=now)
                    if taken
                    else row | {"active_key": _overlap_key(cron)}
                )
                taken = True
            rows.append(row)
        return rows

    def _overlaps(self, connection: Connection, cron: Mapping[str, Any]) -> bool:
        return tickers.active_id(connection, cron["namespace"], _overlap_key(cron)) is not None


def _overlap_key(cron: Mapping[str, Any]) -> str:
    return f"cron:{cron['id']}"
