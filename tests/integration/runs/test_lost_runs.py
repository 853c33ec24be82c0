"""What an operator does to a run whose node is dead: start it again, or mark it as failed."""

from collections.abc import Callable
from uuid import UUID

import pytest

from tests.inner import LOST, Core, new_id, succeeded
from tests.integration.beats import Beat, pass_lease
from tests.integration.conftest import send
from tests.integration.cron.firing import fire
from tests.integration.locking import locked
from tests.integration.making import (
    ON_SERVERS,
    ListPublisher,
    all_rows,
    another_node,
    at_once,
    attempts_of,
    claim,
    cron_row_of,
    enrolled,
    fail,
    finish,
    make_cron,
    make_run,
    make_runs,
    occurrences_of,
    processes,
    row_of,
    runs,
    started,
    time_tickers,
)
from tests.integration.runs import calls
from tests.manual_clock import ManualClock
from tests.statements import nodes
from tests.tables import tickers
from tests.thoroughness import in_verify
from tickerq_celery import Run, RunCondition, TickerQ, TimeTicker
from tickerq_celery.enums import OnLost, OverlapPolicy, TickerStatus
from tickerq_celery.errors import (
    TickerBusyError,
    TickerChangedError,
    TickerError,
    TickerNotFoundError,
    TickerStateError,
    TickerValidationError,
)
from tickerq_celery.managers.runs.runs import RunManager
from tickerq_celery.views import Actor

MakeCore = Callable[..., Core]
IDLE, IN_PROGRESS = TickerStatus.IDLE, TickerStatus.IN_PROGRESS
FAILED, CANCELLED = TickerStatus.FAILED, TickerStatus.CANCELLED
VERBS = pytest.mark.parametrize("verb", ["release", "mark_failed"])
# Where rows are locked one by one.
RACES = ["mariadb", in_verify("postgres"), in_verify("sqlite")]


@pytest.fixture
def core(core: Core) -> Core:
    """A core whose function a live worker has: itself."""
    return enrolled(core)


def die(core: Core, clock: ManualClock) -> None:
    """Let a lease pass without a sign of life of any node."""
    clock.advance(seconds=core.config.lease.total_seconds())


def operator(core: Core) -> RunManager:
    return runs(another_node(core))


def release(core: Core, run_id: UUID) -> Run:
    return operator(core).release(run_id)


def mark_failed(core: Core, run_id: UUID) -> Run:
    return operator(core).mark_failed(run_id)


def test_a_released_run_is_due_at_once_and_has_used_no_retry(core: Core, clock: ManualClock) -> None:
    run = started(core, make_run(core, retries=1))
    die(core, clock)
    shown = operator(core).release(str(run.id), reason="power cut", by="ann")
    assert (shown.status, shown.next_attempt_at, shown.retry_count) == (IDLE, clock.now(), 0)
    row = row_of(core, run.id)
    assert (row.rescue_count, row.running_on) == (1, None)
    (attempt,) = attempts_of(core, run.id)
    assert (attempt.status, attempt.exception_type) == (FAILED, LOST)
    assert attempt.exception_message == (
        f"worker lost: {core.node.name} was last seen 30 s ago; released by ann: power cut"
    )
    assert [each.number for each in claim(core)] == [run.claim_no + 1]


def test_a_run_that_is_marked_as_failed_says_who_did_that_and_why(core: Core, clock: ManualClock) -> None:
    run = started(core, make_run(core, retries=1))
    core.write(nodes.remove, core.node.id)
    shown = operator(core).mark_failed(run.id, reason="power cut", by="ann")
    assert (shown.status, shown.ended_at, shown.retry_count) == (FAILED, clock.now(), 0)
    assert (shown.exception_type, shown.exception_message) == (
        LOST,
        f"worker lost: {core.node.name} is gone; marked as failed by ann: power cut",
    )
    assert [each.status for each in shown.attempts] == [FAILED]


@pytest.mark.parametrize("max_rescues", [0, 3])
@pytest.mark.parametrize("on_lost", list(OnLost))
def test_an_operators_word_counts_whatever_the_function_says_and_however_often_it_was_rescued(
    make_core: MakeCore, clock: ManualClock, on_lost: OnLost, max_rescues: int
) -> None:
    core = enrolled(make_core(send(on_lost=on_lost), max_rescues=max_rescues))
    first, second = (started(core, run_id).id for run_id in make_runs(core, 2))
    die(core, clock)
    assert release(core, first).status is IDLE
    assert mark_failed(core, second).status is FAILED


@VERBS
def test_a_run_of_a_node_that_lives_is_refused_by_its_name_and_its_age(
    core: Core, clock: ManualClock, verb: str
) -> None:
    run = started(core, make_run(core))
    clock.advance(seconds=29)
    said = f"is InProgress on {core.node.name}, which was last seen 29 s ago: it cannot be"
    with pytest.raises(TickerStateError, match=said):
        getattr(operator(core), verb)(run.id)
    assert row_of(core, run.id).status is IN_PROGRESS
    assert attempts_of(core, run.id) == []


