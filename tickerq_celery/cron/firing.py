"""Create the occurrences of cron tickers at their instants."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tickerq_celery.cron.deciding import decide, new_rows
from tickerq_celery.cron.overlap import cancel_earlier
from tickerq_celery.cron.pausing import pause_if_failing
from tickerq_celery.failpoints import CrashPoint, failpoint
from tickerq_celery.runtime.core import Core
from tickerq_celery.schedule.planner import Plan
from tickerq_celery.store.cron import due_crons, occurrences, paused_crons, pauses
from tickerq_celery.store.cron.due_crons import CronStep
from tickerq_celery.store.cron.occurrences import NewOccurrences
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.cron_rows import CronRow
from tickerq_celery.tickers.pauses import Pause, covering

logger = logging.getLogger(__name__)
_CRONS_AT_ONCE = 100
# What one transaction stores: it keeps its cron tickers locked, and on SQLite every writer waiting.
_ROWS_AT_ONCE = 100
_SECONDS_AT_ONCE = 0.05
# In seconds. After what was late others write, or start runs: SQLite's one lock would hardly be free, and no
# processor where beat shares it with workers.
_PAUSE = 0.02
# What one tick fires before it dispatches: no other transaction begins after either.
_ROWS_A_TICK = 2_000
_SECONDS_A_TICK = 0.1


@dataclass(slots=True)
class _Fired:
    """What one transaction did: what it stores, which calls that replaces, and whether more may be due.

    ``is_late`` if it was of cron tickers that were late.
    """

    crons: int = 0
    rows: int = 0
    is_full: bool = False
    is_late: bool = False
    new: list[NewOccurrences] = field(default_factory=list)
    steps: list[CronStep] = field(default_factory=list)
    to_revoke: list[Started] = field(default_factory=list)


class Firing:
    """Creates occurrences: one for each instant, whichever beat does it.

    ``revoke`` is given the calls of Celery tasks that they replace, after the commit.
    """

    def __init__(self, core: Core, revoke: Callable[[Sequence[Started]], None]) -> None:
        self._core = core
        self._revoke = revoke
        # Those that a transaction locks and does not come to are kept from other beats in vain.
        self._late_at_once = _CRONS_AT_ONCE

    def fire(self) -> bool:
        """Create occurrences that are due, about 2,000 rows or as many as 0.1 s allow.

        Returns True if more may be due. A catch-up goes on where it has come to, here or in another beat.
        """
        until = self._core.clock.monotonic() + _SECONDS_A_TICK
        rows, is_full = 0, True
        while is_full and rows < _ROWS_A_TICK and self._core.clock.monotonic() < until:
            fired = self._core.write(self._fire)
            if fired.crons:
                failpoint(CrashPoint.FIRED)
            self._revoke(fired.to_revoke)
            if fired.is_late and fired.is_full:
                time.sleep(_PAUSE)
            rows, is_full = rows + fired.rows, fired.is_full
        return is_full

    def _fire(self, tx: Transaction) -> _Fired:
        fired = _Fired()
        paused: Sequence[Pause] | None = None
        for cron in self._due(tx, fired):
            paused = pauses.list_pauses(tx) if paused is None else paused
            fired.crons += 1
            first = cron.next_run_at
            if first is not None and not self._is_paused(tx, cron, paused):
                self._fire_one(tx, cron, first, fired)
        occurrences.add_all(tx, fired.new)
        due_crons.advance(tx, fired.steps)
        if fired.crons:
            failpoint(CrashPoint.FIRE_UNCOMMITTED)
        return fired

    def _due(self, tx: Transaction, fired: _Fired) -> Iterator[CronRow]:
        """Yield cron tickers that are due, those on time first, until ``fired`` is enough for a transaction.

        Of those that are late, one at least: neither kind keeps the other waiting.
        """
        late_after = self._core.config.late_after
        until = self._core.clock.monotonic() + _SECONDS_AT_ONCE

        def is_enough() -> bool:
            return fired.rows >= _ROWS_AT_ONCE or self._core.clock.monotonic() >= until

        on_time = due_crons.lock_on_time(tx, late_after=late_after, limit=_CRONS_AT_ONCE)
        late = due_crons.lock_late(tx, late_after=late_after, limit=self._late_at_once)
        fired.is_full = len(on_time) == _CRONS_AT_ONCE or len(late) == self._late_at_once
        for cron in on_time:
            if is_enough():
                fired.is_full = True
                break
            yield cron
        for number, cron in enumerate(late, start=1):
            fired.is_late = True
            yield cron
            if number < len(late) and is_enough():
                fired.is_full = True
                self._late_at_once = number
                return
        self._late_at_once = min(2 * self._late_at_once, _CRONS_AT_ONCE)

    def _is_paused(self, tx: Transaction, cron: CronRow, paused: Sequence[Pause]) -> bool:
        """Let a cron ticker that may not fire wait for the end of its pause; return True if it may not."""
        pause = covering(paused, cron.function, cron.tags)
        if pause is not None:
            paused_crons.suspend(tx, [cron.id], pause)
            return True
        return pause_if_failing(tx, cron)

    def _fire_one(self, tx: Transaction, cron: CronRow, first: datetime, fired: _Fired) -> None:
        """Decide on one cron ticker, and add to ``fired`` what is to be stored for that."""
        try:
            decided = decide(self._core, tx, cron, first, most_rows=_ROWS_AT_ONCE - fired.rows)
            if decided.instants:
                fired.to_revoke += cancel_earlier(tx, cron)
            rows = new_rows(tx, cron, decided)
        except ValueError as error:
            # Only other zone data, a manual change of the table, or a word of a newer version lead here: stop
            # it, and say so.
            logger.error("cron ticker %s cannot fire any more: %s", cron.id, error)  # noqa: TRY400
            rows = []
            decided = Plan(instants=(), next_run_at=None, skipped=None)
        fired.new.append(NewOccurrences(cron=cron, rows=rows))
        fired.rows += sum(1 + (len(cron.children or ()) if row.has_children else 0) for row in rows)
        fired.is_full = fired.is_full or decided.catch_up_until is not None
        fired.steps.append(
            CronStep(
                cron_id=cron.id,
                seen=first,
                next_run_at=decided.next_run_at,
                catch_up_until=decided.catch_up_until,
                last_run_at=decided.instants[-1] if decided.instants else None,
                runs=len(decided.instants),
            )
        )
