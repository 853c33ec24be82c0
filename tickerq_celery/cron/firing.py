"""Create the occurrences of cron tickers at their instants."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from tickerq_celery.cron.overlap import apply_policy, cancel_earlier
from tickerq_celery.cron.pausing import pause_if_failing
from tickerq_celery.enums import OverlapPolicy
from tickerq_celery.failpoints import CrashPoint, failpoint
from tickerq_celery.runtime.core import Core
from tickerq_celery.schedule.planner import Plan, plan, within_runs
from tickerq_celery.store import cron_tickers, occurrences, paused_crons, pauses
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.cron_rows import CronRow
from tickerq_celery.tickers.pauses import Pause, covering
from tickerq_celery.tickers.run_rows import RunRow, misfire_record, occurrence_row
from tickerq_celery.tickers.skip_reasons import misfire_reason

logger = logging.getLogger(__name__)
_CRONS_AT_ONCE = 100


@dataclass(slots=True)
class _Fired:
    """What one transaction did: how many cron tickers it fired, and which calls it cancelled for that."""

    crons: int = 0
    to_revoke: list[Started] = field(default_factory=list)


class Firing:
    """Creates occurrences: one for each instant, whichever beat does it.

    ``revoke`` is given the calls of Celery tasks that they replace, after the commit.
    """

    def __init__(self, core: Core, revoke: Callable[[Sequence[Started]], None]) -> None:
        self._core = core
        self._revoke = revoke

    def fire(self) -> bool:
        """Create the occurrences that are due; return True if more cron tickers may be due."""
        fired = self._core.write(self._fire)
        if fired.crons:
            failpoint(CrashPoint.FIRED)
        self._revoke(fired.to_revoke)
        return fired.crons == _CRONS_AT_ONCE

    def _fire(self, tx: Transaction) -> _Fired:
        due = cron_tickers.lock_due(tx, limit=_CRONS_AT_ONCE)
        fired = _Fired(crons=len(due))
        if not due:
            return fired
        now = tx.now
        paused = pauses.list_pauses(tx)
        for cron in due:
            first = cron.next_run_at
            if first is not None and not self._is_paused(tx, cron, paused, now):
                fired.to_revoke += self._fire_one(tx, cron, first, now)
        failpoint(CrashPoint.FIRE_UNCOMMITTED)
        return fired

    def _is_paused(self, tx: Transaction, cron: CronRow, paused: Sequence[Pause], now: datetime) -> bool:
        """Let a cron ticker that may not fire wait for the end of its pause; return True if it may not."""
        pause = covering(paused, cron.function, cron.tags)
        if pause is not None:
            paused_crons.suspend(tx, [cron.id], pause)
            return True
        return pause_if_failing(tx, cron, now)

    def _fire_one(self, tx: Transaction, cron: CronRow, first: datetime, now: datetime) -> list[Started]:
        """Fire one cron ticker; return the calls that this replaces, which are to be revoked."""
        to_revoke: list[Started] = []
        try:
            decided = self._plan(tx, cron, first, now)
            if decided.instants:
                to_revoke = cancel_earlier(tx, cron)
            rows = self._rows(tx, cron, decided, now)
        except ValueError as error:
            # Only other zone data, a manual change of the table, or a word of a newer version lead here: stop
            # it, and say so.
            logger.error("cron ticker %s cannot fire any more: %s", cron.id, error)  # noqa: TRY400
            rows = []
            decided = Plan(instants=(), next_run_at=None, skipped=None)
        occurrences.add(tx, cron, rows)
        cron_tickers.advance(
            tx,
            cron.id,
            seen=first,
            next_run_at=decided.next_run_at,
            last_run_at=decided.instants[-1] if decided.instants else None,
            runs=len(decided.instants),
        )
        return to_revoke

    def _plan(self, tx: Transaction, cron: CronRow, first: datetime, now: datetime) -> Plan:
        if cron.flaw is not None:
            raise ValueError(cron.flaw)
        decided = plan(
            cron.timetable(),
            next_run_at=first,
            now=now,
            late_after=self._core.config.late_after,
            misfire=cron.misfire,
            misfire_limit=cron.misfire_limit,
            misfire_grace=cron.misfire_grace,
        )
        most = cron.max_runs
        if cron.overlap is OverlapPolicy.ALLOW and most is None:
            # What is there already stays as it is.
            return decided
        # Those that a backfill has made keep their position in the wait queue, cancel no other, and do not
        # count as a run of their cron ticker.
        taken = occurrences.taken_among(tx, cron.id, decided.instants)
        fresh = replace(decided, instants=tuple(each for each in decided.instants if each not in taken))
        return within_runs(fresh, left=None if most is None else most - cron.run_count)

    def _rows(self, tx: Transaction, cron: CronRow, decided: Plan, now: datetime) -> list[RunRow]:
        rows = [occurrence_row(cron, instant=instant, now=now) for instant in decided.instants]
        rows = apply_policy(tx, cron, rows)
        missed = decided.skipped
        if missed is None:
            return rows
        reason = misfire_reason(missed, cron.misfire)
        return [misfire_record(cron, missed, reason=reason, now=now), *rows]
