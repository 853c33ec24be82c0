"""Beat's loop: how long it sleeps, and that no part of its work keeps the others from theirs."""

import itertools
import logging
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import FrameType
from typing import NoReturn

import pytest
from sqlalchemy import event, select

from tests.inner import Claim, Claimed, Claimer, NodeRegistration, profile
from tests.integration.apps import caller_engine, due_run, enrol_worker, published, ticker_app
from tests.manual_clock import START, ManualClock
from tests.tables import tickers
from tickerq_celery import CronTicker, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.beat.sweeper import Sweeper
from tickerq_celery.broker.publisher import CeleryPublisher
from tickerq_celery.cron.firing import Firing
from tickerq_celery.enums import NodeKind
from tickerq_celery.errors import PublishError
from tickerq_celery.scheduler import TickerScheduler

# So that no sweep falls into a test that does not ask for it.
RARE_SWEEPS = {"publish_check": 600, "heartbeat": 600, "lease": 1_200}


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock, batch_size=2, **RARE_SWEEPS) as made:
        made.function("Send")(lambda: None)
        yield made


@pytest.fixture
def beat(tickerq: TickerQ) -> Iterator[TickerScheduler]:
    made = TickerScheduler(tickerq.app)
    yield made
    made.close()


def test_a_beat_sleeps_until_the_next_run_falls_due_or_one_poll(
    tickerq: TickerQ, beat: TickerScheduler
) -> None:
    assert beat.tick() == 1.0
    # Though its next run is later, as another may be added meanwhile.
    tickerq.time_tickers.add(TimeTicker(function="Send", execution_time=START + timedelta(seconds=4)))
    assert beat.tick() == 1.0
    soon = START + timedelta(seconds=0.3)
    tickerq.time_tickers.add(TimeTicker(function="Send", execution_time=soon))
    assert beat.tick() == pytest.approx(0.3)


@contextmanager
def sent_by(tickerq: TickerQ) -> Iterator[list[str]]:
    """Give the statements that the block sends, without those that only begin and end transactions."""
    statements: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    engine = tickerq.core.database.engine
    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


def test_a_tick_with_nothing_due_sends_one_statement(
    tickerq: TickerQ, beat: TickerScheduler, clock: ManualClock
) -> None:
    tickerq.cron_tickers.add(CronTicker(function="Send", every=60))
    beat.tick()
    clock.advance(seconds=1)
    with sent_by(tickerq) as statements:
        beat.tick()
    assert len(statements) == 1


def test_a_run_that_falls_due_as_foreseen_is_claimed_without_another_look(
    tickerq: TickerQ, beat: TickerScheduler, clock: ManualClock
) -> None:
    enrol_worker(tickerq)
    soon = START + timedelta(seconds=0.3)
    tickerq.time_tickers.add(TimeTicker(function="Send", execution_time=soon))
    assert beat.tick() == pytest.approx(0.3)
    clock.advance(seconds=0.3)
    with sent_by(tickerq) as statements:
        assert beat.tick() == 1.0
    assert len(published(tickerq)) == 1
    assert statements[0].startswith(("SELECT tickerq_tickers.id", "UPDATE tickerq_tickers"))
    # A look follows, for how long to sleep; no cron ticker was due, and none was looked for.
    assert [each for each in statements if "tickerq_cron_tickers" in each] == statements[-1:]


def test_after_a_full_batch_a_beat_asks_at_once_for_the_next(
    tickerq: TickerQ, beat: TickerScheduler, clock: ManualClock
) -> None:
    enrol_worker(tickerq)
    soon = START + timedelta(seconds=1)
    for _ in range(3):
        tickerq.time_tickers.add(TimeTicker(function="Send", execution_time=soon))
    beat.tick()
    clock.advance(seconds=1)
    assert (beat.tick(), len(published(tickerq))) == (0.0, 2)
    assert (beat.tick(), len(published(tickerq))) == (1.0, 1)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("count", "line"), [(1, "dispatched 1 run: Send"), (2, "dispatched 2 runs: Send")])
