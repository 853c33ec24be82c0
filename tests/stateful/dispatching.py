"""Rules of the beats: fire, claim, publish, sweep, and crash in the middle."""

from tests.stateful import promises
from tests.stateful.actions import action
from tests.stateful.stage import Stage, troubles, troubles_of_the_stopped, which
from tests.stateful.troubles import How, Troubles


class Dispatching(Stage):
    """The way of a run to the broker."""

    @action(14, lambda self: self.idle_beats() and self.is_due(), beat=which, troubles=troubles(1, 3))
    def dispatch(self, beat: int, troubles: Troubles) -> None:
        """A beat claims and publishes a batch."""
        chosen = self.pick(beat, self.idle_beats())
        came_through = self.act(chosen.process, chosen.dispatch, troubles)
        then = self.look()
        if came_through and not troubles:
            promises.after_a_good_dispatch(self.world, then, chosen)
        if all(trouble.how in {How.REFUSED, How.MISROUTED} for trouble in troubles):
            promises.after_a_dispatch(self.world, then)

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

    @action(5, lambda self: self.idle_beats(), beat=which, troubles=troubles(0, 0))
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

    def is_due(self) -> bool:
        """Whether there is anything to claim."""
        now = self.world.clock.now()
        return any(run.due_at <= now for run in self.world.sight.due())

    def has_instant(self) -> bool:
        """Whether there is anything to fire."""
        moments = [cron.next_run_at for cron in self.world.sight.crons.values()]
        return any(moment is not None and moment <= self.world.clock.now() for moment in moments)