@VERBS
def test_what_no_node_runs_is_refused(core: Core, clock: ManualClock, verb: str) -> None:
    waiting, queued, done = make_runs(core, 3)
    claim(core, [queued])
    run = started(core, done)
    finish(core, run, succeeded(run.standing))
    die(core, clock)
    for run_id, status in ((waiting, "Idle"), (queued, "Queued"), (done, "Done")):
        with pytest.raises(TickerStateError, match=f"{run_id} is {status}, and no node runs it"):
            getattr(operator(core), verb)(run_id)
    with pytest.raises(TickerNotFoundError):
        getattr(operator(core), verb)(core.node.id)
    with pytest.raises(TickerValidationError, match="reason"):
        getattr(operator(core), verb)(waiting, reason="x" * 501)


@VERBS
def test_the_late_end_of_a_node_that_was_not_dead_changes_nothing(
    core: Core, clock: ManualClock, verb: str
) -> None:
    run = started(core, make_run(core))
    die(core, clock)
    getattr(operator(core), verb)(run.id)
    before = row_of(core, run.id)
    assert not finish(core, run, succeeded(run.standing))
    assert row_of(core, run.id) == before
    assert [each.exception_type for each in attempts_of(core, run.id)] == [LOST]


def test_what_follows_a_failure_follows(core: Core, clock: ManualClock) -> None:
    children = [
        TimeTicker(function="Send", run_condition=RunCondition.ON_FAILURE),
        TimeTicker(function="Send", run_condition=RunCondition.ON_SUCCESS),
    ]
    head = time_tickers(core).add(TimeTicker(function="Send", children=children)).id
    started(core, head)
    die(core, clock)
    mark_failed(core, head)
    _, failing, succeeding = all_rows(core)
    assert (failing.status, failing.due_at) == (IDLE, clock.now())
    assert succeeding.status is TickerStatus.SKIPPED


def test_a_released_occurrence_keeps_its_overlap_lock_and_one_that_failed_passes_it_on(
    core: Core, clock: ManualClock
) -> None:
    cron_id = make_cron(core, overlap=OverlapPolicy.BUFFER_ALL)
    for _ in range(2):
        clock.advance(hours=1)
        fire(core)
    first, second = (row.id for row in occurrences_of(core, cron_id))
    started(core, first)
    die(core, clock)
    release(core, first)
    started(core, first)
    assert claim(core, [second]) == []
    die(core, clock)
    mark_failed(core, first)
    assert row_of(core, second).due_at == clock.now()


def test_a_failure_by_mark_failed_counts_for_the_pause_by_failures(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, pause_on_failure=1)
    clock.advance(hours=1)
    fire(core)
    (row,) = occurrences_of(core, cron_id)
    started(core, row.id)
    die(core, clock)
    mark_failed(core, row.id)
    assert not cron_row_of(core, cron_id).is_enabled


@VERBS
def test_the_slot_of_a_dead_node_is_free_for_the_next(
    make_core: MakeCore, clock: ManualClock, verb: str
) -> None:
    core = enrolled(make_core(send(max_concurrency=1)))
    first, second = make_runs(core, 2)
    started(core, first)
    assert claim(core) == []
    die(core, clock)
    getattr(operator(core), verb)(first)
    assert row_of(core, second).due_at == clock.now()


@VERBS
def test_a_run_whose_cancel_was_requested_is_cancelled_instead(
    core: Core, clock: ManualClock, verb: str
) -> None:
    run = started(core, make_run(core))
    operator(core).cancel(run.id)
    die(core, clock)
    assert getattr(operator(core), verb)(run.id).status is CANCELLED


@VERBS
def test_a_worker_is_asked_to_call_the_exception_handler_with_what_became_of_the_run(
    core: Core, clock: ManualClock, verb: str
) -> None:
    publisher = ListPublisher()
    run = started(core, make_run(core))
    die(core, clock)
    getattr(runs(core, publisher), verb)(run.id)
    assert publisher.lost == [(run.id, attempts_of(core, run.id)[0].exception_message)]


@pytest.mark.parametrize(("verb", "status"), [("release", IDLE), ("mark_failed", FAILED)])
def test_the_call_of_a_celery_task_is_published_again_at_an_operators_word_only(
    core: Core, clock: ManualClock, verb: str, status: TickerStatus
) -> None:
    publisher = ListPublisher()
    run_id = calls.make_call(core, columns={"on_lost": OnLost.FAIL.value})
    execution = calls.published(core, run_id)
    running = calls.recorder(core).start(execution)
    assert running is not None
    die(core, clock)
    manager = runs(core, publisher)
    assert getattr(manager, verb)(run_id).status is status
    assert publisher.lost == []
    calls.recorder(core).finish(running, succeeded(running.standing), elapsed=None)
    # What its worker reports after all is true of a call that nothing has published again.
    assert row_of(core, run_id).status is (IDLE if status is IDLE else TickerStatus.DONE)


@pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)
@pytest.mark.timeout(60)
@VERBS
def test_a_run_whose_node_is_stalled_in_its_finish_is_busy(core: Core, clock: ManualClock, verb: str) -> None:
    run = started(core, make_run(core))
    die(core, clock)
    with (
        locked(core, tickers, tickers.c.id == run.id),
        pytest.raises(TickerBusyError, match="locked by another process"),
    ):
        getattr(operator(core), verb)(run.id)
    assert row_of(core, run.id).status is IN_PROGRESS


@pytest.mark.parametrize("store_url", RACES, indirect=True)
def test_of_a_finish_a_release_a_failure_and_a_sweep_in_one_moment_one_is_written(
    core: Core, clock: ManualClock
) -> None:
    batch = [started(core, run_id) for run_id in make_runs(core, 8)]
    with processes(core, 4) as (worker, first, second, other):
        beat = Beat(other)
        pass_lease(beat, clock)

        def ask(verb: Callable[[UUID], Run]) -> list[UUID]:
            done = []
            for each in batch:
                try:
                    verb(each.id)
                    done.append(each.id)
                except (TickerStateError, TickerBusyError):
                    continue
            return done

        finished, released, failed, _ = at_once(
            lambda: [each.id for each in batch if finish(worker, each, succeeded(each.standing))],
            lambda: ask(runs(first).release),
            lambda: ask(runs(second).mark_failed),
            lambda: [UUID(str(each)) for each, _ in beat.sweep()],
        )
    for each in batch:
        assert len(attempts_of(core, each.id)) == 1
        assert sum(each.id in those for those in (finished, released, failed)) <= 1
    assert all(row_of(core, each).status is TickerStatus.DONE for each in finished)
    assert all(row_of(core, each).status is FAILED for each in failed)


def test_an_error_of_the_broker_or_of_the_users_router_is_no_failure_of_the_verb(
    core: Core, clock: ManualClock
) -> None:
    class Broken(ListPublisher):
        def publish_lost(self, *_: object, **__: object) -> None:
            raise TickerError("no")

    run = started(core, make_run(core))
    die(core, clock)
    manager = runs(core, Broken())
    assert manager.release(run.id).status is IDLE


@pytest.mark.parametrize(("verb", "status"), [("release", "Idle"), ("mark_failed", "Failed")])
def test_who_did_it_is_in_the_attempt_and_in_the_audit_and_it_is_done_once(
    tickerq: TickerQ, clock: ManualClock, verb: str, status: str
) -> None:
    added = tickerq.time_tickers.add(TimeTicker("Send", delay=60))
    clock.advance(minutes=1)
    run = started(tickerq.core, added.id)
    acting = tickerq.acting_as(Actor("ana", operation_id=new_id()))
    seen = tickerq.runs.get(run.id)
    first = getattr(acting.runs, verb)(run.id, reason="power cut", expected=seen)
    assert "by ana: power cut" in (first.attempts[0].exception_message or "")
    again = getattr(acting.runs, verb)(run.id, reason="power cut", expected=seen)
    assert [each.number for each in again.attempts] == [0]
    (entry,) = tickerq.audit.find()
    assert (entry.action, entry.before["status"], entry.after["status"]) == (
        f"runs.{verb}", "InProgress", status,
    )  # fmt: skip


@pytest.mark.parametrize("verb", ["release", "mark_failed"])
def test_the_audit_has_no_text_of_an_earlier_attempts_error(
    tickerq: TickerQ, clock: ManualClock, verb: str
) -> None:
    core = tickerq.core
    added = tickerq.time_tickers.add(TimeTicker("Send", delay=60, retries=2, retry_intervals=[1]))
    clock.advance(minutes=1)
    assert fail(core, started(core, added.id))
    clock.advance(seconds=1)
    started(core, added.id)
    die(core, clock)
    getattr(tickerq.runs, verb)(added.id)
    (entry,) = tickerq.audit.find()
    assert "no route to host" not in f"{entry.before} {entry.after}"
    assert entry.after["exception_message"] == "changed"


def test_a_run_that_has_changed_since_it_was_seen_is_left(tickerq: TickerQ, clock: ManualClock) -> None:
    seen = tickerq.time_tickers.add(TimeTicker("Send", delay=60))
    clock.advance(minutes=1)
    run = started(tickerq.core, seen.id)
    with pytest.raises(TickerChangedError):
        tickerq.runs.mark_failed(run.id, expected=seen)
    assert tickerq.runs.get(run.id).status is IN_PROGRESS
