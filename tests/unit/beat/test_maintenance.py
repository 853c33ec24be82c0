"""Beat's maintenance: one job's failure keeps no other from its work, and beat's end waits for none."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from queue import SimpleQueue

import pytest

from tests.inner import Core, Database, Registry, new_identity, resolved_url
from tests.manual_clock import ManualClock
from tickerq_celery.beat import maintenance
from tickerq_celery.beat.maintenance import Job, Maintenance
from tickerq_celery.errors import SchemaError, StoreError
from tickerq_celery.views import TickerConfig

NEVER = timedelta(days=1)


class Steps:
    """A job whose steps end as a list says: a rest, an error, or what a call returns; then it rests."""

    def __init__(self, name: str, *ends: timedelta | Exception | Callable[[], timedelta]) -> None:
        self.name = name
        self._ends = list(ends)
        self.done: SimpleQueue[str] = SimpleQueue()

    def step(self) -> timedelta:
        self.done.put(threading.current_thread().name)
        end = self._ends.pop(0) if self._ends else NEVER
        if isinstance(end, Exception):
            raise end
        return end() if callable(end) else end


@pytest.fixture
def start(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Maintenance]]:
    monkeypatch.setattr(maintenance, "_SHORTEST_PAUSE", 0.001)
    monkeypatch.setattr(maintenance, "_LONGEST_PAUSE", 0.001)
    core = Core(
        config=TickerConfig(),
        clock=clock,
        database=Database(resolved_url("sqlite:///none.db", tmp_path)),
        registry=Registry(),
        node=new_identity("test"),
    )
    started: list[Maintenance] = []

    def make(*jobs: Job) -> Maintenance:
        made = Maintenance(core, jobs, lambda: None)
        started.append(made)
        made.start()
        return made

    yield make
    for each in started:
        each.ask_to_end()
        each.wait_for_end(5)


def wait_for_steps(job: Steps, count: int) -> None:
    for _ in range(count):
        job.done.get(timeout=5)


def test_each_job_does_its_steps_as_soon_as_it_asks_for_them(start: Callable[..., Maintenance]) -> None:
    busy, idle = Steps("busy", timedelta(0), timedelta(0), timedelta(milliseconds=1)), Steps("idle")
    start(busy, idle)
    wait_for_steps(busy, 4)
    wait_for_steps(idle, 1)
    assert (busy.done.qsize(), idle.done.qsize()) == (0, 0)


@pytest.mark.parametrize("error", [StoreError("gone"), SchemaError("no tables"), ValueError("a bug")])
def test_a_job_that_fails_is_logged_once_and_keeps_no_other_from_its_steps(
    start: Callable[..., Maintenance], caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    reached = threading.Event()

    def note() -> timedelta:
        reached.set()
        return NEVER

    failing = Steps("failing", error, error, error, timedelta(0), note)
    other = Steps("other", *[timedelta(milliseconds=1)] * 9)
    start(failing, other)
    wait_for_steps(other, 10)
    assert reached.wait(5)
    lines = [record.message for record in caplog.records]
    assert len(lines) == 2
    assert lines[0].startswith("maintenance paused: failing")
    assert lines[1] == "maintenance resumed: failing"


def test_all_steps_are_done_in_one_thread_that_is_started_once(start: Callable[..., Maintenance]) -> None:
    first, second = Steps("first", timedelta(0)), Steps("second")
    start(first, second).start()
    threads = {first.done.get(timeout=5), first.done.get(timeout=5), second.done.get(timeout=5)}
    assert threads == {"tickerq-maintenance"}
    assert [each.name for each in threading.enumerate()].count("tickerq-maintenance") == 1


def test_its_end_waits_for_the_step_that_is_being_done_and_begins_no_other(
    start: Callable[..., Maintenance],
) -> None:
    go_on = threading.Event()

    def last() -> timedelta:
        assert go_on.wait(5)
        return timedelta(0)

    job, other = Steps("job", last), Steps("other")
    made = start(job, other)
    wait_for_steps(job, 1)
    made.ask_to_end()
    go_on.set()
    made.wait_for_end(5)
    assert (job.done.qsize(), other.done.qsize()) == (0, 0)


def test_a_step_that_hangs_is_left_behind(
    start: Callable[..., Maintenance], caplog: pytest.LogCaptureFixture
) -> None:
    go_on = threading.Event()

    def hang() -> timedelta:
        with suppress(AssertionError):
            assert go_on.wait(5)
        return NEVER

    job = Steps("job", hang)
    made = start(job)
    wait_for_steps(job, 1)
    made.ask_to_end()
    made.wait_for_end(0.01)
    assert caplog.messages == ["maintenance does not end: its step is abandoned"]
    go_on.set()


def test_one_that_never_started_ends_at_once(
    tmp_path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(resolved_url("sqlite:///none.db", tmp_path))
    core = Core(
        config=TickerConfig(), clock=clock, database=database, registry=Registry(), node=new_identity(None)
    )
    made = Maintenance(core, [Steps("job")], lambda: None)
    made.ask_to_end()
    made.wait_for_end(0)
    assert not caplog.records
