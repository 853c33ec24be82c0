"""A cancel ends what waits at once, asks what runs, and no run goes on against it."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

import pytest

from tests.inner import (
    CancelRequest,
    Core,
    NodeRegistration,
    Recorder,
    Started,
    failed,
    put_back,
    succeeded,
    unmet_reason,
)
from tests.integration.beats import Beat, pass_lease
from tests.integration.conftest import send
from tests.integration.cron.firing import fire
from tests.integration.locking import locked
from tests.integration.making import (
    ON_SERVERS,
    ListPublisher,
    all_rows,
    at_once,
    attempts_of,
    claim,
    claimed_again,
    enrolled,
    fail,
    failure,
    finish,
    make_cron,
    make_run,
    occurrences_of,
    processes,
    rescue,
    row_of,
    runs,
    start,
    started,
    time_tickers,
    worker_profile,
)
from tests.manual_clock import START, ManualClock
from tests.statements import end_requests
from tests.tables import tickers
from tickerq_celery import RunCondition, TimeTicker
from tickerq_celery.enums import OnLost, TickerStatus
from tickerq_celery.errors import (
    PublishError,
    TickerBusyError,
    TickerNotFoundError,
    TickerStateError,
    TickerValidationError,
)
from tickerq_celery.runs.cancelling import CANCELLED_REASON
from tickerq_celery.worker.heartbeat import Heartbeat

IDLE, QUEUED, IN_PROGRESS = TickerStatus.IDLE, TickerStatus.QUEUED, TickerStatus.IN_PROGRESS
CANCELLED = TickerStatus.CANCELLED


@pytest.fixture
def core(core: Core) -> Core:
    """A core whose function a live worker has."""
    return enrolled(core)


def ask(core: Core, run_id: UUID, *, terminate: bool = False) -> None:
    """Ask an active run to end."""
    assert time_tickers(core).cancel(run_id, terminate=terminate).cancel_requested


def test_a_run_that_waits_for_its_time_is_cancelled_at_once(core: Core, clock: ManualClock) -> None:
    publisher = ListPublisher()
    run_id = make_run(core, unique_key="once")
    clock.advance(seconds=2)
    run = time_tickers(core, publisher).cancel(str(run_id))
    assert (run.status, run.ended_at, run.next_attempt_at) == (CANCELLED, clock.now(), None)
    assert (run.cancel_requested, run.skipped_reason) == (False, CANCELLED_REASON)
    assert row_of(core, run_id).active_key is None
    assert publisher.cancelled == [run_id]
    assert claim(core) == []


def test_a_run_that_waits_for_a_worker_is_cancelled_at_once_and_its_message_is_stale(core: Core) -> None:
    run_id = make_run(core)
    (claimed,) = claim(core)
    assert time_tickers(core).cancel(run_id).status is CANCELLED
    assert start(core, claimed) is None
    assert row_of(core, run_id).check_at is None


def test_a_run_that_is_held_is_cancelled(core: Core) -> None:
    run_id = make_run(core, "Unknown")
    assert claim(core) == []
    assert row_of(core, run_id).held_for == "function"
    assert time_tickers(core).cancel(run_id).held_for is None
    assert row_of(core, run_id).hold_key is None


def test_a_run_that_waits_for_its_retry_is_cancelled(core: Core, clock: ManualClock) -> None:
    run_id = make_run(core, retries=1)
    assert fail(core, started(core, run_id))
    assert time_tickers(core).cancel(run_id).status is CANCELLED
    clock.advance(hours=1)
    assert claim(core) == []
    assert [each.status for each in attempts_of(core, run_id)] == [TickerStatus.FAILED]


@pytest.mark.parametrize("terminate", [False, True])
def test_an_active_run_is_asked_in_its_row_and_by_a_message(core: Core, terminate: bool) -> None:
    publisher = ListPublisher()
    run = started(core, make_run(core))
    asked = time_tickers(core, publisher).cancel(run.id, terminate=terminate)
    assert (asked.status, asked.cancel_requested, asked.ended_at) == (IN_PROGRESS, True, None)
    assert (publisher.asked, publisher.cancelled) == ([(run.id, 1, terminate)], [])
    assert row_of(core, run.id).cancel_request == ("terminate" if terminate else "end")


def test_who_wants_a_process_killed_is_not_contradicted(core: Core) -> None:
    run = started(core, make_run(core))
    ask(core, run.id, terminate=True)
    ask(core, run.id)
    assert row_of(core, run.id).cancel_request == CancelRequest.TERMINATE


def test_a_run_that_was_to_be_cancelled_is_not_retried(core: Core) -> None:
    run = started(core, make_run(core, retries=3))
    ask(core, run.id)
    written = Recorder(core).finish(run, failed(run.standing, failure("no route")), elapsed=None)
    assert written is not None
    assert (written.status, written.wait, written.retry_count) == (CANCELLED, None, 0)
    row = row_of(core, run.id)
    assert (row.status, row.due_at, row.retry_count, row.cancel_request) == (CANCELLED, None, 0, None)
    assert (row.exception_message, row.ended_at) == ("no route", START)
    assert [each.status for each in attempts_of(core, run.id)] == [CANCELLED]


@pytest.mark.parametrize("on_lost", OnLost)
def test_a_run_that_was_to_be_cancelled_is_not_rescued_nor_failed(
    make_core: Callable[..., Core], clock: ManualClock, on_lost: OnLost
) -> None:
    core = enrolled(make_core(send(on_lost=on_lost)))
    run = started(core, make_run(core))
    ask(core, run.id)
    beat = Beat(core)
    pass_lease(beat, clock)
    beat.sweep()
    row = row_of(core, run.id)
    assert (row.status, row.rescue_count, row.exception_type) == (CANCELLED, 0, "WorkerLost")
    assert beat.publisher.cancelled == [run.id]


def test_a_run_that_was_to_be_cancelled_does_not_put_itself_back(core: Core) -> None:
    run = started(core, make_run(core))
    ask(core, run.id)
    assert finish(core, run, put_back(run.standing, failure(), max_rescues=3))
    assert row_of(core, run.id).status is CANCELLED


def test_a_body_that_succeeds_all_the_same_is_done(core: Core) -> None:
    run = started(core, make_run(core))
    ask(core, run.id)
    assert finish(core, run, succeeded(run.standing))
    row = row_of(core, run.id)
    assert (row.status, row.cancel_request) == (TickerStatus.DONE, None)


def test_a_last_failure_stays_a_failure(core: Core) -> None:
    run = started(core, make_run(core))
    ask(core, run.id)
    assert fail(core, run)
    assert row_of(core, run.id).status is TickerStatus.FAILED


@pytest.mark.row_locks
def test_of_a_retry_and_a_cancel_at_once_the_run_never_goes_on(core: Core) -> None:
    for _ in range(8):
        run = started(core, make_run(core, retries=3))
        with processes(core, 2) as (worker, other):
            at_once(partial(fail, worker, run), partial(time_tickers(other).cancel, run.id))
        assert row_of(core, run.id).status is CANCELLED


@pytest.mark.row_locks
def test_of_a_start_and_a_cancel_at_once_one_decides(core: Core) -> None:
    for _ in range(8):
        run_id = make_run(core)
        (claimed,) = claim(core)
        with processes(core, 2) as (worker, other):
            run, cancelled = at_once(
                partial(start, worker, claimed), partial(time_tickers(other).cancel, run_id)
            )
        assert (run is None) == (cancelled.status is CANCELLED)  # type: ignore[union-attr]
        assert (run is not None) == cancelled.cancel_requested  # type: ignore[union-attr]


def test_a_request_is_of_one_claim_only(core: Core) -> None:
    make_run(core)
    (claimed,) = claim(core)
    newer = claimed_again(core, claimed)
    run = start(core, newer)
    assert run is not None
    ask(core, run.id)

    def is_asked(claim_no: int) -> bool:
        each = Started(**{name: getattr(run, name) for name in run.__slots__} | {"claim_no": claim_no})
        return core.read(end_requests.is_requested, each)

    assert (is_asked(1), is_asked(2)) == (False, True)


def test_a_cancelled_run_can_be_retried_and_then_runs(core: Core) -> None:
    waiting, running = make_run(core), started(core, make_run(core, retries=1))
    time_tickers(core).cancel(waiting)
    ask(core, running.id)
    assert fail(core, running)
    for run_id in (waiting, running.id):
        assert time_tickers(core).retry(run_id).skipped_reason is None
        again = started(core, run_id)
        assert finish(core, again, succeeded(again.standing))
        assert row_of(core, run_id).status is TickerStatus.DONE


@pytest.mark.parametrize("is_active", [False, True], ids=["waiting", "active"])
def test_a_cancelled_run_lets_those_children_start_that_wait_for_that(core: Core, is_active: bool) -> None:
    conditions = (
        RunCondition.ON_CANCELLED,
        RunCondition.ON_FAILURE_OR_CANCELLED,
        RunCondition.ON_ANY_COMPLETED_STATUS,
        RunCondition.ON_SUCCESS,
        RunCondition.ON_FAILURE,
    )
    children = [TimeTicker(function="Send", run_condition=each) for each in conditions]
    parent = time_tickers(core).add(TimeTicker(function="Send", retries=1, children=children))
    if is_active:
        run = started(core, parent.id)
        ask(core, parent.id)
        assert fail(core, run)
    else:
        time_tickers(core).cancel(parent.id)
    found = {row.run_condition: row for row in all_rows(core) if row.parent_id == parent.id}
    assert [found[each].status for each in conditions] == [IDLE] * 3 + [TickerStatus.SKIPPED] * 2
    for each in conditions[3:]:
        assert found[each].skipped_reason == unmet_reason(each, TickerStatus.CANCELLED)
    assert {each.id for each in claim(core)} == {found[each].id for each in conditions[:3]}


def test_a_waiting_child_can_be_cancelled_and_its_own_children_follow(core: Core) -> None:
    grandchild = TimeTicker(function="Send", run_condition=RunCondition.ON_CANCELLED)
    child = TimeTicker(function="Send", children=[grandchild])
    parent = time_tickers(core).add(TimeTicker(function="Send", children=[child]))
    rows = {row.parent_id: row for row in all_rows(core)}
    below = rows[parent.id]
    assert time_tickers(core).cancel(below.id).status is CANCELLED
    assert {each.id for each in claim(core)} == {parent.id, rows[below.id].id}


def test_runs_of_both_kinds_are_cancelled_by_one_verb(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, "* * * * *")
    clock.advance(minutes=1)
    fire(core)
    for run_id in (occurrences_of(core, cron_id)[0].id, make_run(core)):
        assert runs(core).cancel(run_id).status is CANCELLED
    with pytest.raises(TickerNotFoundError, match="no run has the id"):
        runs(core).cancel(UUID(int=7))


def test_what_has_ended_cannot_be_cancelled(core: Core) -> None:
    run = started(core, make_run(core))
    assert finish(core, run, succeeded(run.standing))
    with pytest.raises(TickerStateError, match="is Done: it cannot be cancelled"):
        time_tickers(core).cancel(run.id)


def test_what_is_not_there_cannot_be_cancelled(core: Core) -> None:
    with pytest.raises(TickerNotFoundError, match="no time ticker has the id"):
        time_tickers(core).cancel(UUID(int=7))
    with pytest.raises(TickerValidationError, match="id: pass a UUID"):
        time_tickers(core).cancel("seven")


def test_an_occurrence_is_cancelled_alone_and_its_cron_ticker_fires_on(
    core: Core, clock: ManualClock
) -> None:
    cron_id = make_cron(core, "* * * * *")
    clock.advance(minutes=1)
    fire(core)
    [first] = occurrences_of(core, cron_id)
    with pytest.raises(TickerNotFoundError, match="no time ticker"):
        time_tickers(core).cancel(first.id)
    assert runs(core).cancel(first.id).status is CANCELLED
    with pytest.raises(TickerNotFoundError, match="no run"):
        runs(core).cancel(cron_id)
    clock.advance(minutes=1)
    fire(core)
    assert [each.status for each in occurrences_of(core, cron_id)] == [CANCELLED, IDLE]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)
def test_a_run_that_a_stalled_process_has_locked_is_busy(core: Core) -> None:
    run_id = make_run(core)
    with locked(core, tickers, tickers.c.id == run_id), pytest.raises(TickerBusyError, match="not cancelled"):
        time_tickers(core).cancel(run_id)
    assert time_tickers(core).cancel(run_id).status is CANCELLED


def test_an_unreachable_broker_does_not_fail_a_cancel(core: Core) -> None:
    class UnreachableBroker(ListPublisher):
        def publish_cancel(self, run: Started, *, terminate: bool) -> None:
            raise PublishError("gone")

        def publish_lost(self, run: Started, message: str, *, status: TickerStatus) -> None:
            raise ValueError("the user's router")

    run, waiting = started(core, make_run(core)), make_run(core)
    manager = time_tickers(core, UnreachableBroker())
    assert manager.cancel(run.id).cancel_requested
    assert manager.cancel(waiting).status is CANCELLED


def test_each_heartbeat_reports_what_is_asked_until_it_has_ended(core: Core) -> None:
    reported: list[Started] = []
    heartbeat = Heartbeat(
        core,
        NodeRegistration(worker_profile(core)),
        held_claims=lambda: {f"{run.id}:1"},
        on_missing=print,
        on_request=reported.append,
    )
    run = started(core, make_run(core))
    heartbeat.beat()
    assert reported == []
    ask(core, run.id, terminate=True)
    for _ in range(2):
        heartbeat.beat()
    assert [(each.id, each.cancel_request) for each in reported] == [(run.id, CancelRequest.TERMINATE)] * 2
    assert rescue(core, run) is not None
    heartbeat.beat()
    assert len(reported) == 2
