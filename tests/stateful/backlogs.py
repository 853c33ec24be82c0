"""More runs of one function than its queue takes ahead: a beat publishes them as others start."""

from datetime import timedelta

from tests.stateful.actions import action
from tests.stateful.bodies import PLAIN, End
from tests.stateful.journeys import Journeys
from tests.stateful.stage import troubles, which
from tests.stateful.troubles import Troubles
from tests.stateful.workers import PREFETCH
from tests.stateful.world import SETTINGS
from tickerq_celery import TimeTicker

_MOST_ACTIVE = 1
_DUE = 4
_SOON, _LATER = timedelta(seconds=1), timedelta(seconds=9)


class Backlogs(Journeys):
    """The way to runs that a beat leaves due, since others of their function wait in the queue."""

    @action(
        4,
        lambda self: self.idle_apps() and self.idle_beats() and self.has_windows(),
        beat=which,
        worker=which,
        troubles=troubles(1, 3),
    )
    def line_up(self, beat: int, worker: int, troubles: Troubles) -> None:
        """Runs of one function fall due at once; a beat publishes some, and more once those have ended."""
        self._add_due_soon()
        self.pass_time(_SOON.total_seconds())
        self.dispatch(beat, ())
        self.dispatch(beat, ())
        for held in self.take_all(self.pick(worker, self.world.workers)):
            self.finish_body(held, End.SUCCEEDS)
        self.dispatch(beat, troubles)

    def has_windows(self) -> bool:
        """Whether so few workers are there that a line has a window, and little else is to do."""
        takes = PREFETCH * len(self.world.workers)
        return 0 < takes < SETTINGS["max_queued"] and self.world.active() <= _MOST_ACTIVE

    def _add_due_soon(self) -> None:
        app, now = self.pick(0, self.idle_apps()), self.world.clock.now()
        moments = [now + _SOON] * _DUE + [now + _LATER]
        batch = [TimeTicker(function=PLAIN, execution_time=moment) for moment in moments]
        self.act(app.process, lambda: app.time_tickers.add_batch(batch))
        self.look()
