"""The apps and beats of the system, each wired from the parts that production wires."""

from functools import partial

from tests.inner import Claimer, Dispatcher, NodeRegistration, Recorder, Registry, profile
from tests.plain_surroundings import PlainSurroundings
from tests.stateful.surroundings import Surroundings
from tests.stateful.troubles import Process
from tickerq_celery.beat.loss_watch import LossWatch
from tickerq_celery.beat.sweeper import Sweeper
from tickerq_celery.broker.known_tasks import AnyTask
from tickerq_celery.cron.firing import Firing
from tickerq_celery.enums import NodeKind
from tickerq_celery.managers.cron.cron_tickers import CronTickerManager
from tickerq_celery.managers.runs.runs import RunManager
from tickerq_celery.managers.time_tickers.time_tickers import TimeTickerManager
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.runs.cancelling import Canceller
from tickerq_celery.runs.immediate import ImmediateDispatch
from tickerq_celery.runs.replaced import revoke
from tickerq_celery.typing import PauseManager


class App:
    """A process that adds and steers, and publishes at once what is due at once."""

    def __init__(self, around: Surroundings) -> None:
        self.process = Process()
        core = around.core_for(self.process)
        self.process.name = core.node.name
        client = around.client_for(self.process)
        dispatcher = Dispatcher(core, Claimer(core), client)
        immediate = ImmediateDispatch(core, dispatcher)
        storing = UnitOfWork(core, immediate.dispatch, AnyTask())
        # What a cancel or an operator lets start is left to a beat, as what an end lets start is.
        canceller = Canceller(core, client, lambda ids: None)
        self.time_tickers = TimeTickerManager(storing, canceller, PlainSurroundings())
        self.cron_tickers = CronTickerManager(storing, canceller, PlainSurroundings())
        self.runs = RunManager(UnitOfWork(core, lambda ids: None, AnyTask()), canceller, PlainSurroundings())
        self.pauses = PauseManager(storing)


class Beat:
    """A beat; one without a registry does not import the functions."""

    def __init__(self, around: Surroundings, registry: Registry | None = None) -> None:
        self.process = Process()
        self.core = core = around.core_for(self.process, registry)
        self.process.name = core.node.name
        client = around.client_for(self.process)
        self._claimer = claimer = Claimer(core)
        self._dispatcher = Dispatcher(core, claimer, client)
        self._firing = Firing(core, partial(revoke, client))
        losses = LossWatch(core, lambda flow: None, lambda queue: None)
        self._sweeper = Sweeper(core, claimer, self._dispatcher, Recorder(core), client, losses)
        self._presence = NodeRegistration(profile(core, NodeKind.BEAT))
        # Whether its last batch left more to be claimed at once.
        self.has_more = False
        # When it began the sweep that it may be in the middle of, and whether one left nothing undone.
        self.swept_from = 0
        self.swept_all = False

    @property
    def looks_again(self) -> bool:
        """Whether it will look by itself at what it left due."""
        return self._claimer.next_poll is not None

    def dispatch(self) -> None:
        """Claim and publish a batch."""
        self.has_more = self._dispatcher.dispatch(holder=self.core.node.name)

    def fire(self) -> None:
        """Create the occurrences that are due."""
        self._firing.fire()

    def sweep(self) -> None:
        """Do one pass."""
        self.swept_all = False
        self.swept_all = not self._sweeper.sweep()

    def sign(self) -> None:
        """Give a sign of life, as the scheduler does."""
        self.core.write(self._presence.beat)
