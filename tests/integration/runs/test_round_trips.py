"""How often a worker asks a server for the start and the end of a run, and what it does if no answer comes.

Counted between worker and server: what drivers ask by themselves passes SQLAlchemy's events by.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.inner import Core, Database, Recorder, Started, failed, resolved_url, succeeded
from tests.integration.making import (
    attempts_of,
    claim,
    enrolled,
    failure,
    make_run,
    row_of,
    started,
    time_tickers,
)
from tests.servers.proxy import TcpProxy
from tickerq_celery import RunCondition, TickerStatus, TimeTicker
from tickerq_celery.runs import lease_retry
from tickerq_celery.tickers.progress import Chunk, Line, Pending

pytestmark = pytest.mark.parametrize("store_url", ["postgres", "mariadb"], indirect=True)
START = b"UPDATE tickerq_tickers"
# How psycopg names what it has prepared: the start, the end, and so on.
PREPARED = b"_pg3_"
NOTHING_REPORTED = Pending()


@pytest.fixture
def core(core: Core) -> Core:
    """A core whose function a live worker has."""
    return enrolled(core)


@pytest.fixture
def worker(core: Core, proxy: TcpProxy, store_url: str, is_postgres: bool) -> Iterator[Core]:
    """The same node through the proxy; its connections are open, and its statements sent as they are."""
    yield from _behind(core, proxy, store_url, {"prepare_threshold": None} if is_postgres else {})


@pytest.fixture
def preparing_worker(core: Core, proxy: TcpProxy, store_url: str) -> Iterator[Core]:
    """The same, and PostgreSQL has prepared the statements of a run that is Done."""
    for behind in _behind(core, proxy, store_url, {}):
        for _ in range(2):
            finish(behind, started(behind, make_run(core)))
        yield behind


def _behind(core: Core, proxy: TcpProxy, store_url: str, arguments: dict[str, object]) -> Iterator[Core]:
    url = resolved_url(proxy.before(store_url), Path.cwd())
    with closing(Database(url, options={"connect_args": arguments}, is_for_tests=True)) as database:
        behind = replace(core, database=database)
        finish(behind, started(behind, make_run(core)))
        yield behind


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let another try follow at once."""
    monkeypatch.setattr(lease_retry.time, "sleep", lambda seconds: None)


@pytest.fixture
def is_postgres(store_url: str) -> bool:
    return store_url.startswith("postgresql")


def finish(worker: Core, run: Started, *, is_done: bool = True, report: Pending = NOTHING_REPORTED) -> None:
    """End a run through the proxy, which its function reported nothing about unless ``report`` says so."""
    outcome = succeeded(run.standing) if is_done else failed(run.standing, failure())
    written = Recorder(worker).finish(run, outcome, elapsed=None, report=report)
    assert written == outcome


def trips(proxy: TcpProxy, work: Callable[[], object]) -> int:
    """Return how many round trips ``work`` takes."""
    proxy.forget()
    work()
    return len(proxy.requests)


@pytest.mark.parametrize(("is_done", "retries"), [(True, 0), (False, 0), (False, 1)])
def test_a_plain_run_takes_one_round_trip_each_on_postgresql_and_two_and_three_on_mariadb(
    core: Core, worker: Core, proxy: TcpProxy, is_done: bool, retries: int, is_postgres: bool
) -> None:
    run_id = make_run(core, retries=retries)
    (claimed,) = claim(core, [run_id])
    found: list[Started | None] = []
    start = trips(proxy, lambda: found.append(Recorder(worker).start(claimed.id, claimed.number)))
    [run] = found
    assert run is not None
    end = trips(proxy, lambda: finish(worker, run, is_done=is_done))
    assert (start, end) == ((1, 1) if is_postgres else (2, 3))
    assert row_of(core, run_id).status is (
        TickerStatus.DONE if is_done else TickerStatus.IDLE if retries else TickerStatus.FAILED
    )


