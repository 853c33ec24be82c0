"""Rules of the apps and beats: add, steer, fire, claim, publish, sweep, and crash in the middle."""

from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from hypothesis import strategies as st

from tests.stateful import promises
from tests.stateful.actions import action
from tests.stateful.bodies import ALL_FUNCTIONS, PLAIN
from tests.stateful.cron_lives import EXPRESSION
from tests.stateful.processes import App
from tests.stateful.stage import Stage, troubles, troubles_of_the_stopped, which
from tests.stateful.troubles import Troubles
from tickerq_celery.enums import MisfirePolicy, OverlapPolicy, TickerStatus
from tickerq_celery.errors import TickerNotFoundError, TickerStateError
from tickerq_celery.tickers import CronTicker, TimeTicker

_MOST_CRONS = 2
_MOST_ACTIVE = 5


class Draft(NamedTuple):
    """A time ticker that is to be added."""

    function: str
    delay: int
    retries: int
    queue: str | None


class Steering(StrEnum):
    """What can be done to a cron ticker."""

    PAUSE = "pause"
    RESUME = "resume"
    DELETE = "delete"


drafts = st.builds(
    Draft,
    st.sampled_from([PLAIN, *ALL_FUNCTIONS]),
    st.sampled_from([0, 0, 4, 9]),
    st.integers(0, 3),
    st.sampled_from([None, "celery"]),
)
batches = st.lists(drafts, min_size=1, max_size=2)
crons = st.builds(
    CronTicker,
    function=st.sampled_from(ALL_FUNCTIONS),
    expression=st.just(EXPRESSION),
    misfire=st.sampled_from(MisfirePolicy),
    misfire_limit=st.just(3),
    overlap=st.sampled_from(OverlapPolicy),
    retries=st.integers(0, 1),
    retry_intervals=st.just([4, 9]),
)


