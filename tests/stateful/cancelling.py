"""Rules of who wants runs to end: an app cancels, and a worker may be asked to kill a child."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import Row

from tests.stateful import promises
from tests.stateful.actions import action
from tests.stateful.bodies import TASK
from tests.stateful.stage import Stage, troubles, which
from tests.stateful.troubles import Troubles
from tickerq_celery.enums import TERMINAL
from tickerq_celery.errors import TickerBusyError, TickerNotFoundError, TickerStateError


class Cancelling(Stage):
    """What callers do to runs that they want no more."""

    @action(
        4,
        lambda self: self.idle_apps() and self.cancellable(),
        run=which,
        terminate=st.booleans(),
        troubles=troubles(0, 2),
    )
    def cancel(self, run: int, terminate: bool, troubles: Troubles) -> None:
        """An app cancels a time ticker or an occurrence, seldom one that has ended."""
        app = self.pick(0, self.idle_apps())
        chosen = self.pick(run, self.cancellable())
        self.world.cancelled.add(chosen.id)
        self.world.say(f"{self.world.label(chosen.id)} is cancelled")
        refused = []

        def cancel() -> None:
            try:
                app.runs.cancel(chosen.id, terminate=terminate)
            except (TickerStateError, TickerNotFoundError) as error:
                # Not found: deleted while this app was stalled.
                refused.append(error)
            except TickerBusyError as error:
                raise AssertionError("busy, but not locked") from error

        came_through = self.act(app.process, cancel, troubles)
        self.look()
        if came_through:
            promises.after_a_cancel(self.world, chosen, was_refused=bool(refused))

    def cancellable(self) -> Sequence[Row[Any]]:
        """The runs that have not ended, and one that has."""
        runs = [run for run in self.world.sight.runs.values() if run.function != TASK]
        ended = [run for run in runs if run.status in TERMINAL]
        return [run for run in runs if run.status not in TERMINAL] + ended[-1:]
