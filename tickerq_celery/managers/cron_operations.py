"""Operate on cron tickers: pause, resume, skip the next, run now, backfill."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.cron.overlap import add_backfilled, add_manual, admit_next
from tickerq_celery.cron.pausing import BY_FAILURES, resume_with_held
from tickerq_celery.enums import TickerKind, TickerStatus, TickerType
from tickerq_celery.errors import TickerNotFoundError, TickerStateError
from tickerq_celery.managers.cron_preview import KIND, CronPreview
from tickerq_celery.managers.fresh_runs import fresh_run
from tickerq_celery.managers.pauses import check_words
from tickerq_celery.managers.runs import RunManager
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.runs.canceller import Canceller
from tickerq_celery.schedule.planner import instants_between
from tickerq_celery.store import cron_pauses, cron_tickers, ends, occurrences, pauses
from tickerq_celery.store.cron_pauses import is_orphaned
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.cron_rows import CronRow
from tickerq_celery.tickers.effect import Effect
from tickerq_celery.tickers.inputs import TimeTicker
from tickerq_celery.tickers.kind_fields import OF_FUNCTIONS, refuse
from tickerq_celery.tickers.run_rows import occurrence_row, skipped_row
from tickerq_celery.tickers.skip_reasons import who_and_why
from tickerq_celery.tickers.views import Cron, Run

_MOST_A_MINUTE = 60_000


class CronOperations(CronPreview):
    """What an operator does to one cron ticker. Every call is one transaction that has it locked."""

    def __init__(self, storing: UnitOfWork, canceller: Canceller) -> None:
        super().__init__(storing)
        self._occurrences = RunManager(storing, canceller, TickerType.CRON_TICKER_OCCURRENCE)

    def pause(self, cron_id: UUID | str, *, reason: str | None = None, by: str | None = None) -> Cron:
        """Stop a cron ticker from firing, and hold its unclaimed occurrences.

        An operator's earlier pause stays as it is.

        Raises:
            TickerNotFoundError: There is none.
            TickerValidationError: ``reason`` or ``by`` is too long.
        """
        cron_id = validation.identifier(cron_id)
        check_words(reason, by)
        return self._storing.core.write(self._pause, cron_id, reason, by)

    def resume(
        self,
        cron_id: UUID | str,
        *,
        missed: bool = False,
        reason: str | None = None,
        by: str | None = None,
    ) -> Cron:
        """Let a paused cron ticker fire again, from its next instant on; what was held runs now.

        The instants that passed in the pause are recorded in one Skipped occurrence. ``missed=True`` lets
        the misfire policy decide on them, as if beat had been down.

        Raises:
            TickerNotFoundError: There is none.
            TickerValidationError: ``reason`` or ``by`` is too long.
        """
        cron_id = validation.identifier(cron_id)
        check_words(reason, by)
        return self._storing.core.write(self._resume, cron_id, missed=missed, reason=reason, by=by)

    def skip_next(self, cron_id: UUID | str, *, reason: str | None = None, by: str | None = None) -> Cron:
        """Let a cron ticker's next instant pass, recorded as a Skipped occurrence; return what follows.

        Raises:
            TickerNotFoundError: There is none.
            TickerStateError: It is paused, or has no next instant, or that has come, was backfilled, and its
                occurrence has been claimed.
            TickerValidationError: ``reason`` or ``by`` is too long.
        """
        cron_id = validation.identifier(cron_id)
        check_words(reason, by)
        return self._storing.core.write(self._skip_next, cron_id, reason, by)

    def run_now(self, cron_id: UUID | str, *, request: object = None) -> Run:
        """Run a cron ticker once, now, also while it is paused, and return the run.

        A ``request`` replaces the cron ticker's own for this run. Where occurrences may not overlap, the
        run waits for the end of the active one, ahead of those that wait already; one that a
        pause holds gives way to it.

        Raises:
            TickerNotFoundError: There is none.
            TickerValidationError: The request does not fit the function.
        """
        cron_id = validation.identifier(cron_id)
        stored = self._storing.core.write(self._run_now, cron_id, request)
        self._storing.dispatch(stored.due)
        return self._occurrences.get(stored.result)

    def backfill(
        self, cron_id: UUID | str, start: datetime, end: datetime, *, per_minute: int = 60
    ) -> list[Run]:
        """Create the occurrences of all instants from ``start`` and before ``end``; return the new ones.

        An instant that has its occurrence gets no second one, so a repetition adds nothing. They fall due
        one after the other, ``per_minute`` of them; where they may not overlap, each follows the one before.

        Raises:
            TickerNotFoundError: There is none.
            TickerValidationError: The range is no range of the past, or too long, or ``per_minute`` is out of
                range; nothing is stored.
        """
        cron_id = validation.identifier(cron_id)
        begin, until = validation.moment("start", start), validation.moment("end", end)
        wait = timedelta(minutes=1) / validation.whole("per_minute", per_minute, 1, _MOST_A_MINUTE)
        return self._storing.core.write(self._backfill, cron_id, begin, until, wait)

    def _pause(self, tx: Transaction, cron_id: UUID, reason: str | None, by: str | None) -> Cron:
        cron = self._locked(tx, cron_id)
        if cron.is_enabled or _is_without_operator(cron):
            now = tx.now
            cron_pauses.pause(tx, cron, reason=reason, by=by, now=now)
        return self._get(tx, cron_id)

    def _resume(
        self,
        tx: Transaction,
        cron_id: UUID,
        *,
        missed: bool = False,
        reason: str | None = None,
        by: str | None = None,
    ) -> Cron:
        cron = self._locked(tx, cron_id)
        if not cron.is_enabled:
            resume_with_held(tx, cron, missed=missed, by=by, reason=reason)
        return self._get(tx, cron_id)

    def _skip_next(self, tx: Transaction, cron_id: UUID, reason: str | None, by: str | None) -> Cron:
        cron = self._locked(tx, cron_id)
        instant = cron.next_run_at
        if instant is None:
            raise TickerStateError(cron_id, "paused, or has no next instant", "skipped once")
        self._skip(tx, cron, instant, f"Skipped on request{who_and_why(by, reason)}")
        cron_tickers.advance(
            tx,
            cron_id,
            seen=instant,
            next_run_at=cron.next_run_after(instant),
            last_run_at=None,
            runs=0,
        )
        return self._get(tx, cron_id)

    def _skip(self, tx: Transaction, cron: CronRow, instant: datetime, reason: str) -> None:
        """Make the occurrence of an instant a Skipped one; a backfill may have made it before it fired."""
        now = tx.now
        there = occurrences.lock_at(tx, cron.id, instant)
        if there is None:
            row = skipped_row(occurrence_row(cron, instant=instant, now=now), reason=reason, now=now)
            occurrences.add(tx, cron, [row])
            return
        if there.claim_no > 0:
            status = f"at {instant.isoformat()}, whose occurrence has been claimed"
            raise TickerStateError(cron.id, status, "skipped once")
        ends.end_unstarted(tx, [there.id], status=TickerStatus.SKIPPED, reason=reason)
        admit_next(tx, cron)

    def _run_now(self, tx: Transaction, cron_id: UUID, request: object) -> Effect[UUID]:
        """Store a manual run and return its id."""
        cron = self._locked(tx, cron_id)
        now = tx.now
        row = occurrence_row(cron, instant=None, now=now)
        if request is not None:
            if cron.kind is TickerKind.CELERY_TASK:
                refuse("request", request, OF_FUNCTIONS["request"])
            named = TimeTicker(cron.function, namespace=cron.namespace)
            known = self._storing.known(tx, {"": named}, allow_unknown=True)
            function = known[cron.namespace, cron.function]
            packed = self._storing.packed(request, function)
            row = replace(row, request=packed.data, encoding=packed.encoding)
        return add_manual(tx, cron, row, in_pause=lambda: self._is_in_pause(tx, cron))

    def _is_in_pause(self, tx: Transaction, cron: CronRow) -> bool:
        return not cron.is_enabled or pauses.of_cron(tx, cron) is not None

    def _backfill(
        self, tx: Transaction, cron_id: UUID, start: datetime, end: datetime, wait: timedelta
    ) -> list[Run]:
        cron = self._locked(tx, cron_id)
        now = tx.now
        wanted = instants_between(cron.timetable(), start, end, now=now)
        missing = sorted(set(wanted) - occurrences.taken_among(tx, cron_id, wanted))
        rows = [
            replace(occurrence_row(cron, instant=instant, now=now), due_at=now + number * wait)
            for number, instant in enumerate(missing)
        ]
        codec = self._storing.core.codec
        return [fresh_run(row, codec) for row in add_backfilled(tx, cron, rows)]

    def _locked(self, tx: Transaction, cron_id: UUID) -> CronRow:
        cron = cron_tickers.lock(tx, cron_id)
        if cron is None:
            raise TickerNotFoundError(KIND, cron_id)
        return cron

    def _get(self, tx: Transaction, cron_id: UUID) -> Cron:
        core = self._storing.core
        cron = cron_tickers.get(tx, cron_id, codec=core.codec)
        if cron is None:
            raise TickerNotFoundError(KIND, cron_id)
        return cron


def _is_without_operator(cron: CronRow) -> bool:
    """Return True if no operator has paused a cron ticker that does not fire.

    A pause for missing code is taken over, too, or the code's return would let it fire.
    """
    has_no_words = cron.paused_reason is None and cron.paused_by is None
    return has_no_words or cron.paused_by == BY_FAILURES or is_orphaned(cron)
