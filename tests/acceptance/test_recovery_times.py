"""How long a death delays what it touches, with the default settings: minutes, for `make proof`."""

import random
import signal
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from tests.acceptance.jobs import UNSTAMPED, Jobs, due_in
from tests.acceptance.pairs import on_each_pair
from tests.acceptance.processes import CeleryProcess
from tests.acceptance.waiting import wait_until
from tests.tables import nodes, tickers
from tickerq_celery import TimeTicker
from tickerq_celery.views import TickerConfig

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.proof,
    pytest.mark.timeout(900),
]

NAMES = ("poll_interval", "late_after", "lease", "heartbeat", "publish_check", "republish_after")
DEFAULTS = {name: getattr(TickerConfig(), name).total_seconds() for name in NAMES}
BATCH = 200
LEFT_AT_LEAST = 100
OTHERS = 40


@pytest.fixture
def jobs(make_jobs: Callable[..., Jobs], store_url: str, broker_url: str) -> Jobs:
    return make_jobs(store_url, broker_url, **DEFAULTS)


def heartbeats(jobs: Jobs) -> int:
    """Return how often the only worker has given a sign of life."""
    statement = select(nodes.c.counter).where(nodes.c.namespace == jobs.namespace, nodes.c.kind == "worker")
    return int(jobs.tickerq.core.database.read(lambda connection: connection.scalars(statement).one()))


@on_each_pair
def test_what_a_killed_worker_ran_and_had_prefetched_is_restarted_within_45_s_of_its_death(
    jobs: Jobs, broker_url: str
) -> None:
    worker = jobs.worker(concurrency=2)
    jobs.beat()
    running = [jobs.add("Sleeps", 30.0) for _ in range(2)]
    for run_id in running:
        jobs.wait_for_note(f"asleep {run_id}")
    prefetched = jobs.add_many(8)
    # Where the broker is polled, a worker takes only one message more than it can run.
    received = 1 if broker_url.startswith("tickerq-fs") else len(prefetched)
    wait_until(lambda: len(worker.lines("tickerq.Plain", "received")) == received, jobs.logs)
    # Just after a sign of life it takes longest until its absence is noticed.
    before = heartbeats(jobs)
    wait_until(lambda: heartbeats(jobs) > before, jobs.logs)
    worker.kill()
    died = time.monotonic()
    jobs.worker(concurrency=4)

    def are_restarted() -> bool:
        restarted = all(jobs.notes().count(f"asleep {run_id}") == 2 for run_id in running)
        return restarted and jobs.starts().keys() >= {str(run_id) for run_id in prefetched}

    wait_until(are_restarted, jobs.logs, 90)
    seconds = time.monotonic() - died
    print(f"a killed worker's runs, {len(running)} running and {len(prefetched)} prefetched: {seconds:.1f} s")
    assert seconds <= 45
    assert set(jobs.starts().values()) == {1}


def typed(number: int, due: datetime) -> TimeTicker:
    return TimeTicker(
        function="Typed", request={"number": number, "due": due.isoformat()}, execution_time=due
    )


def holder_of_a_batch(jobs: Jobs) -> str | None:
    """Return the name of a beat that has claimed runs and not published them yet."""
    statement = select(tickers.c.lock_holder).where(tickers.c.namespace == jobs.namespace, UNSTAMPED)
    return jobs.tickerq.core.database.read(lambda connection: connection.scalars(statement.limit(1)).first())


def kill_the_holder(jobs: Jobs, beats: list[CeleryProcess], *, after: float) -> CeleryProcess:
    """Kill the beat that has the batch in its hands, so many seconds later, and return it."""
    deadline = time.monotonic() + 30
    while (name := holder_of_a_batch(jobs)) is None:
        assert time.monotonic() < deadline, jobs.logs()
    [holder] = [beat for beat in beats if f":{beat.pid}:" in name]
    time.sleep(after)  # so that some of it may be published
    holder.signal(signal.SIGKILL)
    holder.wait()
    return holder


def latenesses(jobs: Jobs, *, first: int, count: int) -> list[float]:
    """Return how many seconds after their time the runs of these numbers began, if all of them have."""
    lines = [line.split() for line in jobs.notes("order ")]
    found = {int(number): float(late) for _, number, late in lines}
    numbers = range(first, first + count)
    return [found[number] for number in numbers] if found.keys() >= set(numbers) else []


def kill_in_the_middle(jobs: Jobs, beats: list[CeleryProcess], start: int, *, after: float) -> int:
    """Let a batch and others fall due, kill a beat in the middle of it; return how many it had left."""
    first = due_in(3)
    batch = [typed(start + n, first) for n in range(BATCH)]
    others = [typed(start + BATCH + n, first + timedelta(seconds=(n + 1) / 2)) for n in range(OTHERS)]
    jobs.tickerq.time_tickers.add_batch([*batch, *others], allow_unknown=True)
    beats.remove(kill_the_holder(jobs, beats, after=after))
    return jobs.count(UNSTAMPED)


@on_each_pair
def test_a_killed_beat_delays_its_batch_by_15_s_at_most_and_nothing_else_by_more_than_5_s(jobs: Jobs) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    jobs.worker(concurrency=2)
    beats = [jobs.beat(), jobs.beat()]
    wait_until(lambda: len(jobs.node_names("beat")) == 2, jobs.logs)
    kills, latest = 0, 0.1
    for round_number in range(10):
        start = round_number * 1_000
        left = kill_in_the_middle(jobs, beats, start, after=chance.uniform(0, latest))
        others = wait_until(lambda: latenesses(jobs, first=start + BATCH, count=OTHERS), jobs.logs, 60)  # noqa: B023
        batch = wait_until(lambda: latenesses(jobs, first=start, count=BATCH), jobs.logs, 60)  # noqa: B023
        print(f"a killed beat, {left} runs left: batch {max(batch):.1f} s late, others {max(others):.1f} s")
        assert max(batch) <= 15
        assert max(others) <= 5
        if left >= LEFT_AT_LEAST:
            kills += 1
        else:
            latest /= 2  # how fast a batch is published depends on the machine
        if kills == 3:
            return
        beats.append(jobs.beat())
        time.sleep(chance.uniform(0, 2.5))  # other phases of the sweeps
    pytest.fail("no beat was killed in the middle of its batch")
