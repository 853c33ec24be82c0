"""Several steps in a row to where it becomes interesting: chance alone would seldom take all of them."""

from datetime import timedelta
from uuid import UUID

from hypothesis import strategies as st

from tests.stateful import promises
from tests.stateful.actions import action
from tests.stateful.adding import RETRY_SECONDS
from tests.stateful.bodies import End
from tests.stateful.cron_lives import PERIOD
from tests.stateful.silences import Silences
from tests.stateful.stage import troubles_of_the_stopped, which
from tests.stateful.troubles import How, Trouble, Troubles
from tests.stateful.world import PUBLISH_CHECK_SECONDS
from tickerq_celery.enums import OverlapPolicy

# Of one run: before its publishing, before its stamp, and before it is put off as it cannot be published.
_STOPS_AFTER_A_CLAIM: tuple[Troubles, ...] = (
    (Trouble(2, How.STOPS),),
    (Trouble(3, How.STOPS),),
    (Trouble(2, How.MISROUTED), Trouble(0, How.STOPS)),
)


class Journeys(Silences):
    """The ways to a process that everything overtook, to instants that come again, and to slots taken."""

    @action(
        3,
        lambda self: len(self.idle_beats()) > 1 and self.is_due(),
        beat=which,
        stop=st.sampled_from(_STOPS_AFTER_A_CLAIM),
        troubles=st.just(()) | troubles_of_the_stopped,
    )
    def overtake(self, beat: int, stop: Troubles, troubles: Troubles) -> None:
        """A beat stops after a claim for so long that what it claimed ran, failed, and is claimed again."""
        slow, other = self.pick(beat, self.idle_beats()), self.pick(beat + 1, self.idle_beats())
        self.act(slow.process, slow.dispatch, stop)
        self.pass_time(PUBLISH_CHECK_SECONDS)
        self.sweep(other)
        worker = self.hire_worker(is_full=True)
        for held in self.take_all(worker):
            self.finish_body(held, End.FAILS)
        self.pass_time(RETRY_SECONDS)
        self.act(other.process, other.dispatch)
        if slow.process.is_stopped:
            self.go_on_with(slow.process, troubles)

    @action(
        3,
        lambda self: self.idle_apps() and self.idle_beats() and self.world.sight.crons,
        cron=which,
        seconds=st.sampled_from([10, 40, 3600]),
    )
    def set_back(self, cron: int, seconds: int) -> None:
        """The system clock is set back, and a cron ticker restarted: its instants come again."""
        self.fire(beat=0, troubles=())
        self.world.step_wall_clock(self.world.clock.now() - timedelta(seconds=seconds))
        self.restart_cron(self.pick(cron, list(self.world.sight.crons)))
        self.pass_time(PERIOD.seconds)
        self.fire(beat=0, troubles=())

    @action(3, lambda self: self.idle_beats() and self.crons_in_order(), cron=which)
    def come_too_soon(self, cron: int) -> None:
        """The next instant of a cron ticker comes while an occurrence of it runs."""
        beat, cron_id = self.idle_beats()[0], self.pick(cron, self.crons_in_order())
        self.world.say(f"one of {self.world.label(cron_id)} runs when the next one comes")
        self.pass_time(PERIOD.seconds)
        self.fire(beat=0, troubles=())
        self.act(beat.process, beat.dispatch)
        self.look()
        self.take_all(self.hire_worker(is_full=True))
        self.pass_time(PERIOD.seconds)
        self.fire(beat=0, troubles=())

    @action(
        2,
        lambda self: self.idle_apps() and self.idle_beats() and self.crons_in_order(),
        cron=which,
        was_asked=st.booleans(),
    )
    def ask_in_a_pause(self, cron: int, was_asked: bool) -> None:
        """A cron ticker is paused before its occurrence has begun, and asked to run now, maybe once more."""
        app, cron_id = self.idle_apps()[0], self.pick(cron, self.crons_in_order())
        self.pass_time(PERIOD.seconds)
        self.fire(beat=0, troubles=())
        if was_asked:
            self.act(app.process, lambda: app.cron_tickers.run_now(cron_id))
        self.world.say(f"{self.world.label(cron_id)} is paused, and asked to run now")
        self.act(app.process, lambda: app.cron_tickers.pause(cron_id))
        self.look()
        promises.after_a_pause(self.world, cron_id)
        self.act(app.process, lambda: app.cron_tickers.run_now(cron_id))
        self.look()
        promises.after_a_run_now(self.world)

    def crons_in_order(self) -> list[UUID]:
        """The cron tickers that fire, and whose occurrences may not overlap."""
        return [
            cron_id
            for cron_id, cron in self.world.sight.crons.items()
            if cron.next_run_at is not None and cron.overlap != OverlapPolicy.ALLOW
        ]
