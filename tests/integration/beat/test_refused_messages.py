"""A beat whose broker is there and takes no messages says so in its row, and reports name the broker."""

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.inner import CeleryPublisher, NodeRegistration, profile
from tests.integration.apps import due_run, ticker_app
from tests.manual_clock import ManualClock
from tests.servers.redis import RedisServer
from tickerq_celery import TickerQ, TickerStatus
from tickerq_celery.enums import NodeKind
from tickerq_celery.errors import PublishError
from tickerq_celery.scheduler import TickerScheduler
from tickerq_celery.views import NodeView, WaitCause
from tickerq_celery.worker.enrolment import enrol

OOM = "refused messages: OOM command not allowed when used memory > 'maxmemory'"


@pytest.fixture
def admin(redis: RedisServer) -> Iterator[Redis]:
    with Redis.from_url(redis.url) as connection:
        yield connection
        connection.config_set("maxmemory", 0)


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock, redis: RedisServer) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock) as made:
        made.app.conf.broker_url = redis.url
        made.function("Send")(lambda: None)
        yield made


@pytest.fixture
def beat(tickerq: TickerQ) -> Iterator[TickerScheduler]:
    made = TickerScheduler(tickerq.app)
    made.tick()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def worker(tickerq: TickerQ) -> NodeRegistration:
    """A live worker that has the function, for as long as it beats."""
    made = NodeRegistration(profile(tickerq.core, NodeKind.WORKER, queues=[tickerq.config.namespace]))
    enrol(tickerq.core, made)
    return made


def tick_for(seconds: int, beat: TickerScheduler, worker: NodeRegistration, tickerq: TickerQ) -> None:
    """Let time pass, in which beat ticks as often as it does in an outage."""
    clock = tickerq.core.clock
    assert isinstance(clock, ManualClock)
    for _ in range(seconds // 5):
        clock.advance(seconds=5)
        tickerq.core.write(worker.beat)
        beat.tick()


def node_of(tickerq: TickerQ) -> NodeView:
    [found] = tickerq.nodes.find(kind=NodeKind.BEAT)
    return found


def problems(tickerq: TickerQ) -> list[tuple[str, str]]:
    return [(each.code.value, each.severity.value) for each in tickerq.health.report().problems]


@pytest.mark.every_database
def test_redis_at_its_maxmemory_is_named_after_two_ticks_and_no_beat_until_it_takes_a_message(
    tickerq: TickerQ, beat: TickerScheduler, worker: NodeRegistration, clock: ManualClock, admin: Redis
) -> None:
    run_id = due_run(tickerq, clock)
    refused_at = clock.now()
    admin.config_set("maxmemory", 1)
    beat.tick()
    clock.advance(seconds=1)
    beat.tick()
    found = node_of(tickerq)
    assert (found.refusal, found.refused_since, found.is_refused) == (OOM, refused_at, True)
    assert problems(tickerq) == [("broker_refuses", "failed")]
    [wait] = tickerq.runs.explain(run_id).waits
    assert wait.cause is WaitCause.BROKER
    assert OOM in wait.text
    tick_for(45, beat, worker, tickerq)
    found = node_of(tickerq)
    assert found.refused_since == refused_at < (found.refused_at or refused_at)
    # After more than a lease its last complete tick is old: that is the broker's.
    assert problems(tickerq) == [("broker_refuses", "failed"), ("overdue_runs", "failed")]
    overdue = next(each for each in tickerq.health.report().problems if each.code.value == "overdue_runs")
    assert overdue.remedy == "the broker does not take what beats publish: see the finding about that"
    probed = tickerq.health.probe(NodeKind.BEAT)
    assert probed.is_well
    assert [each.code.value for each in probed.problems] == ["broker_refuses"]

    admin.config_set("maxmemory", 0)
    beat.tick()
    assert tickerq.runs.get(run_id).status is TickerStatus.QUEUED
    beat.tick()
    assert node_of(tickerq).refusal is None
    assert problems(tickerq) == []


def test_what_was_refused_is_kept_until_a_message_is_taken_though_nothing_is_due(
    tickerq: TickerQ, beat: TickerScheduler, clock: ManualClock, admin: Redis
) -> None:
    run_id = due_run(tickerq, clock)
    admin.config_set("maxmemory", 1)
    beat.tick()
    tickerq.time_tickers.delete(run_id)
    clock.advance(seconds=1)
    for _ in range(2):
        beat.tick()
    assert (node_of(tickerq).refusal, node_of(tickerq).is_refused) == (OOM, False)
    assert problems(tickerq) == [("broker_refuses", "warning")]


def test_a_broker_that_a_beat_cannot_reach_is_forgotten_once_it_has_reached_it(
    tickerq: TickerQ, beat: TickerScheduler, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(self: CeleryPublisher) -> None:
        raise PublishError("ConnectionError: secret@host")

    due_run(tickerq, clock)
    with monkeypatch.context() as patched:
        patched.setattr(CeleryPublisher, "connect", lose)
        for _ in range(2):
            beat.tick()
    assert node_of(tickerq).refusal == "been unreachable"
    assert problems(tickerq) == [("broker_refuses", "failed")]
    for _ in range(2):
        beat.tick()
    assert node_of(tickerq).refusal is None


def test_what_no_database_can_keep_of_its_words_is_written_out(
    tickerq: TickerQ, beat: TickerScheduler, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: CeleryPublisher, claims: object) -> None:
        raise PublishError("x", refusal="refused messages: x\x00")

    due_run(tickerq, clock)
    monkeypatch.setattr(CeleryPublisher, "hand_over", refuse)
    for _ in range(2):
        beat.tick()
    assert node_of(tickerq).refusal == "refused messages: x\\x00"


def test_a_tick_that_fails_of_something_else_is_the_beats_own(
    tickerq: TickerQ,
    beat: TickerScheduler,
    worker: NodeRegistration,
    admin: Redis,
    monkeypatch: pytest.MonkeyPatch,
    clock: ManualClock,
) -> None:
    def fail(self: CeleryPublisher, claims: object) -> None:
        raise RuntimeError("a bug")

    due_run(tickerq, clock)
    admin.config_set("maxmemory", 1)
    beat.tick()
    monkeypatch.setattr(CeleryPublisher, "hand_over", fail)
    tick_for(15, beat, worker, tickerq)
    assert node_of(tickerq).refusal is None
