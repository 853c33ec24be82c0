"""What a beat looks at for evidence of lost messages: which queues, how often, and its errors."""

from typing import Any

import pytest
from celery import Celery
from celery.exceptions import CDeprecationWarning

from tests.inner import Core
from tests.integration.making import claim, enrolled, make_run
from tests.integration.runs.calls import alter_run, stamp
from tests.manual_clock import ManualClock
from tickerq_celery.beat.loss_watch import LossWatch
from tickerq_celery.broker.routes import KnownRoutes
from tickerq_celery.errors import PublishError
from tickerq_celery.tickers.losses import Evidence, MessageFlow


def published(core: Core, *, queue: str | None = None) -> None:
    run_id = make_run(core)
    (claimed,) = claim(core, [run_id])
    stamp(core, claimed)
    alter_run(core, run_id, queue=queue)


def watch(core: Core, size_of: Any, **options: Any) -> LossWatch:
    return LossWatch(core, lambda flow: flow.queue or "celery", size_of, **options)


@pytest.fixture
def core(core: Core) -> Core:
    return enrolled(core, broker="redis://here")


def test_it_asks_once_a_heartbeat_and_only_for_queues_of_old_messages(core: Core, clock: ManualClock) -> None:
    asked: list[str] = []
    losses = watch(core, lambda queue: asked.append(queue) or 1)
    published(core)
    assert losses.look() == Evidence()
    clock.advance(seconds=30)
    found = losses.look()
    assert (asked, list(found.waiting)) == (["celery"], [MessageFlow(name="Send", queue=None)])
    clock.advance(seconds=9)
    assert losses.look() == found
    clock.advance(seconds=1)
    losses.look()
    assert asked == ["celery", "celery"]


def test_of_very_many_queues_others_are_asked_for_at_each_look(core: Core, clock: ManualClock) -> None:
    asked: set[str] = set()
    losses = watch(core, asked.add)
    for number in range(120):
        published(core, queue=f"q{number:03}")
    for looks in (50, 100, 120):
        clock.advance(seconds=30)
        losses.look()
        assert len(asked) == looks


def test_a_transport_that_cannot_say_it_hinders_no_sweep(
    core: Core, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(queue: str) -> int:
        raise LookupError("no permission")

    losses = watch(core, refuse)
    published(core)
    for _ in range(3):
        clock.advance(seconds=30)
        assert losses.look().waiting == frozenset()
    assert caplog.text.count("does not say how long queue celery is") == 1


def test_a_broker_that_cannot_be_reached_is_the_sweeps_concern(core: Core, clock: ManualClock) -> None:
    def unreachable(queue: str) -> int:
        raise PublishError("no broker")

    losses = watch(core, unreachable)
    published(core)
    clock.advance(seconds=30)
    with pytest.raises(PublishError):
        losses.look()


@pytest.mark.parametrize(
    ("broker", "is_lost"), [("redis://here", False), ("redis://there", True), (None, False)]
)
def test_a_worker_on_another_broker_has_none_of_its_messages(
    core: Core, clock: ManualClock, broker: str | None, is_lost: bool
) -> None:
    losses = watch(core, lambda queue: 0, broker=broker)
    published(core)
    clock.advance(seconds=30)
    assert bool(losses.look().lost) is is_lost


def nothing() -> None: ...


def call(name: str, queue: str | None = None) -> MessageFlow:
    return MessageFlow(name=name, queue=queue, is_call=True)


def test_the_queue_of_a_call_is_where_its_task_sends_it_and_none_where_a_router_looks_at_arguments() -> None:
    app = Celery("shop", set_as_current=False)
    app.task(nothing, name="slow", queue="slow", shared=False)
    app.task(nothing, name="routed", exchange="other", routing_key="x", shared=False)
    with pytest.warns(CDeprecationWarning, match="task attribute"):
        app.finalize()
    routes = KnownRoutes(app)
    assert routes.queue_of_messages(call("slow")) == "slow"
    assert routes.queue_of_messages(call("plain")) == "celery"
    assert routes.queue_of_messages(call("plain", "mail")) == "mail"
    assert routes.queue_of_messages(call("routed")) is None
    app.conf.task_routes = [lambda name, args, kwargs, options, **_: {"queue": kwargs["tenant"]}]
    app.amqp.flush_routes()
    assert KnownRoutes(app).queue_of_messages(call("plain")) is None
    assert KnownRoutes(app).queue_of_messages(call("plain", "mail")) == "mail"
