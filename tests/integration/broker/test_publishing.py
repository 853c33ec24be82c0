"""Publishing: what the broker took is stamped, the rest is given back; neither disturbs a later claim."""

from datetime import timedelta
from uuid import UUID

import pytest
from celery import Celery
from celery.exceptions import QueueNotFound

from tests.inner import LOST_TASK, Claimer, Core, Dispatcher, Failure, claims
from tests.integration.cron.firing import alter, fire
from tests.integration.making import (
    ListPublisher,
    all_rows,
    claim,
    claimed_again,
    enrolled,
    give_back,
    make_cron,
    make_run,
    make_runs,
    occurrences_of,
    row_of,
    start,
    started,
)
from tests.manual_clock import START, ManualClock
from tests.servers.ports import free_port
from tests.statements import nodes, publications
from tickerq_celery.broker.publisher import CeleryPublisher
from tickerq_celery.enums import HoldReason, OverlapPolicy, TickerKind, TickerStatus
from tickerq_celery.errors import PublishError
from tickerq_celery.payload.codec import RequestCodec

IDLE, QUEUED, IN_PROGRESS = TickerStatus.IDLE, TickerStatus.QUEUED, TickerStatus.IN_PROGRESS


@pytest.fixture
def core(core: Core) -> Core:
    """A core whose function a live worker has."""
    return enrolled(core)


def stamp(core: Core, batch: list[claims.Claim]) -> None:
    core.write(publications.stamp, batch, check_after=core.config.republish_after)


def dispatch(core: Core, publisher: ListPublisher) -> bool:
    return Dispatcher(core, Claimer(core), publisher).dispatch(holder=core.node.name)


def test_what_was_published_is_stamped(core: Core) -> None:
    run_id = make_run(core)
    dispatch(core, ListPublisher())
    row = row_of(core, run_id)
    assert (row.status, row.published_at, row.publish_count) == (QUEUED, START, 1)
    assert row.check_at == START + core.config.republish_after


def test_what_the_broker_did_not_take_is_given_back_with_its_due_time(core: Core, clock: ManualClock) -> None:
    make_runs(core, 150)
    clock.advance(seconds=3)
    publisher = ListPublisher(takes=120)
    with pytest.raises(PublishError):
        dispatch(core, publisher)
    sent = {each.id for each in publisher.sent}
    rows = all_rows(core)
    assert {row.id for row in rows if row.status is QUEUED and row.publish_count == 1} == sent
    back = [row for row in rows if row.id not in sent]
    assert {(row.status, row.due_at, row.check_at, row.lock_holder) for row in back} == {
        (IDLE, START, None, None)
    }


def test_a_beat_that_is_asked_to_end_gives_the_rest_of_its_batch_back(core: Core) -> None:
    make_runs(core, 250)
    publisher = ListPublisher()
    dispatcher = Dispatcher(core, Claimer(core), publisher, must_stop=lambda: len(publisher.sent) >= 100)
    dispatcher.dispatch(holder=core.node.name)
    assert len(publisher.sent) == 100
    sent = {each.id for each in publisher.sent}
    rows = all_rows(core)
    assert {row.id for row in rows if row.status is QUEUED and row.publish_count == 1} == sent
    back = [row for row in rows if row.id not in sent]
    assert {(row.status, row.check_at, row.lock_holder) for row in back} == {(IDLE, None, None)}


def test_a_stamp_never_touches_the_status(core: Core, clock: ManualClock) -> None:
    run_id = make_run(core)
    (claimed,) = claim(core)
    start(core, claimed)
    clock.advance(seconds=1)
    stamp(core, [claimed])
    row = row_of(core, run_id)
    # Published when it was started, at the latest.
    assert (row.status, row.check_at, row.published_at) == (IN_PROGRESS, None, START)


def test_a_stamp_reaches_its_own_claim_only(core: Core) -> None:
    run_id = make_run(core)
    (claimed,) = claim(core)
    claimed_again(core, claimed)
    stamp(core, [claimed])
    assert row_of(core, run_id).published_at is None


def test_a_claim_that_was_superseded_cannot_be_given_back(core: Core) -> None:
    run_id = make_run(core)
    (claimed,) = claim(core)
    newer = claimed_again(core, claimed)
    give_back(core, [claimed])
    row = row_of(core, run_id)
    assert (row.status, row.claim_no) == (QUEUED, newer.number)


def test_a_claim_that_was_started_cannot_be_given_back(core: Core) -> None:
    run_id = make_run(core)
    (claimed,) = claim(core)
    start(core, claimed)
    give_back(core, [claimed])
    assert row_of(core, run_id).status is IN_PROGRESS


class PickyPublisher(ListPublisher):
    """A broker that is there, to which Celery knows no way for the runs in ``unroutable``."""

    def __init__(self, unroutable: set[UUID], takes: int | None = None) -> None:
        super().__init__(takes)
        self.unroutable = unroutable

    def publish(self, claim: claims.Claim) -> None:
        if claim.id in self.unroutable:
            raise QueueNotFound("Queue 'nowhere' missing from task_queues")
        super().publish(claim)


