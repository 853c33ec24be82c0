"""Beat prunes beside its loop: a round a minute, from its store's verification to its end."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from tests.integration.apps import add_run, execute, row_of, ticker_app
from tests.manual_clock import ManualClock
from tickerq_celery import TickerQ
from tickerq_celery.beat import retention
from tickerq_celery.beat.retention import RetentionJob
from tickerq_celery.errors import StoreError
from tickerq_celery.runs.pruner import Piece
from tickerq_celery.scheduler import TickerScheduler


class Pruned:
    """A pruner whose pieces a test lists; it counts what it is asked for."""

    def __init__(self, *pieces: Piece | Exception) -> None:
        self._pieces = list(pieces)
        self.steps = 0
        self.whole_rounds = 0

    def step(self) -> Piece:
        self.steps += 1
        piece = self._pieces.pop(0)
        if isinstance(piece, Exception):
            raise piece
        return piece

    def begin_again(self) -> None:
        self.whole_rounds += 1


MORE, LAST = Piece(deleted=500, is_last=False), Piece(deleted=0, is_last=True)


def unheard(deleted: int) -> None:
    """A round has ended; that is another test's subject."""


def test_a_job_waits_a_part_of_a_minute_then_prunes_and_rests_as_long_as_that_took() -> None:
    pruner = Pruned(MORE, LAST)
    job = RetentionJob(pruner, unheard)  # type: ignore[arg-type]
    assert timedelta(0) <= job.step() < timedelta(minutes=1)
    assert pruner.steps == 0
    assert job.step() < timedelta(seconds=1)
    assert timedelta(seconds=45) <= job.step() <= timedelta(seconds=75)
    assert (pruner.steps, pruner.whole_rounds) == (2, 0)


def test_a_round_that_has_deleted_anything_says_how_much(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    rounds: list[int] = []
    job = RetentionJob(Pruned(MORE, MORE, LAST, LAST), rounds.append)  # type: ignore[arg-type]
    for _ in range(5):
        job.step()
    assert caplog.messages == ["deleted 1,000 expired rows of history"]
    assert rounds == [1_000, 0]


def test_a_day_later_a_job_looks_at_everything_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pruner = Pruned(LAST, LAST, LAST)
    job = RetentionJob(pruner, unheard)  # type: ignore[arg-type]
    job.step()
    job.step()
    later = time.monotonic() + timedelta(days=1).total_seconds()
    monkeypatch.setattr(retention.time, "monotonic", lambda: later)
    job.step()
    assert pruner.whole_rounds == 1
    job.step()
    assert pruner.whole_rounds == 1


def test_an_outage_is_the_maintenances_to_wait_out() -> None:
    job = RetentionJob(Pruned(StoreError("gone"), LAST), unheard)  # type: ignore[arg-type]
    job.step()
    with pytest.raises(StoreError):
        job.step()
    assert job.step() > timedelta(seconds=1)


@pytest.fixture
def make_tickerq(
    store_url: str, namespace: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., TickerQ]]:
    monkeypatch.setattr(retention, "_ROUND", timedelta(milliseconds=20))
    opened = []

    def make(**settings: object) -> TickerQ:
        context = ticker_app(store_url, namespace, clock, **settings)
        opened.append(context)
        return context.__enter__()

    yield make
    for each in opened:
        each.__exit__(None, None, None)


def passes(what: Callable[[], bool], seconds: float) -> bool:
    """Return True as soon as something is so, which another thread does."""
    until, ended = time.monotonic() + seconds, threading.Event()
    while not what() and time.monotonic() < until:
        ended.wait(0.01)
    return what()


def test_beat_deletes_what_is_past_its_time_unless_that_is_off(
    make_tickerq: Callable[..., TickerQ], clock: ManualClock
) -> None:
    tickerq = make_tickerq()
    run_id = add_run(tickerq, lambda context: None).id
    execute(tickerq)
    clock.advance(days=31)
    idle = TickerScheduler(make_tickerq(auto_prune=False).app)
    idle.tick()
    assert not passes(lambda: row_of(tickerq, run_id) is None, 0.2)
    beat = TickerScheduler(tickerq.app)
    beat.tick()
    assert passes(lambda: row_of(tickerq, run_id) is None, 20)

    def says_so() -> bool:
        # Each tick is a heartbeat, or is about to be one.
        clock.advance(minutes=1)
        beat.tick()
        return [each.pruned for each in tickerq.nodes.find(kind="beat") if each.pruned_at] == [1]

    assert passes(says_so, 20)
    for each in (beat, idle):
        each.close()
    assert not [each for each in threading.enumerate() if each.name == "tickerq-maintenance"]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_maintenance_does_not_begin_before_beat_has_verified_its_store(
    make_tickerq: Callable[..., TickerQ],
) -> None:
    beat = TickerScheduler(make_tickerq().app)
    assert "tickerq-maintenance" not in {each.name for each in threading.enumerate()}
    beat.tick()
    assert "tickerq-maintenance" in {each.name for each in threading.enumerate()}
    beat.close()