class Dispatching(Stage):
    """The way of a run from its adding to the broker."""

    @action(
        5,
        lambda self: self.idle_apps() and self.world.active() < _MOST_ACTIVE,
        app=which,
        batch=batches,
        troubles=troubles(1, 4),
    )
    def add(self, app: int, batch: list[Draft], troubles: Troubles) -> None:
        """An app adds a batch, and publishes at once what is due."""
        chosen = self.pick(app, self.idle_apps())
        tickers = [self._ticker(draft) for draft in batch]
        self.act(chosen.process, lambda: chosen.time_tickers.add_batch(tickers), troubles)

    @action(2, lambda self: self.idle_apps() and len(self.world.crons) < _MOST_CRONS, cron=crons)
    def add_cron(self, cron: CronTicker) -> None:
        """An app adds a cron ticker."""
        app = self.pick(0, self.idle_apps())
        self.act(app.process, lambda: app.cron_tickers.add(cron))

    @action(
        3,
        lambda self: self.idle_apps() and self.world.sight.crons,
        cron=which,
        steering=st.sampled_from(Steering),
        troubles=troubles(0, 2),
    )
    def steer_cron(self, cron: int, steering: Steering, troubles: Troubles) -> None:
        """An app pauses, resumes or deletes a cron ticker."""
        app = self.pick(0, self.idle_apps())
        cron_id = self.pick(cron, list(self.world.sight.crons))
        self.world.say(f"{steering} of {self.world.label(cron_id)}")
        if steering is Steering.DELETE:
            self.world.crons[cron_id].is_being_deleted = True

        def steer() -> None:
            try:
                getattr(app.cron_tickers, steering)(cron_id)
            except TickerNotFoundError:
                assert self.world.crons[cron_id].is_being_deleted

        came_through = self.act(app.process, steer, troubles)
        self.look()
        if steering is Steering.RESUME and came_through:
            promises.after_a_resumption(self.world, cron_id)

    def restart_cron(self, cron_id: UUID) -> None:
        """Let an app pause and resume a cron ticker."""
        app = self.idle_apps()[0]
        self.act(app.process, lambda: app.cron_tickers.pause(cron_id))
        self.act(app.process, lambda: app.cron_tickers.resume(cron_id))

    @action(1, lambda self: self.idle_apps() and self.world.time_tickers(), run=which)
    def delete(self, run: int) -> None:
        """An app deletes a time ticker, whatever its status."""
        app = self.pick(0, self.idle_apps())
        run_id = self.pick(run, self.world.time_tickers()).id
        self.world.say(f"{self.world.label(run_id)} is deleted")
        self.world.let_go(run_id)
        self.act(app.process, lambda: app.time_tickers.delete(run_id))

    @action(1, lambda self: self.idle_apps() and self.world.time_tickers(), run=which)
    def postpone(self, run: int) -> None:
        """An app moves a time ticker, which only works while nobody has claimed it."""
        app = self.pick(0, self.idle_apps())
        chosen = self.pick(run, self.world.time_tickers())
        moment = self.world.clock.now() + timedelta(seconds=9)
        refused = []

        def move() -> None:
            try:
                app.time_tickers.update(chosen.id, execution_time=moment)
            except TickerStateError as error:
                refused.append(error)

        self.act(app.process, move)
        self.world.say(f"{self.world.label(chosen.id)} is moved{' in vain' if refused else ''}")
        assert bool(refused) == (chosen.status is not TickerStatus.IDLE)

    @action(14, lambda self: self.idle_beats() and self.is_due(), beat=which, troubles=troubles(1, 3))
    def dispatch(self, beat: int, troubles: Troubles) -> None:
        """A beat claims and publishes a batch."""
        chosen = self.pick(beat, self.idle_beats())
        self.act(chosen.process, chosen.dispatch, troubles)

    @action(10, lambda self: self.idle_beats() and self.has_instant(), beat=which, troubles=troubles(0, 0))
    def fire(self, beat: int, troubles: Troubles) -> None:
        """A beat creates occurrences."""
        chosen = self.pick(beat, self.idle_beats())
        came_through = self.act(chosen.process, chosen.fire, troubles)
        self.look()
        if came_through:
            promises.after_a_fire(self.world)

    @action(5, lambda self: self.idle_beats(), beat=which, troubles=troubles(2, 6))
    def sweep_once(self, beat: int, troubles: Troubles) -> None:
        """A beat sweeps."""
        self.sweep(self.pick(beat, self.idle_beats()), troubles)

    @action(1, lambda self: self.idle_beats(), beat=which, troubles=troubles(0, 0))
    def sign(self, beat: int, troubles: Troubles) -> None:
        """A beat gives a sign of life."""
        chosen = self.pick(beat, self.idle_beats())
        self.act(chosen.process, chosen.sign, troubles)

    @action(8, lambda self: self.stopped(), process=which, troubles=troubles_of_the_stopped)
    def go_on(self, process: int, troubles: Troubles) -> None:
        """A process that was stopped goes on."""
        self.go_on_with(self.pick(process, self.stopped()), troubles)

    @action(1, process=which)
    def crash(self, process: int) -> None:
        """A process is killed, in the middle of what it does if it was stopped there."""
        idle = [app.process for app in self.world.apps] + [beat.process for beat in self.world.beats]
        self.end_process(self.pick(process, self.stopped() or idle))

    def _ticker(self, draft: Draft) -> TimeTicker:
        return TimeTicker(
            function=draft.function,
            execution_time=self.world.clock.now() + timedelta(seconds=draft.delay),
            retries=draft.retries,
            retry_intervals=[4, 9],
            queue=draft.queue,
        )

    def is_due(self) -> bool:
        """Whether there is anything to claim."""
        now = self.world.clock.now()
        return any(run.due_at <= now for run in self.world.sight.due())

    def has_instant(self) -> bool:
        """Whether there is anything to fire."""
        moments = [cron.next_run_at for cron in self.world.sight.crons.values() if cron.is_enabled]
        return any(moment <= self.world.clock.now() for moment in moments)

    def idle_apps(self) -> list[App]:
        """The apps that are not in the middle of something."""
        return [app for app in self.world.apps if not app.process.is_stopped]
