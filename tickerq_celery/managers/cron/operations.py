"""Operate on one cron ticker: skip the next instant, backfill, follow the code again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Generic
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.cron.overlap import add_backfilled, admit_next
from tickerq_celery.cron.rescheduling import reschedule
from tickerq_celery.cron.unskipping import unskip
from tickerq_celery.enums import Origin, TickerStatus
from tickerq_celery.errors import TickerStateError, TickerValidationError
from tickerq_celery.managers.cron.locked import LockedCrons, operation_on_one
from tickerq_celery.managers.fresh_runs import fresh_run
from tickerq_celery.managers.runs.runs import RunManager
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.schedule.planner import instants_between
from tickerq_celery.store.cron import cron_tickers, occurrences
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs import ends
from tickerq_celery.tickers.cron_rows import CronRow, reverted_to_code
from tickerq_celery.tickers.effect import Change, Effect
from tickerq_celery.tickers.run_rows import occurrence_row, skipped_row
from tickerq_celery.tickers.sessions import SessionT
from tickerq_celery.tickers.skip_reasons import who_and_why
from tickerq_celery.tickers.versions import ExpectedLike, wanted_version
from tickerq_celery.tickers.views import Cron, Run
from tickerq_celery.wording import moment


class CronOperations(Generic[SessionT]):
    """What an operator does to one cron ticker, which each call has locked in its transaction."""

    _storing: UnitOfWork
    _crons: LockedCrons
    _occurrences: RunManager[SessionT]

    def skip_next(
        self,
        cron_id: UUID | str,
        *,
        session: SessionT | None = None,
        expected: ExpectedLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> Cron:
        """Let a cron ticker's next instant pass, recorded as a Skipped occurrence; return what follows.

        Raises:
            TickerNotFoundError: There is none.
            TickerStateError: It is paused, or has no next instant, or that has come, was backfilled, and its
                occurrence has been claimed.
            TickerChangedError: It is not the ``expected`` one any more.
            TickerValidationError: ``reason`` or ``by`` is too long.
        """
        operation = operation_on_one("skip_next", cron_id, by, reason)
        words = f"Skipped on request{who_and_why(self._storing.operations.who(by), reason)}"
        return self._crons.change(
            operation, session, expected, lambda tx, cron: self._skip_next(tx, cron, words)
        )

    def unskip_next(
        self,
        cron_id: UUID | str,
        *,
        session: SessionT | None = None,
        expected: ExpectedLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> Cron:
        """Undo the latest ``skip_next`` whose instant is still to come: it fires; return the cron ticker.

        Its Skipped record is deleted. Of several that were skipped the last one comes back first.

        Raises:
            TickerNotFoundError: There is none.
            TickerStateError: It has no skipped instant that is to come. One that has passed, or whose
                occurrence a backfill had made, runs by ``runs.retry``.
            TickerChangedError: It is not the ``expected`` one any more.
            TickerValidationError: ``reason`` or ``by`` is too long, or its times cannot be read here.
        """
        operation = operation_on_one("unskip_next", cron_id, by, reason)
        return self._crons.change(operation, session, expected, self._unskip_next)

    def revert_to_code(
        self,
        cron_id: UUID | str,
        *,
        session: SessionT | None = None,
        expected: ExpectedLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> Cron:
        """Let a cron ticker fire by its code's expression, time zone and ``day_or`` again, and return it.

        Nothing changes where it does already. From then on it follows the code.

        Raises:
            TickerNotFoundError: There is none.
            TickerStateError: No code defines it.
            TickerChangedError: It is not the ``expected`` one any more.
            TickerValidationError: ``reason`` or ``by`` is too long, or the times cannot be read here.
        """
        operation = operation_on_one("revert_to_code", cron_id, by, reason)
        return self._crons.change(operation, session, expected, self._revert_to_code)

    def backfill(
        self,
        cron_id: UUID | str,
        start: datetime,
        end: datetime,
        *,
        session: SessionT | None = None,
        per_minute: int = 60,
        expected: ExpectedLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> list[Run]:
        """Create the occurrences of all instants from ``start`` and before ``end``; return the new ones.

        An instant that has its occurrence gets no second one, so a repetition adds nothing. They fall due
        one after the other, ``per_minute`` of them; where they may not overlap, each follows the one before.
        It reaches back to the instants after the latest one whose occurrence was pruned, and no further.

        Raises:
            TickerNotFoundError: There is none.
            TickerChangedError: It is not the ``expected`` one any more.
            TickerValidationError: The range is no range of the past, or too long, or begins with instants
                that may have been pruned, or ``per_minute`` is out of range; nothing is stored.
        """
        begin, until = validation.moment("start", start), validation.moment("end", end)
        wait = timedelta(minutes=1) / validation.whole("per_minute", per_minute, 1, validation.MOST_A_MINUTE)
        version = wanted_version(expected)
        operation = operation_on_one(
            "backfill", cron_id, by, reason, start=begin, end=until, per_minute=per_minute
        ).expecting(version)

        def work(tx: Transaction) -> Effect[list[Run]]:
            made = self._backfill(
                tx, self._crons.lock_seen(tx, operation.ids[0], version), begin, until, wait
            )
            after = {"start": begin.isoformat(), "end": until.isoformat()}
            return Effect(result=made, change=Change(ids=[run.id for run in made], after=after))

        return self._storing.operate(
            operation,
            work,
            recall=lambda tx, entry: self._occurrences.got_all(tx, entry.ids, locks=session is not None),
            session=session,
        )

    def _skip_next(self, tx: Transaction, cron: CronRow, words: str) -> None:
        instant = cron.next_run_at
        if instant is None:
            raise TickerStateError(cron.id, "paused, or has no next instant", "skipped once")
        self._skip(tx, cron, instant, words)
        following = cron.next_run_after(instant)
        cron_tickers.edit(tx, cron, replace(cron, next_run_at=following, skipped_until=instant))

    def _skip(self, tx: Transaction, cron: CronRow, instant: datetime, reason: str) -> None:
        """Make the occurrence of an instant a Skipped one; a backfill may have made it before it fired."""
        now = tx.now
        there = occurrences.lock_at(tx, cron.id, instant)
        if there is None:
            row = skipped_row(occurrence_row(cron, instant=instant, now=now), reason=reason, now=now)
            occurrences.add(tx, cron, [replace(row, origin=Origin.SKIP)])
            return
        if there.claim_no > 0:
            status = f"at {moment(instant)}, whose occurrence has been claimed"
            raise TickerStateError(cron.id, status, "skipped once")
        ends.end_unstarted(tx, [there.id], status=TickerStatus.SKIPPED, reason=reason)
        admit_next(tx, cron)

    def _unskip_next(self, tx: Transaction, cron: CronRow) -> None:
        if unskip(tx, cron) is None:
            raise TickerStateError(cron.id, "without a skipped instant that is to come", "unskipped")

    def _revert_to_code(self, tx: Transaction, cron: CronRow) -> None:
        wanted = reverted_to_code(cron, now=tx.now)
        if wanted is None:
            raise TickerStateError(cron.id, "defined by no code", "reverted to it")
        if wanted != cron:
            cron_tickers.edit(tx, cron, reschedule(tx, cron, wanted))

    def _backfill(
        self, tx: Transaction, cron: CronRow, start: datetime, end: datetime, wait: timedelta
    ) -> list[Run]:
        now = tx.now
        wanted = instants_between(cron.timetable(), start, end, now=now)
        _refuse_pruned(cron, start, wanted)
        missing = sorted(set(wanted) - occurrences.taken_among(tx, cron.id, wanted))
        rows = [
            replace(
                occurrence_row(cron, instant=instant, now=now),
                due_at=now + number * wait,
                origin=Origin.BACKFILL,
                created_by=self._storing.operations.who(None),
            )
            for number, instant in enumerate(missing)
        ]
        codec = self._storing.core.codec
        return [fresh_run(row, codec) for row in add_backfilled(tx, cron, rows)]


def _refuse_pruned(cron: CronRow, start: datetime, wanted: Sequence[datetime]) -> None:
    """Refuse instants that may have had their occurrence: it would run again what was pruned."""
    until = cron.pruned_until
    if until is None or not wanted or wanted[0] > until:
        return
    first = cron.timetable().next_after(until)
    advice = "none may be backfilled" if first is None else f"begin at {moment(first)} or later"
    raise TickerValidationError(
        "start", start, f"occurrences up to {moment(until)} may have been pruned: {advice}"
    )
