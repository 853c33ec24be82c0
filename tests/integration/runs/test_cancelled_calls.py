"""Cancel the run of a Celery task: at once where it waits, by Celery's own command where a worker has it."""

import pytest

from tests.inner import CancelRequest, Core, cancel_command
from tests.integration.making import ListPublisher, enrolled, row_of, time_tickers
from tests.integration.runs.calls import begun, make_call, published
from tickerq_celery.enums import TickerStatus
from tickerq_celery.errors import TickerStateError

CANCELLED, IN_PROGRESS = TickerStatus.CANCELLED, TickerStatus.IN_PROGRESS


@pytest.fixture
def core(core: Core) -> Core:
    """A core whose function a live worker has."""
    return enrolled(core)


def test_one_that_is_not_published_is_cancelled_and_no_worker_is_notified(core: Core) -> None:
    run_id, publisher = make_call(core), ListPublisher()
    assert time_tickers(core, publisher).cancel(run_id).status is CANCELLED
    assert (publisher.asked, publisher.cancelled) == ([], [])


@pytest.mark.parametrize("terminate", [True, False])
def test_one_that_is_published_is_cancelled_and_its_message_revoked(core: Core, terminate: bool) -> None:
    run_id, publisher = make_call(core), ListPublisher()
    published(core, run_id)
    assert time_tickers(core, publisher).cancel(run_id, terminate=terminate).status is CANCELLED
    assert (publisher.asked, publisher.cancelled) == ([(run_id, 1, terminate)], [])


def test_one_that_runs_cannot_be_asked_to_end(core: Core) -> None:
    run_id, publisher = make_call(core), ListPublisher()
    begun(core, published(core, run_id))
    with pytest.raises(TickerStateError, match=r"is InProgress: it cannot be asked to end.*terminate=True"):
        time_tickers(core, publisher).cancel(run_id)
    row = row_of(core, run_id)
    assert (row.status, row.cancel_request) == (IN_PROGRESS, None)
    assert publisher.asked == []


def test_one_that_runs_is_ended_by_the_end_of_its_process(core: Core) -> None:
    run_id, publisher = make_call(core), ListPublisher()
    begun(core, published(core, run_id))
    asked = time_tickers(core, publisher).cancel(run_id, terminate=True)
    assert (asked.status, asked.cancel_requested) == (IN_PROGRESS, True)
    assert publisher.asked == [(run_id, 1, True)]
    assert row_of(core, run_id).cancel_request == CancelRequest.TERMINATE.value


@pytest.mark.parametrize("task_id", [None, "order 17"])
def test_the_command_to_workers_is_celerys_own(core: Core, task_id: str | None) -> None:
    run = begun(core, published(core, run_id := make_call(core, columns={"task_id": task_id})))
    revoked = {"task_id": task_id or str(run_id), "terminate": True}
    assert cancel_command(run, terminate=True) == ("revoke", revoked)
