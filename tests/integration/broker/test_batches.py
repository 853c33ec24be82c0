"""A batch of function runs goes to the broker at once; where its delivery is uncertain it is given back."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from celery import Celery, signals
from celery.exceptions import QueueNotFound
from kombu import Exchange, Producer, Queue
from kombu.message import Message
from redis.client import Pipeline

from tests.inner import Claim, Claimer, Core, Dispatcher, transport
from tests.integration.broker.cutting_proxy import CuttingProxy, cutting_proxy
from tests.integration.broker.handing_over import ids_in, make_claims, on_rabbitmq, publishing, taken
from tests.integration.making import all_rows, enrolled, make_runs, start
from tests.manual_clock import ManualClock
from tickerq_celery.broker.batching import why_one_by_one
from tickerq_celery.broker.confirms import ConfirmedProducer
from tickerq_celery.broker.link import BrokerLink
from tickerq_celery.broker.publisher import CeleryPublisher
from tickerq_celery.enums import TickerPriority, TickerStatus
from tickerq_celery.errors import PublishError
from tickerq_celery.tickers.timeouts import Timeouts

MANY = 40
IDLE = TickerStatus.IDLE
on_redis = pytest.mark.parametrize("broker_url", ["redis"], indirect=True)
on_both = pytest.mark.parametrize("broker_url", ["redis", "rabbitmq"], indirect=True)


@pytest.fixture
def core(core: Core) -> Core:
    """A core whose function a live worker has."""
    return enrolled(core)


@pytest.fixture
def app(broker_url: str, namespace: str) -> Iterator[Celery]:
    transport.register()
    app = Celery(namespace, broker=broker_url, set_as_current=False)
    app.conf.task_default_queue = namespace
    with closing(app):
        yield app


@pytest.fixture
def publisher(app: Celery) -> Iterator[CeleryPublisher]:
    with publishing(app) as made:
        yield made


@pytest.fixture
def proxied(app: Celery, broker_url: str) -> Iterator[CuttingProxy]:
    """A proxy before the app's broker, which the app connects through."""
    with cutting_proxy(broker_url) as proxy:
        app.conf.broker_url = proxy.url
        yield proxy


def test_a_batch_is_handed_over_whole_and_in_its_order(app: Celery, publisher: CeleryPublisher) -> None:
    claims = make_claims(MANY)
    handover = publisher.hand_over(claims)
    assert (handover.taken, handover.refused, handover.left) == (claims, [], ())
    assert ids_in(taken(app)) == [claim.id for claim in claims]


def test_a_message_of_a_batch_is_that_of_a_run_alone(app: Celery, publisher: CeleryPublisher) -> None:
    [claim] = make_claims(
        1, priority=TickerPriority.LOW, timeouts=Timeouts(soft=None, hard=timedelta(seconds=60))
    )
    publisher.hand_over([claim])
    publisher.hand_over([claim] * 3)
    alone, *others = (
        (message.headers, message.body, message.content_type, _lasting(message.properties))
        for message in taken(app)
    )
    assert others == [alone] * 3


def _lasting(properties: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name != "delivery_tag"}


@on_redis
def test_redis_serves_the_urgent_of_a_batch_first_and_each_priority_in_its_order(
    app: Celery, publisher: CeleryPublisher
) -> None:
    priorities = [TickerPriority.LOW, TickerPriority.HIGH, TickerPriority.NORMAL] * 3
    claims = [make_claims(1, priority=each)[0] for each in priorities]
    publisher.hand_over(claims)
    scale = [TickerPriority.HIGH, TickerPriority.NORMAL, TickerPriority.LOW]
    urgent_first = sorted(claims, key=lambda claim: scale.index(claim.priority))
    assert ids_in(taken(app)) == [claim.id for claim in urgent_first]


def test_each_queue_of_a_batch_gets_its_own_messages(
    app: Celery, publisher: CeleryPublisher, namespace: str
) -> None:
    names = [f"{namespace}-{number}" for number in range(3)]
    claims = [make_claims(1, queue=name)[0] for name in names * 3]
    publisher.hand_over(claims)
    for name in names:
        assert ids_in(taken(app, name)) == [claim.id for claim in claims if claim.queue == name]


