"""SIGTERM ends a beat within 10 s, whatever hangs or is unreachable, and whatever it is doing."""

import contextlib
import itertools
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import or_

from tests.acceptance.jobs import UNSTAMPED, Jobs, due_in
from tests.acceptance.pairs import on_files
from tests.acceptance.processes import CeleryProcess
from tests.acceptance.waiting import wait_until
from tests.conftest import BROKERS
from tests.inner import broker_url as folder_url
from tests.integration.apps import enrol_worker
from tests.servers.pool import SharedServer
from tests.servers.schema_template import make_schema
from tests.servers.server import Server
from tests.tables import tickers
from tests.thoroughness import in_proof, in_verify
from tickerq_celery import TickerStatus

pytestmark = pytest.mark.acceptance

UNENDED_BATCH = or_(UNSTAMPED, tickers.c.status == TickerStatus.IDLE)
BATCH = 1_000
ENDS_WITHIN = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Which servers hang or are unreachable, and what beat does when that, and then SIGTERM, comes.

    Where it goes on, another beat then starts what was left.
    """

    servers: tuple[str, ...]
    trouble: str
    moment: str
    goes_on: bool = True

    def __str__(self) -> str:
        end = ", goes on" if self.goes_on else ""
        return f"{'+'.join(self.servers)} {self.trouble}, {self.moment}{end}"


def every_case() -> list[Case]:
    servers = [("postgres",), ("mariadb",), ("redis",), ("rabbitmq",)]
    both = [("postgres", "redis"), ("mariadb", "rabbitmq")]
    product = itertools.product([*servers, *both], ("hangs", "is unreachable"), ("idle", "dispatching"))
    return [Case(servers=kinds, trouble=trouble, moment=moment) for kinds, trouble, moment in product]


def a_few_cases() -> list[Case]:
    few = [
        (("mariadb",), "hangs", "dispatching"),
        (("redis",), "hangs", "dispatching"),
    ]
    return [
        Case(servers=kinds, trouble=trouble, moment=moment, goes_on=False) for kinds, trouble, moment in few
    ]


class CaseServers:
    """The servers of one case, and what an application on them needs to be given."""

    def __init__(
        self,
        case: Case,
        start_server: Callable[[str], Server],
        shared_server: Callable[[str], SharedServer],
        schema_url: Callable[[str], str],
    ) -> None:
        self._case = case
        self._servers: list[Server] = []
        self.store_url = ""
        self.broker_url = ""
        for kind in case.servers:
            # The run's own will do where it is only frozen for a moment.
            shared = shared_server(kind) if case.trouble == "hangs" else None
            server = shared if isinstance(shared, Server) else start_server(kind)
            self._servers.append(server)
            if kind in BROKERS:
                self.broker_url = server.new_database()
            elif server is shared:
                self.store_url = schema_url(kind)
            else:
                self.store_url = server.new_database()
                make_schema(self.store_url)

    @contextlib.contextmanager
    def in_trouble(self) -> Iterator[None]:
        """Let the servers hang, or be unreachable, in a block."""
        with ExitStack() as stack:
            for server in self._servers:
                if self._case.trouble == "hangs":
                    stack.callback(server.thaw)
                    server.freeze()
                else:
                    stack.callback(server.start)
                    server.kill()
            yield


@pytest.fixture
def case_servers(
    case: Case,
    start_server: Callable[[str], Server],
    shared_server: Callable[[str], SharedServer],
    schema_url: Callable[[str], str],
) -> CaseServers:
    return CaseServers(case, start_server, shared_server, schema_url)


@pytest.fixture
def jobs(
    case_servers: CaseServers,
    make_jobs: Callable[..., Jobs],
    schema_url: Callable[[str], str],
    tmp_path: Path,
) -> Jobs:
    store_url = case_servers.store_url
    if not store_url:
        shutil.copyfile(schema_url("sqlite").removeprefix("sqlite:///"), tmp_path / "tickers.db")
        store_url = f"sqlite:///{tmp_path}/tickers.db"
    broker_url = case_servers.broker_url or folder_url(tmp_path / "broker")
    # What has the function is no process here, and gives no sign of life: hence the lease.
    made = make_jobs(store_url, broker_url, lease=300, republish_after=5, batch_size=BATCH)
    made.tickerq.function("Plain")(lambda: None)
    enrol_worker(made.tickerq)
    return made


# Of what one server does each third in verify: each server, each trouble and each moment are among them.
LONGER = [
    (in_proof if number % 3 or len(case.servers) > 1 else in_verify)(case)
    for number, case in enumerate(every_case())
]


@pytest.mark.parametrize("case", [*a_few_cases(), *LONGER], ids=str)
def test_sigterm_ends_a_beat_whose_servers_hang_or_are_unreachable(
    case: Case, case_servers: CaseServers, jobs: Jobs
) -> None:
    beat = jobs.beat()
    wait_until(lambda: jobs.node_names("beat"), lambda: beat.log)
    ids = []
    if case.moment == "dispatching":
        # Not before all are stored: beat takes a moment for them, which must not have passed by then.
        ids = jobs.add_many(BATCH, execution_time=due_in(3))
        wait_until(lambda: jobs.count(UNSTAMPED), lambda: beat.log)
    with case_servers.in_trouble():
        time.sleep(0.5)  # so that beat meets it: any moment must do
        assert beat.stop(ENDS_WITHIN) == 0
    assert "Traceback" not in beat.log
    if ids:
        assert jobs.count(UNENDED_BATCH) > 0, "beat was not interrupted in its work"
    if case.trouble == "hangs" and not set(case.servers) - set(BROKERS):
        # The call that hung has failed at its time limit, and the store took what is to be recorded.
        assert jobs.count(UNSTAMPED) == 0
        assert jobs.node_names("beat") == set()
    if ids and case.goes_on:
        jobs.worker()
        jobs.beat()
        jobs.wait_for_all(ids, 240)
        assert set(jobs.starts().values()) == {1}


@contextlib.contextmanager
def waiting_for_the_write_lock(jobs: Jobs, store_url: str) -> Iterator[CeleryProcess]:
    """Let a beat wait for SQLite's lock in a block; afterwards it must have ended without a traceback."""
    beat = jobs.beat()
    wait_until(lambda: jobs.node_names("beat"), lambda: beat.log)
    file = store_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        time.sleep(2)  # so that beat paused in its sweep: any moment must do
        yield beat
    assert "Traceback" not in beat.log


@on_files
def test_sigterm_ends_a_beat_that_waits_for_the_write_lock_of_sqlite(
    make_jobs: Callable[..., Jobs], store_url: str, broker_url: str
) -> None:
    with waiting_for_the_write_lock(make_jobs(store_url, broker_url), store_url) as beat:
        assert beat.stop(ENDS_WITHIN) == 0


@on_files
def test_a_second_sigterm_ends_a_beat_at_once(
    make_jobs: Callable[..., Jobs], store_url: str, broker_url: str
) -> None:
    with waiting_for_the_write_lock(make_jobs(store_url, broker_url), store_url) as beat:
        beat.signal(signal.SIGTERM)
        time.sleep(0.5)
        assert beat.stop(4) == 0
