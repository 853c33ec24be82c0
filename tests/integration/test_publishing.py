"""Publishing: what the broker took is stamped, the rest is given back; neither disturbs a later claim."""

import pytest

from tests.integration.making import (
    ListPublisher,
    all_rows,
    claim,
    claimed_again,
    enrolled,
    give_back,
    make_run,
    make_runs,
    row_of,
    start,
)
from tests.manual_clock import START, ManualClock
from tickerq_celery.claimer import Claimer
from tickerq_celery.core import Core
from tickerq_celery.dispatcher import Dispatcher
from tickerq_celery.enums import TickerStatus
from tickerq_celery.errors import PublishError
from tickerq_celery.store import claims

IDLE, QUEUED, IN_PROGRESS = TickerStatus.IDLE, TickerStatus.QUEUED, TickerStatus.IN_PROGRESS


@pytest.fixture
def core(core: Core) -> Core:
    """A core whose function a live worker has."""
    return enrolled(core)


def stamp(core: Core, batch: list[claims.Claim]) -> None:
    core.database.write(
        lambda connection: claims.stamp(
            connection, core.clock, batch, check_after=core.config.republish_after
        )
    )


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


def test_a_stamp_never_touches_the_status(core: Core) -> None:
    run_id = make_run(core)
    (claimed,) = claim(core)
    start(core, claimed)
    stamp(core, [claimed])
    row = row_of(core, run_id)
    assert (row.status, row.check_at, row.published_at) == (IN_PROGRESS, None, None)


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