@on_redis
def test_a_batch_takes_one_flush_of_redis(
    publisher: CeleryPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.hand_over(make_claims(2))
    flushed: list[int] = []
    execute = Pipeline.execute

    def count(self: Any, *arguments: Any, **options: Any) -> Any:
        flushed.append(len(self.command_stack))
        return execute(self, *arguments, **options)

    monkeypatch.setattr(Pipeline, "execute", count)
    publisher.hand_over(make_claims(MANY))
    assert flushed == [MANY]


@on_rabbitmq
def test_a_batch_awaits_the_confirms_of_rabbitmq_once(
    publisher: CeleryPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    unconfirmed: list[int] = []
    await_confirms = ConfirmedProducer.await_confirms

    def count(self: Any, *arguments: Any) -> None:
        unconfirmed.append(self._last_tag)
        await_confirms(self, *arguments)
        assert not self._unconfirmed

    monkeypatch.setattr(ConfirmedProducer, "await_confirms", count)
    publisher.hand_over(make_claims(MANY))
    publisher.hand_over(make_claims(MANY))
    assert unconfirmed == [MANY, 2 * MANY]


@on_both
def test_a_router_is_asked_once_for_all_messages_that_are_alike(
    app: Celery, publisher: CeleryPublisher, namespace: str
) -> None:
    asked: list[str] = []

    def route(name: str, args: object, kwargs: object, options: object, task: object = None, **_: Any) -> Any:
        asked.append(name)
        return {"queue": f"{namespace}-routed"}

    app.conf.task_routes = (route,)
    claims = [*make_claims(5), *make_claims(5, function="Mail")]
    publisher.hand_over(claims)
    assert Counter(asked) == {"tickerq.Send": 1, "tickerq.Mail": 1}
    assert ids_in(taken(app, f"{namespace}-routed")) == [claim.id for claim in claims]


@on_both
def test_a_router_that_raises_is_asked_for_each_message_and_keeps_no_other_back(
    app: Celery, publisher: CeleryPublisher
) -> None:
    asked: list[str] = []

    def route(name: str, *_: Any, **__: Any) -> Any:
        asked.append(name)
        if name == "tickerq.Mail":
            # What a broker that is unreachable raises, too.
            raise ConnectionError("no answer of the routing service")

    app.conf.task_routes = (route,)
    lost, sent = make_claims(2, function="Mail"), make_claims(3)
    handover = publisher.hand_over([lost[0], *sent[:2], lost[1], sent[2]])
    assert [refusal.claim for refusal in handover.refused] == lost
    assert {type(refusal.error) for refusal in handover.refused} == {ConnectionError}
    assert (handover.taken, handover.failure) == (sent, None)
    assert Counter(asked) == {"tickerq.Send": 1, "tickerq.Mail": 2}
    assert ids_in(taken(app)) == [claim.id for claim in sent]


def test_an_unknown_queue_refuses_its_own_runs(app: Celery, publisher: CeleryPublisher) -> None:
    app.conf.task_create_missing_queues = False
    lost, sent = make_claims(2, queue="nowhere"), make_claims(2)
    handover = publisher.hand_over([lost[0], sent[0], lost[1], sent[1]])
    assert [refusal.claim for refusal in handover.refused] == lost
    assert {type(refusal.error) for refusal in handover.refused} == {QueueNotFound}
    assert handover.taken == sent


def test_receivers_of_celerys_signals_see_each_message_of_a_batch(publisher: CeleryPublisher) -> None:
    seen: Counter[tuple[str, str]] = Counter()

    def before(headers: Any, **_: Any) -> None:
        seen["before", headers["id"]] += 1

    def after(headers: Any, **_: Any) -> None:
        seen["after", headers["id"]] += 1

    claims = make_claims(5)
    signals.before_task_publish.connect(before, sender="tickerq.Send")
    signals.after_task_publish.connect(after, sender="tickerq.Send")
    try:
        publisher.hand_over(claims)
    finally:
        signals.before_task_publish.disconnect(before, sender="tickerq.Send")
        signals.after_task_publish.disconnect(after, sender="tickerq.Send")
    names = [f"{claim.id}:1" for claim in claims]
    assert seen == {(moment, name): 1 for moment in ("before", "after") for name in names}


# Bytes that still reach the broker.
CUTS = {"before the flush": 0, "within the flush": 9_000, "no answer": None}


@on_both
@pytest.mark.parametrize("cut_after", CUTS.values(), ids=CUTS.keys())
def test_an_uncertain_batch_is_given_back_and_each_run_starts_once(
    core: Core,
    clock: ManualClock,
    app: Celery,
    proxied: CuttingProxy,
    broker_url: str,
    cut_after: int | None,
) -> None:
    with publishing(app, answer_timeout=1) as publisher:
        publisher.hand_over(make_claims(2))
        taken(app, broker_url=broker_url)
        ids = make_runs(core, MANY)
        clock.advance(seconds=3)
        proxied.requests, proxied.is_mute = cut_after, cut_after is None
        dispatcher = Dispatcher(core, Claimer(core), publisher)
        with pytest.raises(PublishError):
            dispatcher.dispatch(holder=core.node.name)
        assert proxied.cuts or proxied.is_mute
        rows = all_rows(core)
        assert {(row.status, row.publish_count, row.lock_holder) for row in rows} == {(IDLE, 0, None)}
        assert {row.due_at for row in rows} == {clock.now() - timedelta(seconds=3)}
        proxied.heal()
    # A busy broker takes longer than a second to let one in.
    with publishing(app) as publisher:
        Dispatcher(core, Claimer(core), publisher).dispatch(holder=core.node.name)
    messages = taken(app, broker_url=broker_url)
    if cut_after is None:
        assert len(messages) == 2 * MANY
    elif cut_after:
        assert MANY < len(messages) < 2 * MANY
    started = Counter(run_id for run_id in map(_started_by(core), messages) if run_id is not None)
    assert started == dict.fromkeys(ids, 1)


def _started_by(core: Core) -> Any:
    """Return what starts the run that a message names, as a worker does, and tells its id if it may."""

    def started(message: Message) -> UUID | None:
        ticker_id, number = message.headers["ticker"]
        claim = Claim(id=UUID(ticker_id), number=number, function="Send", queue=None)
        return None if start(core, claim) is None else claim.id

    return started


@on_both
def test_what_follows_a_failed_batch_goes_one_by_one_until_it_is_taken(
    publisher: CeleryPublisher, proxied: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[bool] = []
    producing = BrokerLink.producing

    def count(self: BrokerLink, *, is_batch: bool = False) -> Any:
        batches.append(is_batch)
        return producing(self, is_batch=is_batch)

    publisher.hand_over(make_claims(2))
    proxied.requests = 0
    assert publisher.hand_over(make_claims(3)).failure is not None
    proxied.heal()
    monkeypatch.setattr(BrokerLink, "producing", count)
    for _ in range(2):
        assert publisher.hand_over(make_claims(3)).failure is None
    assert batches == [False, False, False, True]


@on_redis
def test_what_one_queue_cannot_take_hinders_those_before_it_no_more_than_once(
    app: Celery, publisher: CeleryPublisher, namespace: str
) -> None:
    queue = f"{namespace}-wrong"
    with app.connection_for_write() as connection:
        connection.default_channel.client.set(queue, "no list")
    [wrong] = make_claims(1, queue=queue)
    claims = [*make_claims(2), wrong, *make_claims(2)]
    whole = publisher.hand_over(claims)
    assert (whole.left, whole.taken) == (claims, ())
    assert "WRONGTYPE" in str(whole.failure)
    one_by_one = publisher.hand_over(claims)
    assert (one_by_one.taken, one_by_one.left) == (claims[:2], claims[2:])


@on_rabbitmq
def test_what_a_full_queue_refuses_of_a_batch_is_found_out_message_by_message(
    app: Celery, publisher: CeleryPublisher, namespace: str
) -> None:
    arguments = {"x-max-length": 1, "x-overflow": "reject-publish"}
    app.conf.task_queues = [Queue(namespace), Queue(f"{namespace}-full", queue_arguments=arguments)]
    publisher.hand_over(make_claims(1, queue=f"{namespace}-full"))
    [full] = make_claims(1, queue=f"{namespace}-full")
    claims = [*make_claims(2), full, *make_claims(2)]
    whole = publisher.hand_over(claims)
    assert whole.left == claims
    assert "MessageNacked" in str(whole.failure)
    one_by_one = publisher.hand_over(claims)
    assert (one_by_one.taken, one_by_one.left) == (claims[:2], claims[2:])


@on_rabbitmq
def test_an_exchange_that_is_missing_is_found_out_message_by_message(
    app: Celery, publisher: CeleryPublisher, namespace: str
) -> None:
    gone = {"exchange": Exchange(f"{namespace}-gone", type="topic", no_declare=True), "routing_key": "a"}
    app.conf.task_routes = {"tickerq.Mail": gone}
    [mail] = make_claims(1, function="Mail")
    claims = [*make_claims(2), mail, *make_claims(2)]
    assert publisher.hand_over(claims).left == claims
    one_by_one = publisher.hand_over(claims)
    assert one_by_one.taken == [*claims[:2], *claims[3:]]
    assert [refusal.claim for refusal in one_by_one.refused] == [mail]


@on_rabbitmq
def test_a_queue_that_is_declared_otherwise_refuses_its_own_runs(
    app: Celery, publisher: CeleryPublisher, namespace: str
) -> None:
    other = f"{namespace}-other"
    with app.connection_for_write() as connection:
        Queue(other, queue_arguments={"x-max-length": 9})(connection.default_channel).declare()
    app.conf.task_queues = [Queue(namespace), Queue(other, queue_arguments={"x-max-length": 8})]
    [refused] = make_claims(1, queue=other)
    [alone] = make_claims(1)
    for claims in ([refused], [alone]):
        handover = publisher.hand_over(claims)
        assert handover.failure is None
    assert handover.taken == [alone]


def test_a_broker_that_is_unreachable_leaves_all(app: Celery, namespace: str) -> None:
    app.conf.broker_url = "redis://127.0.0.1:1"
    claims = make_claims(3)
    with publishing(app) as publisher:
        handover = publisher.hand_over(claims)
    assert (handover.left, handover.taken) == (claims, ())
    assert handover.failure is not None


@pytest.mark.parametrize(
    ("url", "options", "reason"),
    [
        ("redis://", {}, None),
        ("sentinel://", {}, None),
        (
            "redis://",
            {"retry_on_timeout": True},
            "broker_transport_options let redis-py repeat what it has sent",
        ),
        ("amqp://", {}, None),
        ("pyamqp://", {"confirm_publish": False}, "broker_transport_options turns confirm_publish off"),
        ("memory://", {}, "kombu's transport memory has no batches"),
    ],
)
def test_it_is_known_without_a_connection_why_messages_go_one_by_one(
    url: str, options: dict[str, object], reason: str | None
) -> None:
    with closing(Celery(broker=url, set_as_current=False)) as app:
        app.conf.broker_transport_options = options
        assert (why_one_by_one(app) or "").startswith(reason or "")
        assert (why_one_by_one(app) is None) is (reason is None)


def test_an_older_kombu_publishes_one_by_one_and_is_named(
    app: Celery, publisher: CeleryPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Producer, "batch")
    monkeypatch.delattr(Producer, "supports_batch_publish")
    claims = make_claims(3)
    assert publisher.hand_over(claims).taken == claims
    assert ids_in(taken(app)) == [claim.id for claim in claims]
    if app.conf.broker_url.startswith("redis"):
        assert str(why_one_by_one(app)).endswith("has no batches, kombu 5.7 has")
