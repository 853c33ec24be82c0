"""The system as the machine holds it: its processes, its broker, and a mirror of what must be true."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from hypothesis import note
from sqlalchemy import Row

from tests.inner import Core, Database, Registry, new_identity
from tests.manual_clock import ManualClock
from tests.stateful.bodies import ALL_FUNCTIONS, PLAIN, registry_of
from tests.stateful.broker import Broker, Key
from tests.stateful.calls import CallLife
from tests.stateful.cron_lives import CronLife
from tests.stateful.names import Names
from tests.stateful.processes import App, Beat
from tests.stateful.publications import Publications
from tests.stateful.sight import Sight, see
from tests.stateful.surroundings import Surroundings
from tests.stateful.troubles import Process
from tests.stateful.workers import Worker
from tickerq_celery.enums import TERMINAL
from tickerq_celery.views import TickerConfig

LEASE_SECONDS = 10
# How often the living beat and sweep: a beat learns little from gaps of more than a third of a lease.
LOOK_SECONDS = 3
PUBLISH_CHECK_SECONDS = 8
# No two waits are equal, so that a moment shows which of them led to it.
SETTINGS = {
    "heartbeat": 5,
    "lease": LEASE_SECONDS,
    "publish_check": PUBLISH_CHECK_SECONDS,
    # Later than a dead worker is found: so it matters that reaping it lets its messages be sent again.
    "republish_after": 21,
    "late_after": 6,
    "batch_size": 4,
    "max_queued": 3,
    "max_rescues": 2,
}


class World:
    """Two apps, two beats, a few workers, one broker, one store; from ``starts`` on the mirror."""

    def __init__(self, database: Database) -> None:
        self.clock = ManualClock()
        self.core = _core(database, self.clock)
        self.sight = Sight()
        self.names = Names()
        self.broker = Broker()
        self.publications = Publications(database, self.clock, may_be_gone=self.may_be_gone)
        self._around = self._surroundings()
        self.apps = [App(self._around), App(self._around)]
        self.beats = [self.new_beat(0), self.new_beat(1)]
        self.workers: list[Worker] = []
        # The mirror: what must be true of the rows, as far as the rows alone do not say it.
        self.starts: dict[Key, UUID] = {}
        self.revoked: set[Key] = set()
        self.cancelled: set[UUID] = set()
        self.stepped_back: set[UUID] = set()
        # The attempts that an operator has ended as lost, of a run whose node is dead.
        self.at_a_word: set[Key] = set()
        self.lost_with: dict[UUID, Sequence[Key]] = {}
        self.crons: dict[UUID, CronLife] = {}
        # Who acts in this step, and whose claims it may give back although another process made them.
        self.actor = ""
        self.released: set[Key] = set()
        self.moment = 0
        # The call of which a worker reports something in this step.
        self.reported: UUID | None = None
        self._lives: dict[UUID, CallLife] = {}
        self._deleted: set[UUID] = set()
        self._cron_of: dict[UUID, UUID | None] = {}
        self._is_stale = False

    @property
    def processes(self) -> list[Process]:
        """Every process that can be in the middle of something."""
        apps, beats = [app.process for app in self.apps], [beat.process for beat in self.beats]
        return [*apps, *beats, *(worker.main for worker in self.workers)]

    def time_tickers(self) -> list[Row[Any]]:
        """The runs that are no occurrences."""
        return [run for run in self.sight.runs.values() if run.cron_ticker_id is None]

    def active(self) -> int:
        """How many runs have not ended."""
        return sum(run.status not in TERMINAL for run in self.sight.runs.values())

    def new_beat(self, index: int) -> Beat:
        """Start a beat; the second one does not import the functions."""
        return Beat(self._around, Registry() if index else None)

    def new_app(self) -> App:
        """Start a process that adds."""
        return App(self._around)

    def hire(self, *, is_full: bool) -> Worker:
        """Start a worker, with all functions or with one only."""
        worker = Worker(self._around, registry_of(*(ALL_FUNCTIONS if is_full else (PLAIN,))))
        worker.main.do(worker.enrol)
        self.workers.append(worker)
        return worker

    def life_of(self, run_id: UUID) -> CallLife:
        """Return what is known of a call beside its row."""
        return self._lives.setdefault(run_id, CallLife(run_id))

    def let_go(self, run_id: UUID) -> None:
        """Note that a run is deleted."""
        self._deleted.add(run_id)

    def may_be_gone(self, run_id: UUID) -> bool:
        """Whether a run, or its cron ticker, was deleted."""
        cron_id = self._cron_of.get(run_id)
        return run_id in self._deleted or (cron_id is not None and self.crons[cron_id].is_being_deleted)

    def label(self, some_id: UUID) -> str:
        """Return a short name, the same in every repetition."""
        return self.names.label(some_id)

    def shown(self, run: Row[Any]) -> str:
        """Return what is worth reading of a run's row."""
        return self.names.shown(self.sight, run)

    def words_about(self, run_id: UUID) -> int:
        """How many attempts of a run an operator has ended as lost."""
        return sum(key.run_id == run_id for key in self.at_a_word)

    def say(self, text: str) -> None:
        """Add a line to the story of a failed example."""
        note(f"  # {text}")

    def look(self) -> Sight:
        """Look at the store if anything was written; return what was seen before."""
        then = self.sight
        if self._is_stale:
            namespace = self.core.config.namespace
            self.sight = self.core.database.read(lambda connection: see(connection, namespace))
            self._is_stale = False
            self._name_what_is_new(then)
        return then

    def let_time_pass(self, seconds: float) -> None:
        """Let time pass; who gives no sign of life meanwhile may be taken for dead."""
        for worker in self.workers:
            if not worker.is_loud:
                worker.is_quiet = True
                for body in worker.bodies:
                    body.is_doubted = True
        # An odd moment each time, so that what was written at different times differs.
        self.clock.advance(seconds=seconds, microseconds=1)

    def step_wall_clock(self, to: datetime) -> None:
        """Set the system clock, as an administrator would."""
        self.publications.steps_back += to < self.clock.now()
        self.publications.steps_ahead += to > self.clock.now()
        self.clock.set(to)

    def _name_what_is_new(self, then: Sight) -> None:
        for cron_id in self.sight.crons.keys() - self.crons.keys():
            self.names.name("cron", cron_id)
            self.crons[cron_id] = CronLife()
        for run_id in sorted(self.sight.runs.keys() - then.runs.keys()):
            self.names.name("run", run_id)
            self._cron_of[run_id] = self.sight.runs[run_id].cron_ticker_id
            self.say(f"{self.label(run_id)} is there")

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            core=self.core,
            broker=self.broker,
            written=self._note_write,
            offered=self.publications.note_offer,
            published=self.publications.check,
            misrouted=lambda claim: self.released.add(Key(claim.id, claim.number)),
        )

    def _note_write(self, process: Process) -> None:
        self._is_stale = True
        self.publications.note_write(process)


def _core(database: Database, clock: ManualClock) -> Core:
    return Core(
        config=TickerConfig(namespace=f"test-{uuid4().hex[:12]}", **SETTINGS),  # type: ignore[arg-type]
        clock=clock,
        database=database,
        registry=registry_of(*ALL_FUNCTIONS),
        node=new_identity("test"),
    )
