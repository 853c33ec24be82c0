"""A published call whose row a worker has locked is stamped as soon as it is free: its start may yet fail."""

import math
from collections.abc import Callable
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from tests.inner import Claim, Core, dispatcher
from tests.integration.beats import Beat
from tests.integration.locking import locked
from tests.integration.making import ON_SERVERS, ListPublisher, claim, enrolled, row_of
from tests.integration.runs.calls import make_call
from tests.manual_clock import ManualClock
from tests.tables import tickers
from tickerq_celery.enums import TickerStatus
from tickerq_celery.errors import PublishError

# SQLite has one lock for all, and a busy timeout.
pytestmark = [pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True), pytest.mark.timeout(60)]


@pytest.fixture
def core(core: Core) -> Core:
    """A core that a live worker follows."""
    return enrolled(core)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that a dispatcher makes; none of them takes any time."""
    made: list[float] = []
    monkeypatch.setattr(dispatcher, "time", SimpleNamespace(sleep=made.append))
    return made


def at_a_pause(monkeypatch: pytest.MonkeyPatch, longest: float, do: Callable[[], object]) -> None:
    def sleep(seconds: float) -> None:
        if seconds >= longest:
            do()

    monkeypatch.setattr(dispatcher, "time", SimpleNamespace(sleep=sleep))


@pytest.mark.parametrize("longest", [0.0, 0.2])
def test_a_call_whose_start_is_rolled_back_is_stamped_and_not_published_again(
    core: Core, beat: Beat, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, longest: float
) -> None:
    run_id = make_call(core)
    batch = claim(core)
    with ExitStack() as start:
        at_a_pause(monkeypatch, longest, start.close)
        start.enter_context(locked(core, tickers, tickers.c.id == run_id))
        beat.dispatcher.publish(batch, until=math.inf)
    row = row_of(core, run_id)
    assert (row.status, row.published_at, row.publish_count) == (TickerStatus.QUEUED, clock.now(), 1)
    clock.advance(seconds=core.config.publish_check.total_seconds() + 1)
    assert beat.sweep() == []


def test_it_is_stamped_also_where_the_broker_refuses_what_comes_after_it(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = make_call(core), make_call(core)
    beat = Beat(core, takes=1)
    batch = sorted(claim(core), key=lambda each: each.id != first)
    with ExitStack() as start:
        at_a_pause(monkeypatch, 0.0, start.close)
        start.enter_context(locked(core, tickers, tickers.c.id == first))
        with pytest.raises(PublishError):
            beat.dispatcher.publish(batch, until=math.inf)
    assert row_of(core, first).published_at is not None
    assert row_of(core, second).status is TickerStatus.IDLE


def test_the_wait_for_a_worker_that_is_stalled_in_its_start_is_bounded(
    core: Core, beat: Beat, pauses: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    run_id = make_call(core)
    batch = claim(core)
    with locked(core, tickers, tickers.c.id == run_id):
        beat.dispatcher.publish(batch, until=math.inf)
    assert sum(pauses) < 1
    assert row_of(core, run_id).published_at is None
    assert "could not stamp 1 published runs: another process has them locked" in caplog.text


def test_nothing_is_stamped_once_the_sweep_may_have_the_claim(
    core: Core, beat: Beat, clock: ManualClock, pauses: list[float]
) -> None:
    run_id = make_call(core)

    class Slow(ListPublisher):
        def publish(self, claim: Claim) -> None:
            super().publish(claim)
            clock.advance(seconds=10)

    slow = Beat(core)
    slow.dispatcher._publisher = slow.publisher = Slow()
    batch = claim(core)
    with locked(core, tickers, tickers.c.id == run_id):
        slow.dispatcher.publish(batch, until=clock.monotonic() + 10)
    assert len(slow.publisher.sent) == 1
    assert pauses == []


def test_a_free_row_costs_no_pause(core: Core, beat: Beat, pauses: list[float]) -> None:
    run_id = make_call(core)
    beat.dispatcher.publish(claim(core), until=math.inf)
    assert row_of(core, run_id).published_at is not None
    assert pauses == []