def test_a_worker_that_has_executed_several_runs_asks_no_more_and_knows_its_own_writes(
    core: Core, preparing_worker: Core, proxy: TcpProxy, is_postgres: bool
) -> None:
    mark = PREPARED if is_postgres else START
    run_id = make_run(core)
    (claimed,) = claim(core, [run_id])
    found: list[Started | None] = []
    recorder = Recorder(preparing_worker)
    start = trips(proxy, lambda: found.append(recorder.start(claimed.id, claimed.number)))
    assert mark in proxy.requests[0]
    [run] = found
    assert run is not None
    end = trips(proxy, lambda: finish(preparing_worker, run))
    assert (start, end) == ((1, 1) if is_postgres else (2, 3))
    (again,) = claim(core, [make_run(core)])
    proxy.cut_answer_to(mark)
    assert recorder.start(again.id, again.number) is not None
    assert proxy.cuts == 1


def test_a_process_of_plain_runs_has_one_connection_on_postgresql_and_two_on_mariadb(
    core: Core, is_postgres: bool
) -> None:
    (claimed,) = claim(core, [make_run(core)])
    with closing(core.database.apart()) as database:
        worker = replace(core, database=database)
        run = Recorder(worker).start(claimed.id, claimed.number)
        assert run is not None
        finish(worker, run)
        pools = (database.autocommitting_engine.pool, database.engine.pool)
        assert [pool.checkedin() for pool in pools] == [1, 0 if is_postgres else 1]


def test_a_start_whose_answer_is_lost_knows_its_own_write_and_no_other_start_takes_it(
    core: Core, worker: Core, proxy: TcpProxy
) -> None:
    run_id = make_run(core, request={"to": "user@example.com"})
    (claimed,) = claim(core, [run_id])
    proxy.cut_answer_to(START)
    run = Recorder(worker).start(claimed.id, claimed.number)
    assert proxy.cuts == 1
    assert run is not None
    assert (run.id, run.request.data) == (run_id, b'{"to":"user@example.com"}')
    # Another child of the same node, to which the broker has delivered the message as well.
    assert Recorder(core).start(claimed.id, claimed.number) is None
    finish(worker, run)
    assert (row_of(core, run_id).status, len(attempts_of(core, run_id))) == (TickerStatus.DONE, 1)


def test_a_start_whose_answer_is_lost_is_not_the_one_of_another_child(
    core: Core, worker: Core, proxy: TcpProxy
) -> None:
    run_id = make_run(core)
    (claimed,) = claim(core, [run_id])
    proxy.cut_answer_to(START)
    assert Recorder(core).start(claimed.id, claimed.number) is not None
    # It has written nothing, and cannot know that either.
    assert Recorder(worker).start(claimed.id, claimed.number) is None
    assert proxy.cuts == 1


@pytest.mark.parametrize("is_done", [True, False])
def test_a_finish_whose_answer_is_lost_is_recorded_once(
    core: Core, worker: Core, proxy: TcpProxy, is_postgres: bool, is_done: bool
) -> None:
    run = started(worker, make_run(core, retries=1))
    proxy.cut_answer_to(b"tickerq_attempts" if is_postgres else b"COMMIT")
    finish(worker, run, is_done=is_done)
    assert proxy.cuts == 1
    assert row_of(core, run.id).status is (TickerStatus.DONE if is_done else TickerStatus.IDLE)
    (attempt,) = attempts_of(core, run.id)
    assert attempt.status is (TickerStatus.DONE if is_done else TickerStatus.FAILED)


def test_the_start_and_the_finish_of_a_chain_know_their_own_commits(
    core: Core, worker: Core, proxy: TcpProxy
) -> None:
    child = TimeTicker(function="Send", run_condition=RunCondition.ON_SUCCESS)
    beside = TimeTicker(function="Send", run_condition=RunCondition.IN_PROGRESS)
    run_id = make_run(core, children=[child, beside])
    (claimed,) = claim(core, [run_id])
    proxy.cut_answer_to(b"COMMIT")
    run = Recorder(worker).start(claimed.id, claimed.number)
    assert run is not None
    assert run.has_children
    proxy.cut_answer_to(b"COMMIT")
    finish(worker, run)
    assert proxy.cuts == 2
    assert len(attempts_of(core, run_id)) == 1
    assert len(claim(core)) == 2


def test_what_an_attempt_left_is_written_with_its_end(core: Core, worker: Core) -> None:
    line = Line(core.clock.now(), "INFO", "halfway")
    run = started(worker, make_run(core))
    finish(worker, run, report=Pending(0.5, "half", (Chunk(0, (line,)),)))
    shown = time_tickers(core).get(run.id)
    assert (shown.progress, shown.progress_message) == (0.5, "half")
