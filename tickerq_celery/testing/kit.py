"""What a test has in its hands: the application's tickers, a clock, and what runs them in this process."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from celery import Celery

from tickerq_celery.enums import TickerKind
from tickerq_celery.extension import TickerQ
from tickerq_celery.managers.acting import Managers
from tickerq_celery.managers.facade import Facade
from tickerq_celery.store.runs import runs
from tickerq_celery.testing import scheduled, statements
from tickerq_celery.testing.beat import InProcessBeat
from tickerq_celery.testing.clock import MovableClock
from tickerq_celery.testing.enrolment import Enrolment
from tickerq_celery.testing.in_process import InProcessParts
from tickerq_celery.testing.scheduled import NOT_GIVEN, Wanted
from tickerq_celery.tickers.actor import Actor
from tickerq_celery.tickers.call import FunctionLike
from tickerq_celery.tickers.celery_task import TaskLike
from tickerq_celery.tickers.views import Run
from tickerq_celery.worker.seeding import Seeding, run_seeder

_A_SECOND = timedelta(seconds=1)


class TickerQTest(Facade):
    """The application's TickerQ, taken over for one test: see docs/reference/testing.md.

    ``own`` is the application's own object, which works on the same store meanwhile.
    """

    def __init__(self, own: TickerQ, parts: InProcessParts, clock: MovableClock) -> None:
        self.own = own
        self.clock = clock
        self._parts = parts
        self._core = parts.core
        self._enrolment = Enrolment(own.app, parts.core)
        self._enrolment.renew()
        self._ran_until = clock.now()
        self._skipped: set[UUID] = set()
        clock.when_first_set(self._begin_anew)

    @property
    def app(self) -> Celery:
        """The Celery app."""
        return self.own.app

    @property
    def store_url(self) -> str:
        """The URL of the test's store."""
        return self.own.store_url

    @property
    def _managers(self) -> Managers:
        return self._parts.managers

    def acting_as(self, actor: Actor | str) -> Managers:
        """Return the same managers for one actor, as ``TickerQ.acting_as`` does."""
        return self._parts.acting_as(actor)

    def run_due(self, *, beat_was_down: bool = False) -> list[Run]:
        """Run in this process what is due, and return the runs in the order of their ends, as they then are.

        What fell due since the last call runs at its moments, in their order, as with a beat that never
        slept: cron tickers fire each of their instants, failed runs are retried, children follow their
        parents, and the clock shows each body the moment of its run. With ``beat_was_down`` all of it is
        found now: misfire policies decide, and what runs is late. Skipped runs are returned as well.

        Raises:
            TooManyRunsError: More than 10,000 runs are due, for instance of a cron ticker each second.
        """
        self.clock.when_first_set(None)
        until = self.clock.now()
        since = until if beat_was_down else min(self._ran_until, until)
        beat = InProcessBeat(self._parts)
        at_once = self._parts.immediate
        if at_once.is_executing:
            raise RuntimeError("run_due was called in the body of a run")
        at_once.is_executing = True
        try:
            with self.clock.replay() as set_clock:
                set_clock(since)
                self._enrolment.renew()
                beat.run_until(until, set_clock=set_clock)
        finally:
            at_once.is_executing = False
        self._ran_until = until
        return self._ended(beat, since)

    def run_seeders(self) -> list[str]:
        """Run the application's seeders that are due, as a worker that starts alone, and return their names.

        A test begins without what they seed.

        Raises:
            RuntimeError: One has failed; the log has its traceback.
        """
        self._enrolment.renew()
        ran = []
        for seeder in self._core.registry.seeders:
            outcome = run_seeder(self._core, seeder)
            if outcome is Seeding.RAN:
                ran.append(seeder.name)
            elif outcome is not Seeding.NOT_WANTED:
                raise RuntimeError(f"seeder {seeder.name}: {outcome.value}; the log has the reason")
        return ran

    def assert_scheduled(
        self,
        function: FunctionLike | TaskLike,
        *,
        request: object = NOT_GIVEN,
        at: datetime | None = None,
        within: timedelta | float = _A_SECOND,
    ) -> list[Run]:
        """Return the runs of a function or of a Celery task that wait for an attempt, the oldest first.

        ``function`` is a function or a task, its name, or a call of it: ``send.s(user_id=3)``, ``add.s(2)``.
        ``request`` is compared as it is stored, and so are a signature's arguments, but not its options;
        ``at`` is compared with execution times. What is not given matches all.

        Raises:
            AssertionError: There is none; the text shows what is scheduled.
            TickerValidationError: The request does not fit the function, or ``at`` is naive.
            UnknownFunctionError: There is no function of this name, nor a task.
        """
        __tracebackhide__ = True
        wanted, found = self._found(function, request, at, within)
        if not found:
            raise AssertionError(f"no run of {wanted} is scheduled; {scheduled.listed(self._scheduled())}")
        return found

    def refute_scheduled(
        self,
        function: FunctionLike | TaskLike,
        *,
        request: object = NOT_GIVEN,
        at: datetime | None = None,
        within: timedelta | float = _A_SECOND,
    ) -> None:
        """Go on only if ``assert_scheduled`` finds nothing.

        Raises:
            AssertionError: It does; the text shows what.
        """
        __tracebackhide__ = True
        wanted, found = self._found(function, request, at, within)
        if found:
            raise AssertionError(
                f"runs of {wanted} are scheduled, and none should be; {scheduled.listed(found)}"
            )

    def _found(
        self,
        function: FunctionLike | TaskLike,
        request: object,
        at: datetime | None,
        within: timedelta | float,
    ) -> tuple[Wanted, list[Run]]:
        wanted = scheduled.wanted_of(self._core, function, request=request, at=at, within=within)
        candidates = self._scheduled(wanted.function)
        # One of another application may be scheduled all the same, with allow_unknown.
        if not candidates and not self._is_known(wanted):
            raise self._core.registry.unknown(wanted.function)
        return wanted, [run for run in candidates if wanted.fits(run)]

    def _is_known(self, wanted: Wanted) -> bool:
        is_task = wanted.kind is TickerKind.CELERY_TASK or wanted.function in self.app.tasks
        return is_task or self._core.registry.get(wanted.function) is not None

    def _scheduled(self, function: str | None = None) -> Sequence[Run]:
        return self._read(self._core.read(statements.ids, function=function))

    def _ended(self, beat: InProcessBeat, since: datetime) -> list[Run]:
        skipped = self._core.read(statements.skipped_since, since, {*self._skipped, *beat.ended})
        self._skipped.update(run_id for run_id, _ in skipped)
        # A sort keeps the order of what ended at one moment: those that were executed, then those skipped.
        order = sorted([*beat.ended.items(), *skipped], key=lambda each: each[1])
        return self._read([run_id for run_id, _ in order])

    def _read(self, ids: Sequence[UUID]) -> list[Run]:
        """Return those of ``ids`` that are there, in their order."""
        found = self._core.read(runs.get_all, ids, codec=self._core.codec)
        return [found[each] for each in ids if each in found]

    def _begin_anew(self) -> None:
        self._ran_until = self.clock.now()
        self._enrolment.begin_anew()
