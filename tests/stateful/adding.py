"""Rules of the apps: add, move and delete time tickers."""

from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

from hypothesis import strategies as st

from tests.stateful.actions import action
from tests.stateful.bodies import ALL_FUNCTIONS, PLAIN, TASK
from tests.stateful.stage import Stage, troubles, which
from tests.stateful.troubles import Troubles
from tickerq_celery import TimeTicker
from tickerq_celery.enums import OnLost, RunCondition, TickerStatus
from tickerq_celery.errors import DuplicateTickerError, TickerStateError

_MOST_ACTIVE = 5
RETRY_SECONDS = 4


class Draft(NamedTuple):
    """A time ticker that is to be added."""

    function: str
    delay: int
    retries: int
    queue: str | None
    key: str | None
    children: tuple[RunCondition | None, ...] = ()
    is_deep: bool = False


conditions = st.sampled_from([None, *RunCondition])
drafts = st.builds(
    Draft,
    st.sampled_from([PLAIN, *ALL_FUNCTIONS, TASK, TASK]),
    st.sampled_from([0, 0, 4, 9]),
    st.integers(0, 3),
    st.sampled_from([None, "celery"]),
    st.sampled_from([None, None, "eu"]),
    # Most are single: chains of their own would crowd out what else may be tried.
    st.just(()) | st.just(()) | st.lists(conditions, min_size=1, max_size=2).map(tuple),
    st.booleans(),
)
batches = st.lists(drafts, min_size=1, max_size=2)


class Adding(Stage):
    """What callers do to time tickers."""

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

        def store() -> None:
            # Another one with the same unique key has not ended.
            with suppress(DuplicateTickerError):
                chosen.time_tickers.add_batch(tickers)

        self.act(chosen.process, store, troubles)

    @action(1, lambda self: self.idle_apps() and self.world.time_tickers(), run=which)
    def delete(self, run: int) -> None:
        """An app deletes a time ticker with all that is below it, whatever their status."""
        app = self.pick(0, self.idle_apps())
        run_id = self.pick(run, self.world.time_tickers()).id
        self.world.say(f"{self.world.label(run_id)} is deleted")
        for each in [run_id, *self.world.sight.below(run_id)]:
            self.world.let_go(each)
        self.act(app.process, lambda: app.time_tickers.delete(run_id))

    @action(1, lambda self: self.idle_apps() and self.world.time_tickers(), run=which)
    def postpone(self, run: int) -> None:
        """An app moves a time ticker, which only works while it is unclaimed."""
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

    def _ticker(self, draft: Draft) -> TimeTicker:
        if draft.function == TASK:
            return self._call(draft)
        return TimeTicker(
            function=draft.function,
            execution_time=self.world.clock.now() + timedelta(seconds=draft.delay),
            retries=draft.retries,
            retry_intervals=[RETRY_SECONDS, 9],
            queue=draft.queue,
            concurrency_key=draft.key,
            children=[_child(condition, draft) for condition in draft.children],
        )

    def _call(self, draft: Draft) -> TimeTicker:
        return TimeTicker(
            task=TASK,
            on_lost=OnLost.RETRY if draft.retries % 2 else OnLost.FAIL,
            execution_time=self.world.clock.now() + timedelta(seconds=draft.delay),
            queue=draft.queue,
            unique_key=draft.key,
            children=[_child(condition, draft) for condition in draft.children],
        )


def _child(condition: RunCondition | None, draft: Draft) -> TimeTicker:
    below = [TimeTicker(function=PLAIN, run_condition=condition)] if draft.is_deep else []
    named = {"task" if draft.function == TASK else "function": draft.function}
    return TimeTicker(**named, run_condition=condition, children=below)