def test_what_was_dispatched_is_logged_in_words(
    tickerq: TickerQ,
    beat: TickerScheduler,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
    count: int,
    line: str,
) -> None:
    enrol_worker(tickerq)
    for _ in range(count):
        due_run(tickerq, clock)
    with caplog.at_level(logging.INFO):
        beat.tick()
    assert line in caplog.messages


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_queue_that_no_live_worker_consumes_is_logged_once(
    tickerq: TickerQ, beat: TickerScheduler, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    tickerq.app.conf.task_routes = {"tickerq.Send": {"queue": "slow"}}
    enrol_worker(tickerq, queues=["quick"])
    for _ in range(2):
        due_run(tickerq, clock)
        beat.tick()
        clock.advance(seconds=600)
        beat.tick()
    assert caplog.text.count("runs wait in queue slow, which no live worker consumes") == 1
    enrol_worker(tickerq, queues=["slow"])
    caplog.clear()
    due_run(tickerq, clock)
    for _ in range(2):
        beat.tick()
        clock.advance(seconds=600)
    assert "no live worker consumes" not in caplog.text


@pytest.mark.parametrize("store_url", ["postgres", "mariadb"], indirect=True)
def test_a_beat_asks_less_and_less_often_for_a_due_run_that_another_has_locked(
    tickerq: TickerQ, beat: TickerScheduler, clock: ManualClock, store_url: str
) -> None:
    enrol_worker(tickerq)
    run_id = due_run(tickerq, clock)
    engine = caller_engine(store_url)
    with engine.begin() as other:
        other.execute(select(tickers.c.id).where(tickers.c.id == run_id).with_for_update())
        assert [beat.tick() for _ in range(7)] == [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
    assert beat.tick() == 1.0
    assert published(tickerq) == [run_id]
    again = due_run(tickerq, clock)
    with engine.begin() as other:
        other.execute(select(tickers.c.id).where(tickers.c.id == again).with_for_update())
        assert beat.tick() == 0.05
    engine.dispose()


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_beat_that_found_nothing_due_asks_soon_again_when_it_next_comes_too_late(
    tickerq: TickerQ, beat: TickerScheduler, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol_worker(tickerq)
    first = due_run(tickerq, clock)
    with monkeypatch.context() as locked:
        locked.setattr(Claimer, "claim", find_nothing)
        assert [beat.tick() for _ in range(3)] == [0.05, 0.1, 0.2]
    tickerq.time_tickers.delete(first)
    assert beat.tick() == 1.0
    due_run(tickerq, clock)
    monkeypatch.setattr(Claimer, "claim", find_nothing)
    assert beat.tick() == 0.05


def find_nothing(self: Claimer, **_: object) -> Claimed:
    return Claimed(claims=(), is_full=False)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_cron_tickers_that_cannot_be_fired_keep_no_run_from_its_dispatch(
    tickerq: TickerQ,
    beat: TickerScheduler,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    enrol_worker(tickerq)
    tickerq.cron_tickers.add(CronTicker(function="Send", expression="0 * * * *"))
    clock.advance(hours=1)
    run_id = due_run(tickerq, clock)
    monkeypatch.setattr(Firing, "fire", fail)
    with caplog.at_level(logging.ERROR):
        waits = [beat.tick() for _ in range(3)]
    assert published(tickerq) == [run_id]
    assert waits == [0.05, 0.1, 0.2]
    assert {record.message for record in caplog.records} == {"cron tickers could not be fired"}


def ticked(tickerq: TickerQ) -> tuple[datetime | None, int | None]:
    """Return the last complete tick of the beat, and its claims, as its last heartbeat said."""
    [node] = tickerq.nodes.find(kind="beat")
    return node.ticked_at, node.claimed


def heartbeat(beat: TickerScheduler, clock: ManualClock) -> None:
    """Let time pass until the next heartbeat, and tick: it says what was before this tick."""
    clock.advance(seconds=RARE_SWEEPS["heartbeat"])
    beat.tick()


def test_a_beat_says_when_its_last_complete_tick_was_and_how_much_it_has_claimed(
    tickerq: TickerQ, beat: TickerScheduler, clock: ManualClock
) -> None:
    enrol_worker(tickerq)
    beat.tick()
    assert ticked(tickerq) == (None, 0)
    due_run(tickerq, clock)
    last = clock.now()
    beat.tick()
    heartbeat(beat, clock)
    assert ticked(tickerq) == (last, 1)


@pytest.mark.parametrize(
    ("owner", "verb"), [(Firing, "fire"), (Sweeper, "sweep"), (CeleryPublisher, "connect")]
)
def test_a_tick_in_which_something_fails_is_not_complete(
    tickerq: TickerQ,
    beat: TickerScheduler,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    verb: str,
) -> None:
    beat.tick()
    last = clock.now()
    monkeypatch.setattr(owner, verb, refuse if owner is CeleryPublisher else fail)
    tickerq.cron_tickers.add(CronTicker(function="Send", expression="* * * * *"))
    for _ in range(2):
        heartbeat(beat, clock)
        assert ticked(tickerq) == (last, 0)
    monkeypatch.undo()
    clock.advance(seconds=5)
    beat.tick()
    again = clock.now()
    heartbeat(beat, clock)
    assert ticked(tickerq)[0] == again


def fail(self: Firing) -> NoReturn:
    raise ValueError("no such word")


def test_a_beat_sweeps_again_at_once_while_there_are_holds_to_release(
    tickerq: TickerQ, beat: TickerScheduler
) -> None:
    ids = [tickerq.time_tickers.add(TimeTicker(function="Send")).id for _ in range(5)]
    assert published(tickerq) == []
    _register_quietly(tickerq)
    waits = [beat.tick() for _ in range(6)]
    assert sorted(published(tickerq)) == sorted(ids)
    assert waits[-1] == 1.0


def test_what_a_sweep_makes_due_is_dispatched_in_the_same_tick(
    tickerq: TickerQ, beat: TickerScheduler
) -> None:
    run_id = tickerq.time_tickers.add(TimeTicker(function="Send")).id
    _register_quietly(tickerq)
    assert published(tickerq) == []
    beat.tick()
    assert published(tickerq) == [run_id]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("poll_seconds", [1, 60])
def test_sweeps_are_so_close_that_the_promised_times_hold_and_not_in_step(
    store_url: str, namespace: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, poll_seconds: int
) -> None:
    sweeps: list[float] = []

    def note(self: Sweeper, between: object) -> bool:
        sweeps.append(clock.monotonic())
        return False

    monkeypatch.setattr(Sweeper, "sweep", note)
    with ticker_app(store_url, namespace, clock, poll_interval=poll_seconds) as tickerq:
        beat = TickerScheduler(tickerq.app)
        while len(sweeps) < 100:
            clock.advance(seconds=max(beat.tick(), 0.001))
        beat.close()
        config = tickerq.config
    gaps = [later - earlier for earlier, later in itertools.pairwise(sweeps)]
    # A killed beat's batch within 15 s, a dead worker's runs within 45 s: with 3 s and 11 s to spare.
    assert config.publish_check.total_seconds() + max(gaps) < 12
    assert config.lease.total_seconds() + 2 * max(gaps) < 34
    assert max(gaps) > 1.2 * min(gaps)


def sweep_while_a_run_falls_due(
    tickerq: TickerQ,
    beat: TickerScheduler,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
) -> list[int]:
    """Let a beat sweep, one part of which takes so long that a run falls due; return how many are published
    before the last part."""
    enrol_worker(tickerq)
    soon = clock.now() + timedelta(seconds=600.1)
    tickerq.time_tickers.add(TimeTicker(function="Send", execution_time=soon))
    clock.advance(seconds=600)
    seen: list[int] = []
    monkeypatch.setattr(Sweeper, "_rescue_orphans", lambda self: clock.advance(seconds=seconds))
    monkeypatch.setattr(Sweeper, "_publish_again", lambda self: seen.append(len(published(tickerq))))
    beat.tick()
    return seen


def test_a_run_that_falls_due_in_a_sweep_is_published_before_its_end(
    tickerq: TickerQ, beat: TickerScheduler, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sweep_while_a_run_falls_due(tickerq, beat, clock, monkeypatch, seconds=0.1) == [1]


def test_beside_a_backlog_a_sweep_goes_on_after_one_batch(
    tickerq: TickerQ, beat: TickerScheduler, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = clock.now() + timedelta(seconds=600.1)
    tickerq.time_tickers.add_batch([TimeTicker(function="Send", execution_time=soon)] * 5)
    assert sweep_while_a_run_falls_due(tickerq, beat, clock, monkeypatch, seconds=0.1) == [2]


def test_a_sweep_that_takes_long_goes_on_before_what_falls_due(
    tickerq: TickerQ, beat: TickerScheduler, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sweep_while_a_run_falls_due(tickerq, beat, clock, monkeypatch, seconds=0.3) == [0]
    assert len(published(tickerq)) == 1


def test_a_beat_that_is_to_end_fires_nothing_in_its_sweep(
    tickerq: TickerQ, beat: TickerScheduler, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol_worker(tickerq)
    tickerq.cron_tickers.add(CronTicker(function="Send", expression="0 * * * *"))
    clock.advance(minutes=59, seconds=59.9)

    def ask_to_end(self: Sweeper) -> None:
        clock.advance(seconds=0.1)
        beat._loop._is_ending = True

    monkeypatch.setattr(Sweeper, "_rescue_orphans", ask_to_end)
    beat.tick()
    beat._loop._is_ending = False
    assert tickerq.runs.count() == 0


def refuse(self: CeleryPublisher) -> NoReturn:
    raise PublishError("unreachable")


def test_a_tick_without_work_is_not_taken_for_the_brokers_return(
    tickerq: TickerQ,
    beat: TickerScheduler,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    enrol_worker(tickerq)
    run_id = due_run(tickerq, clock)
    with monkeypatch.context() as patched:
        patched.setattr(CeleryPublisher, "connect", refuse)
        beat.tick()
        tickerq.time_tickers.delete(run_id)
        beat.tick()
        assert caplog.text.count("beat paused") == 1
        assert "beat resumed" not in caplog.text
    beat.tick()
    assert "beat resumed: broker reachable" in caplog.text


def _register_quietly(tickerq: TickerQ) -> None:
    """Write a worker's row without releasing, as when a beat holds a run that very moment."""
    me = profile(tickerq.core, NodeKind.WORKER)
    tickerq.core.write(NodeRegistration(me).register)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_beat_that_is_asked_to_end_in_the_middle_of_a_batch_leaves_none_of_it_unpublished(
    store_url: str, namespace: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = CeleryPublisher.publish
    main = threading.get_ident()
    ending = threading.Event()

    def end_as_celery_does(number: int, frame: FrameType | None) -> None:
        ending.set()
        beat.close()
        raise SystemExit

    def publish_and_be_asked_to_end(self: CeleryPublisher, claim: Claim) -> None:
        publish(self, claim)
        if not ending.is_set():
            signal.pthread_kill(main, signal.SIGTERM)
            assert ending.wait(10)

    monkeypatch.setattr(CeleryPublisher, "publish", publish_and_be_asked_to_end)
    before = signal.signal(signal.SIGTERM, end_as_celery_does)
    with ticker_app(store_url, namespace, clock, batch_size=300, **RARE_SWEEPS) as tickerq:
        tickerq.function("Send")(lambda: None)
        enrol_worker(tickerq)
        later = clock.now() + timedelta(seconds=1)
        tickerq.time_tickers.add_batch([TimeTicker(function="Send", execution_time=later)] * 250)
        clock.advance(seconds=1)
        beat = TickerScheduler(tickerq.app)
        with pytest.raises(SystemExit):
            beat.tick()
        every_status = select(tickers.c.status)
        statuses = tickerq.core.database.read(lambda connection: connection.scalars(every_status).all())
        sent = len(published(tickerq))
    signal.signal(signal.SIGTERM, before)
    assert 0 < sent < 250
    assert Counter(statuses) == {TickerStatus.QUEUED: sent, TickerStatus.IDLE: 250 - sent}