def test_a_run_that_cannot_be_published_waits_without_those_behind_it(
    core: Core, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    ids = make_runs(core, 3)
    publisher = PickyPublisher({ids[0]})
    dispatch(core, publisher)
    assert {each.id for each in publisher.sent} == set(ids[1:])
    assert {row_of(core, run_id).publish_count for run_id in ids[1:]} == {1}
    row = row_of(core, ids[0])
    assert (row.status, row.due_at) == (IDLE, START + core.config.republish_after)
    assert (row.check_at, row.lock_holder, row.locked_at) == (None, None, None)
    assert f"run {ids[0]} of Send cannot be published" in caplog.text
    clock.advance(minutes=5)
    publisher.unroutable.clear()
    dispatch(core, publisher)
    assert row_of(core, ids[0]).publish_count == 1


def test_a_broker_lost_after_a_run_that_cannot_be_published_gives_back_the_others(
    core: Core,
) -> None:
    ids = make_runs(core, 3)
    publisher = PickyPublisher({ids[0]}, takes=1)
    with pytest.raises(PublishError):
        dispatch(core, publisher)
    rows = {run_id: row_of(core, run_id) for run_id in ids}
    assert rows[ids[0]].due_at == START + core.config.republish_after
    assert sorted(rows[run_id].status for run_id in ids[1:]) == [IDLE, QUEUED]
    assert {rows[run_id].due_at for run_id in ids[1:]} == {START, None}


CLAIM = claims.Claim(id=UUID(int=1), number=1, function="Send", queue=None)
PLAIN = RequestCodec(compress_over=None, keys=(), redact=())


def test_a_publisher_never_uses_the_apps_own_producers() -> None:
    app = Celery("publisher", broker=f"redis://127.0.0.1:{free_port()}", set_as_current=False)
    publisher = CeleryPublisher(app, PLAIN, lease=timedelta(seconds=30), connect_timeout=1)
    with pytest.raises(PublishError):
        publisher.publish(CLAIM)
    app.amqp.send_task_message = never  # type: ignore[method-assign]
    with pytest.raises(PublishError):
        publisher.publish(CLAIM)


def never(*_: object, **__: object) -> None:
    raise AssertionError("Celery was asked to send without a connection of ours")


@pytest.mark.parametrize(("queue", "expected"), [(None, "routed"), ("mail", "mail")])
def test_the_call_for_a_lost_attempt_goes_where_its_run_would(
    core: Core, namespace: str, queue: str | None, expected: str
) -> None:
    # All of a process share what lies in memory.
    queue, expected = queue and f"{namespace}-{queue}", f"{namespace}-{expected}"
    app = Celery(namespace, broker="memory://", set_as_current=False)
    app.conf.task_routes = {"tickerq.Send": {"queue": f"{namespace}-routed"}}
    run = started(core, make_run(core, queue=queue))
    publisher = CeleryPublisher(app, PLAIN, lease=timedelta(seconds=30), connect_timeout=1)
    publisher.publish_lost(run, "gone", status=TickerStatus.IDLE)
    publisher.close()
    with app.connection_for_read() as connection:
        waiting = connection.SimpleQueue(app.amqp.queues[expected])
        message = waiting.get(block=False)
        message.ack()
        waiting.close()
    assert message.headers["task"] == LOST_TASK


@pytest.mark.parametrize("is_refused", [False, True])
def test_the_end_of_a_call_that_no_worker_follows_lets_the_occurrence_run_that_waits_for_it(
    core: Core, clock: ManualClock, is_refused: bool
) -> None:
    core.write(nodes.remove, core.node.id)
    cron_id = make_cron(core, request={"args": []}, overlap=OverlapPolicy.BUFFER_ONE)
    alter(core, cron_id, kind=TickerKind.CELERY_TASK.value)
    clock.advance(hours=1)
    fire(core)
    (call,) = claim(core)
    clock.advance(hours=1)
    fire(core)
    assert claim(core) == []
    if is_refused:
        failure = Failure(type="QueueNotFound", message="no such queue")
        core.write(publications.fail, call, failure)
    else:
        stamp(core, [call])
    first, second = occurrences_of(core, cron_id)
    assert first.status is (TickerStatus.FAILED if is_refused else TickerStatus.DONE)
    assert (second.held_for, second.due_at) == (None, clock.now())
    assert [claimed.id for claimed in claim(core)] == [second.id]


def test_a_call_that_was_claimed_again_frees_no_slot(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, request={"args": []}, overlap=OverlapPolicy.BUFFER_ONE)
    alter(core, cron_id, kind=TickerKind.CELERY_TASK.value)
    clock.advance(hours=1)
    fire(core)
    (call,) = claim(core)
    claimed_again(core, call)
    clock.advance(hours=1)
    fire(core)
    stamp(core, [call])
    first, second = occurrences_of(core, cron_id)
    assert (first.status, second.held_for) == (QUEUED, HoldReason.OVERLAP)
