"""Rules of the apps: add cron tickers, pause, resume and delete them, skip their next, pause everything."""

from contextlib import suppress
from enum import StrEnum
from functools import partial
from uuid import UUID

from hypothesis import strategies as st

from tests.stateful import promises
from tests.stateful.actions import action
from tests.stateful.bodies import ALL_FUNCTIONS, TASK
from tests.stateful.cron_lives import EXPRESSION
from tests.stateful.stage import Stage, troubles, which
from tests.stateful.troubles import Troubles
from tickerq_celery import CronTicker
from tickerq_celery.enums import MisfirePolicy, OnLost, OverlapPolicy
from tickerq_celery.errors import TickerNotFoundError, TickerStateError

_MOST_CRONS = 2


class Steering(StrEnum):
    """What can be done to a cron ticker."""

    PAUSE = "pause"
    RESUME = "resume"
    DELETE = "delete"
    SKIP_NEXT = "skip_next"
    RUN_NOW = "run_now"


_FIELDS = {
    "expression": st.just(EXPRESSION),
    "misfire": st.sampled_from(MisfirePolicy),
    "misfire_limit": st.just(3),
    "overlap": st.sampled_from(OverlapPolicy),
}
crons = st.builds(
    CronTicker,
    function=st.sampled_from(ALL_FUNCTIONS),
    retries=st.integers(0, 1),
    retry_intervals=st.just([4, 9]),
    **_FIELDS,
)
task_crons = st.builds(CronTicker, task=st.just(TASK), on_lost=st.sampled_from(OnLost), **_FIELDS)


class CronSteering(Stage):
    """What operators do to cron tickers."""

    @action(2, lambda self: self.idle_apps() and len(self.world.crons) < _MOST_CRONS, cron=crons | task_crons)
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
        """An app pauses, resumes or deletes a cron ticker, lets its next instant pass or runs it now."""
        app = self.pick(0, self.idle_apps())
        cron_id = self.pick(cron, list(self.world.sight.crons))
        self.world.say(f"{steering} of {self.world.label(cron_id)}")
        if steering is Steering.DELETE:
            self.world.crons[cron_id].is_being_deleted = True

        def steer() -> None:
            try:
                getattr(app.cron_tickers, steering)(cron_id)
            except TickerNotFoundError as error:
                # The run that it has made may be deleted before this app goes on to read it.
                is_gone = isinstance(error.ticker_id, UUID) and self.world.may_be_gone(error.ticker_id)
                assert is_gone or self.world.crons[cron_id].is_being_deleted, f"lost by {steering}"
            except TickerStateError:
                assert steering is Steering.SKIP_NEXT

        came_through = self.act(app.process, steer, troubles)
        then = self.look()
        was_enabled = cron_id in then.crons and then.crons[cron_id].is_enabled
        if steering is Steering.PAUSE and came_through and was_enabled:
            promises.after_a_pause(self.world, cron_id)
        if steering is Steering.RESUME and came_through:
            promises.after_a_resumption(self.world, cron_id)

    @action(1, lambda self: self.idle_apps(), troubles=troubles(0, 1))
    def steer_everything(self, troubles: Troubles) -> None:
        """An app pauses everything, or resumes it."""
        app = self.pick(0, self.idle_apps())

        def resume() -> None:
            # Another app, which was stopped meanwhile, may have been faster.
            with suppress(TickerNotFoundError):
                app.pauses.resume(everything=True)

        steer = resume if self.world.sight.is_paused else partial(app.pauses.pause, everything=True)
        self.act(app.process, steer, troubles)

    def restart_cron(self, cron_id: UUID) -> None:
        """Let an app pause and resume a cron ticker."""
        app = self.idle_apps()[0]
        self.act(app.process, lambda: app.cron_tickers.pause(cron_id))
        self.act(app.process, lambda: app.cron_tickers.resume(cron_id))
