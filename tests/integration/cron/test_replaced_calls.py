"""Calls of Celery tasks that a later occurrence of their cron ticker replaces, by ``cancel_other``."""

import logging
from typing import NamedTuple
from uuid import UUID

import pytest

from tests.inner import CANCELLED_REASON, CancelRequest, Core, Started, cancelled
from tests.integration.beats import Beat
from tests.integration.cron.firing import alter, fire
from tests.integration.locking import locked
from tests.integration.making import (
    ON_SERVERS,
    ListPublisher,
    claim,
    enrolled,
    make_cron,
    occurrences_of,
    row_of,
)
from tests.integration.runs.calls import begun, end, published, retry
from tests.manual_clock import ManualClock
from tests.tables import tickers
from tickerq_celery.enums import HoldReason, OverlapPolicy, TickerKind, TickerStatus
from tickerq_celery.errors import PublishError

QUEUED, CANCELLED = TickerStatus.QUEUED, TickerStatus.CANCELLED


class Hourly(NamedTuple):
    """A cron ticker of a Celery task, whose occurrences replace each other, and the beat that fires it."""

    core: Core
    clock: ManualClock
    id: UUID
    publisher: ListPublisher

    def fired(self) -> UUID:
        """Let the next instant come, and return its occurrence."""
        self.clock.advance(hours=1)
        fire(self.core, self.publisher)
        run_id: UUID = occurrences_of(self.core, self.id)[-1].id
        return run_id

    def running(self) -> Started:
        """Let the next instant come, and report that its task began."""
        return begun(self.core, published(self.core, self.fired()))

    def waits(self, run_id: UUID) -> bool:
        return bool(row_of(self.core, run_id).held_for == HoldReason.OVERLAP)


@pytest.fixture
def hourly(core: Core, clock: ManualClock) -> Hourly:
    enrolled(core)
    cron_id = make_cron(core, request={"args": []}, overlap=OverlapPolicy.CANCEL_OTHER)
    alter(core, cron_id, kind=TickerKind.CELERY_TASK.value)
    return Hourly(core, clock, cron_id, ListPublisher())


def test_one_that_is_not_claimed_is_cancelled_and_its_id_is_not_revoked(hourly: Hourly) -> None:
    first, second = hourly.fired(), hourly.fired()
    assert row_of(hourly.core, first).status is CANCELLED
    assert hourly.publisher.asked == []
    assert not hourly.waits(second)


@pytest.mark.parametrize("is_stamped", [True, False])
def test_one_whose_message_is_on_its_way_is_cancelled_and_revoked(hourly: Hourly, is_stamped: bool) -> None:
    first = hourly.fired()
    if is_stamped:
        published(hourly.core, first)
    else:
        claim(hourly.core)
    second = hourly.fired()
    row = row_of(hourly.core, first)
    assert (row.status, row.skipped_reason) == (CANCELLED, CANCELLED_REASON)
    assert hourly.publisher.asked == [(first, 1, True)]
    assert not hourly.waits(second)


def test_one_that_runs_is_revoked_once_with_its_process_and_waited_for(hourly: Hourly) -> None:
    run = hourly.running()
    second = hourly.fired()
    assert row_of(hourly.core, run.id).cancel_request == CancelRequest.TERMINATE.value
    assert hourly.waits(second)
    third = hourly.fired()
    assert hourly.waits(third)
    assert hourly.publisher.asked == [(run.id, 1, True)]
    end(hourly.core, run, cancelled(run.standing, None))
    assert [each.id for each in claim(hourly.core)] == [third]


def test_one_that_asks_for_its_retry_when_it_is_to_end_is_cancelled_and_the_next_runs(hourly: Hourly) -> None:
    run = hourly.running()
    second = hourly.fired()
    retry(hourly.core, run, seconds=5)
    assert row_of(hourly.core, run.id).status is CANCELLED
    assert hourly.publisher.asked == [(run.id, 1, True)]
    assert [each.id for each in claim(hourly.core)] == [second]


@pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)
def test_one_that_was_starting_is_revoked_by_the_sweep(hourly: Hourly, beat: Beat) -> None:
    run = hourly.running()
    with locked(hourly.core, tickers, tickers.c.id == run.id):
        hourly.fired()
    assert hourly.publisher.asked == []
    for _ in range(2):
        beat.sweep()
    assert beat.publisher.asked == [(run.id, 1, True)]


def test_where_the_broker_does_not_take_the_revocation_the_next_runs_all_the_same(
    hourly: Hourly, caplog: pytest.LogCaptureFixture
) -> None:
    class Unreachable(ListPublisher):
        def publish_cancel(self, run: Started, *, terminate: bool) -> None:
            raise PublishError("connection refused")

    published(hourly.core, hourly.fired())
    with caplog.at_level(logging.WARNING, logger="tickerq_celery"):
        second = hourly._replace(publisher=Unreachable()).fired()
    assert [each.id for each in claim(hourly.core)] == [second]
    assert "could not revoke 1 calls that later occurrences replace: the broker" in caplog.text
