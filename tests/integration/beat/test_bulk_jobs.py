"""Bulk jobs: one action on many runs, in batches of which each is one transaction."""

from datetime import timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, update

from tests.inner import CancelRequest, Core, succeeded
from tests.integration.bulk_jobs import done, make_failed, runner
from tests.integration.locking import locked
from tests.integration.making import (
    ListPublisher,
    at_once,
    bulk,
    crons,
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
)
from tests.manual_clock import ManualClock
from tests.statements import bulk_counts, bulk_runs
from tests.tables import bulk as jobs
from tests.tables import cron_tickers, tickers
from tickerq_celery import TimeTicker
from tickerq_celery.beat.bulk_runner import BulkRunner
from tickerq_celery.enums import BulkState, HoldReason, TickerStatus
from tickerq_celery.errors import TickerStateError, TickerValidationError
from tickerq_celery.runs import bulk_batch
from tickerq_celery.views import BulkJob, Count

EVERY = pytest.mark.every_database


def reasons(job: BulkJob) -> dict[str, int]:
    return {each.reason: each.count for each in job.skips}


def statuses(core: Core, ids: list[UUID]) -> list[TickerStatus]:
    return [row_of(core, each).status for each in ids]


@EVERY
def test_a_retry_starts_each_run_again_that_meets_the_filter(core: Core, clock: ManualClock) -> None:
    failed = make_failed(core, 3)
    (other,) = make_failed(core, 1, tags=["kept"])
    idle = make_run(core)
    clock.advance(minutes=1)
    job = bulk(core).start("retry", status="failed", tag="kept", reason="the mail server is back", by="ann")
    assert (job.state, job.what, job.total) == (BulkState.WAITING, "status=failed, tag=kept", None)
    ended = done(core, job)
    assert (ended.state, ended.changed, ended.skipped) == (BulkState.DONE, 1, 0)
    assert (ended.reason, ended.actor, ended.said_by) == ("the mail server is back", "code", "ann")
    assert statuses(core, [other, *failed, idle]) == [
        TickerStatus.IDLE, *[TickerStatus.FAILED] * 3, TickerStatus.IDLE,
    ]  # fmt: skip
    row = row_of(core, other)
    assert (row.attempts_before, row.retry_count, row.ended_at, row.ended_status) == (1, 0, None, None)
    assert row.due_at == clock.now()


@EVERY
def test_what_failed_again_after_the_jobs_moment_is_not_retried_again(core: Core, clock: ManualClock) -> None:
    first, second = make_failed(core, 2)
    clock.advance(minutes=1)
    by_filter = bulk(core).start("retry", status="failed")
    runs(core).retry(second)
    clock.advance(minutes=1)
    fail(core, started(core, second))
    ended = done(core, by_filter)
    # It is none of those that the filter means, which are shown before a job starts.
    assert (ended.changed, ended.skipped) == (1, 0)
    # Started no earlier: beside a large store its batch would come before the second one of the filter.
    by_id = bulk(core).start("retry", ids=[first, second], as_of=by_filter.as_of)
    assert reasons(done(core, by_id)) == {
        "is Idle: it cannot be retried": 1,
        bulk_batch.ENDED_LATER: 1,
    }
    assert [row_of(core, each).attempts_before for each in (first, second)] == [1, 1]


@EVERY
@pytest.mark.parametrize("action", ["delete", "cancel"])
def test_a_run_that_had_ended_and_is_retried_after_the_jobs_moment_goes_on(
    core: Core, clock: ManualClock, action: Literal["delete", "cancel"]
) -> None:
    (run,) = make_failed(core, 1)
    clock.advance(minutes=1)
    by_filter, by_id = bulk(core).start(action, function="Send"), bulk(core).start(action, ids=[run])
    clock.advance(seconds=1)
    runs(core).retry(run)
    assert done(core, by_filter).changed == 0
    assert reasons(bulk(core).get(by_id.id)) == {bulk_batch.RETRIED_LATER: 1}
    assert row_of(core, run).status is TickerStatus.IDLE


def test_a_run_that_ends_after_the_moment_of_a_deletion_is_not_meant(core: Core, clock: ManualClock) -> None:
    run = make_run(enrolled(core))
    running = started(core, run)
    job = bulk(core).start("delete", everything=True)
    clock.advance(seconds=1)
    fail(core, running)
    ended = done(core, job)
    assert (ended.changed, ended.skipped) == (0, 0)
    assert row_of(core, run).status is TickerStatus.FAILED


def test_a_run_that_is_added_after_the_jobs_moment_is_not_meant(core: Core, clock: ManualClock) -> None:
    clock.advance(minutes=1)
    job = bulk(core).start("cancel", everything=True, as_of=clock.now() - timedelta(seconds=1))
    run = make_run(core)
    named = bulk(core).start("cancel", ids=[run], as_of=clock.now() - timedelta(seconds=1))
    ended = done(core, job)
    assert (ended.changed, ended.skipped) == (0, 0)
    assert reasons(bulk(core).get(named.id)) == {bulk_batch.ADDED_LATER: 1}
    assert row_of(core, run).status is TickerStatus.IDLE


@EVERY
def test_each_run_that_stays_is_counted_with_its_reason(core: Core) -> None:
    keyed, plain = make_failed(core, 1, unique_key="k"), make_failed(core, 1)
    idle, missing = make_run(core, unique_key="k"), uuid4()
    job = bulk(core).start("retry", ids=[str(missing), idle, *keyed, *plain])
    ended = done(core, job)
    assert (ended.state, ended.changed, ended.skipped, ended.total) == (BulkState.DONE, 1, 3, 4)
    assert reasons(ended) == {
        "not found": 1,
        "is Idle: it cannot be retried": 1,
        "another ticker has taken its unique key": 1,
    }
    assert {each for skip in ended.skips for each in skip.examples} == {missing, idle, *keyed}


def test_a_job_goes_on_where_its_last_batch_ended(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_runs, "MOST_LOCKED", 2)
    monkeypatch.setattr(bulk_runs, "MOST_READ", 3)
    failed = make_failed(core, 5)
    make_runs(core, 4)
    job = bulk(core).start("retry", status="failed")
    beat, seen = runner(core), []
    while not beat.step():
        seen.append(bulk(core).get(job.id).changed)
    assert seen[-1] == 5
    assert max(later - earlier for earlier, later in zip([0, *seen], seen, strict=False)) == 2
    assert bulk(core).get(job.id).state is BulkState.DONE
    assert statuses(core, failed) == [TickerStatus.IDLE] * 5


@EVERY
@pytest.mark.row_locks
def test_a_locked_run_is_looked_at_once_more_and_then_skipped(core: Core, clock: ManualClock) -> None:
    if core.database.url.get_backend_name() == "sqlite":
        pytest.skip("has no row locks")
    stuck, freed, free = make_failed(core, 3)
    job = bulk(core).start("retry", status="failed")
    with locked(core, tickers, tickers.c.id == stuck):
        with locked(core, tickers, tickers.c.id == freed):
            assert done(core, job).state is BulkState.RUNNING
        assert (bulk(core).get(job.id).changed, bulk(core).get(job.id).skipped) == (1, 0)
        clock.advance(seconds=1)
        ended = done(core, job)
    assert (ended.state, ended.changed) == (BulkState.DONE, 2)
    assert [(each.reason, each.examples) for each in ended.skips] == [(bulk_batch.LOCKED, (stuck,))]
    assert statuses(core, [stuck, freed, free]) == [
        TickerStatus.FAILED, TickerStatus.IDLE, TickerStatus.IDLE,
    ]  # fmt: skip


def test_occurrences_that_are_retried_wait_for_their_overlap_lock(core: Core, clock: ManualClock) -> None:
    cron = make_cron(enrolled(core), overlap="skip")
    ids = []
    for _ in range(3):
        ids.append(crons(core).run_now(cron).id)
        fail(core, started(core, ids[-1]))
    clock.advance(minutes=1)
    job = bulk(core).start("retry", cron_ticker_id=cron)
    assert done(core, job).changed == 3
    held = [row.held_for for row in occurrences_of(core, cron)]
    assert sorted(held, key=str) == [None, HoldReason.OVERLAP.value, HoldReason.OVERLAP.value]


@pytest.mark.row_locks
def test_a_locked_cron_ticker_keeps_no_job_waiting(core: Core, clock: ManualClock) -> None:
    cron = make_cron(enrolled(core))
    run = crons(core).run_now(cron).id
    fail(core, started(core, run))
    (plain,) = make_failed(core, 1)
    job = bulk(core).start("retry", status="failed")
    if core.database.url.get_backend_name() == "sqlite":
        pytest.skip("has no row locks")
    with locked(core, cron_tickers, cron_tickers.c.id == cron):
        assert done(core, job).changed == 1
        clock.advance(seconds=1)
        assert reasons(done(core, job)) == {bulk_batch.LOCKED: 1}
    assert statuses(core, [plain, run]) == [TickerStatus.IDLE, TickerStatus.FAILED]


@EVERY
def test_a_cancel_ends_what_waits_and_asks_what_runs(core: Core, clock: ManualClock) -> None:
    idle, active = make_runs(enrolled(core), 2)
    run = started(core, active)
    occurrence = crons(core).run_now(make_cron(core)).id
    publisher = ListPublisher()
    job = bulk(core).start("cancel", everything=True, by="ann", reason="wrong month")
    ended = done(core, job, publisher)
    assert (ended.state, ended.changed, ended.skipped) == (BulkState.DONE, 3, 0)
    assert statuses(core, [idle, occurrence, active]) == [
        TickerStatus.CANCELLED, TickerStatus.CANCELLED, TickerStatus.IN_PROGRESS,
    ]  # fmt: skip
    assert row_of(core, active).cancel_request == CancelRequest.END.value
    assert set(publisher.cancelled) == {idle, occurrence}
    said = {row_of(core, each).skipped_reason for each in (idle, occurrence)}
    assert said == {"cancelled before it ran by ann: wrong month"} == {each for _, each in publisher.lost}
    assert publisher.asked == [(active, run.claim_no, False)]


def test_a_cancel_of_a_chains_head_skips_what_is_below_it(core: Core) -> None:
    child = TimeTicker(function="Send", run_condition="on_success")
    head = make_run(core, children=[child])
    ended = done(core, bulk(core).start("cancel", ids=[head]))
    assert ended.changed == 1
    (below,) = runs(core).find(parent_id=head)
    assert below.status is TickerStatus.SKIPPED


@EVERY
def test_a_deletion_takes_what_waits_or_has_ended_with_its_chain(core: Core, clock: ManualClock) -> None:
    (failed,) = make_failed(core, 1)
    head = make_run(core, children=[TimeTicker(function="Send")])
    (child,) = runs(core).find(parent_id=head)
    active = make_run(core)
    started(core, active)
    cron = make_cron(core, overlap="skip")
    holder, waiting = crons(core).run_now(cron).id, crons(core).run_now(cron).id
    clock.advance(minutes=1)
    job = bulk(core).start("delete", ids=[failed, head, active, child.id, holder])
    ended = done(core, job)
    assert (ended.state, ended.changed) == (BulkState.DONE, 4)
    assert reasons(ended) == {"is InProgress: it cannot be deleted, cancel it first": 1}
    assert {run.id for run in runs(core).find()} == {active, waiting}
    assert row_of(core, waiting).held_for is None


def test_a_chain_of_which_a_part_is_active_is_deleted_not_at_all(core: Core, clock: ManualClock) -> None:
    head = make_run(enrolled(core), children=[TimeTicker(function="Send")])
    parent = started(core, head)
    finish(core, parent, succeeded(parent.standing))
    (child,) = runs(core).find(parent_id=head)
    started(core, child.id)
    clock.advance(minutes=1)
    ended = done(core, bulk(core).start("delete", status="done"))
    assert list(reasons(ended)) == [
        "is above one that is InProgress: it cannot be deleted, cancel that one first"
    ]
    assert len(runs(core).find()) == 2


def test_a_terminate_asks_for_the_end_of_the_process(core: Core) -> None:
    active = make_run(enrolled(core))
    started(core, active)
    publisher = ListPublisher()
    done(core, bulk(core).start("terminate", ids=[active]), publisher)
    assert row_of(core, active).cancel_request == CancelRequest.TERMINATE.value
    assert [each[2] for each in publisher.asked] == [True]


@EVERY
def test_two_beats_retry_no_run_twice(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_runs, "MOST_LOCKED", 2)
    failed = make_failed(core, 9)
    clock.advance(minutes=1)
    job = bulk(core).start("retry", status="failed")

    def work(process: Core) -> None:
        beat = BulkRunner(process, ListPublisher())
        while bulk(core).get(job.id).state in (BulkState.WAITING, BulkState.RUNNING):
            beat.step()

    with processes(core, 2) as made:
        at_once(*(lambda each=each: work(each) for each in made))  # type: ignore[misc]
    ended = bulk(core).get(job.id)
    assert (ended.changed, ended.skipped) == (9, 0)
    assert statuses(core, failed) == [TickerStatus.IDLE] * 9


@EVERY
def test_a_batch_that_is_not_committed_is_done_again_and_once(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = make_failed(core, 3)
    clock.advance(minutes=1)
    job = bulk(core).start("retry", status="failed")

    def die(point: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(bulk_batch, "failpoint", die)
        with pytest.raises(KeyboardInterrupt):
            runner(core).step()
    assert (bulk(core).get(job.id).changed, statuses(core, failed)) == (0, [TickerStatus.FAILED] * 3)
    assert done(core, job).changed == 3


def test_a_stopped_job_keeps_what_it_has_done_and_does_no_more(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_runs, "MOST_LOCKED", 2)
    failed = make_failed(core, 5)
    job = bulk(core).start("retry", status="failed")
    runner(core).step()
    stopped = bulk(core).stop(job.id)
    assert (stopped.state, stopped.changed, stopped.has_ended) == (BulkState.STOPPED, 2, True)
    assert done(core, job).changed == 2
    assert statuses(core, failed).count(TickerStatus.FAILED) == 3
    with pytest.raises(TickerStateError, match="is stopped: it cannot be stopped"):
        bulk(core).stop(job.id)


def test_a_job_that_cannot_be_read_fails_and_blocks_no_other(core: Core) -> None:
    (run,) = make_failed(core, 1)
    newer, stranger, other = (bulk(core).start("retry", status="failed") for _ in range(3))
    good = bulk(core).start("retry", ids=[run])

    def spoil(connection: Connection) -> None:
        edit = update(jobs).where(jobs.c.id == newer.id).values(wanted={"colour": "red"})
        connection.execute(edit)
        edit = update(jobs).where(jobs.c.id == stranger.id).values(wanted={"status": ["asleep"]})
        connection.execute(edit)

        connection.execute(update(jobs).where(jobs.c.id == other.id).values(action="praise"))

    core.database.write(spoil)
    assert done(core, good).changed == 1
    errors = [bulk(core).get(each.id).error for each in (newer, stranger)]
    assert [bulk(core).get(each.id).state for each in (newer, stranger)] == [BulkState.FAILED] * 2
    assert (bulk(core).get(other.id).state, bulk(core).get(other.id).action) == (BulkState.FAILED, "praise")
    assert "this version has no such filter" in (errors[0] or "")
    assert "pass one of idle" in (errors[1] or "")


def test_two_jobs_take_turns(core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_runs, "MOST_LOCKED", 1)
    first, second = make_failed(core, 4, tags=["a"]), make_failed(core, 4, tags=["b"])
    these = [bulk(core).start("retry", ids=ids) for ids in (first, second)]
    beat = runner(core)
    for _ in range(4):
        clock.advance(seconds=1)
        beat.step()
    assert [bulk(core).get(each.id).changed for each in these] == [2, 2]


def test_a_job_of_another_namespace_is_left_alone(core: Core, make_core: Any) -> None:
    (run,) = make_failed(core, 1)
    other = make_core(namespace=f"{core.config.namespace}-b")
    job = bulk(other).start("retry", ids=[run])
    assert bulk(core).find() == bulk(core).find(state="waiting")
    assert len(bulk(core).find()) == 0
    runner(core).step()
    assert bulk(other).get(job.id).state is BulkState.WAITING
    assert reasons(done(other, job)) == {"not found": 1}


def test_what_a_filter_excludes_is_left_alone(core: Core) -> None:
    make_failed(core, 2, tags=["kept"])
    (other,) = make_failed(core, 1)
    job = bulk(core).start("retry", status="failed", exclude={"tag": "kept"})
    assert job.what == "status=failed, not (tag=kept)"
    assert done(core, job).changed == 1
    assert row_of(core, other).status is TickerStatus.IDLE


def test_a_count_says_how_many_a_job_would_look_at(core: Core) -> None:
    make_failed(core, 3)
    make_runs(core, 2)
    manager = bulk(core)
    assert manager.count("retry", everything=True) == Count(3)
    assert manager.count("cancel", everything=True) == Count(2)
    assert manager.count("delete", everything=True) == Count(5)
    assert manager.count("retry", status="idle") == Count(0)
    assert manager.count("retry", status="failed", limit=2) == Count(2)


def test_a_count_of_what_has_ended_looks_at_nothing_that_waits(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = core.clock.now()
    make_runs(core, 5)
    monkeypatch.setattr(bulk_counts, "MOST_COUNTED", 3)
    counted = bulk(core).count("delete", ended_from=since, function="Nobody's")
    assert (counted.number, counted.is_partial) == (0, False)
    assert bulk(core).count("delete", tag="none").is_partial


@pytest.mark.every_database
def test_a_count_looks_at_so_many_runs_and_says_that_there_may_be_more(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_failed(core, 2, tags=["eu"])
    clock.advance(minutes=1)
    make_failed(core, 2)
    # Of a function that no other test of this database has.
    own = core.config.namespace
    renamed = update(tickers).where(tickers.c.namespace == own).values(function=own)
    core.write(lambda tx: tx.execute(renamed))
    manager = bulk(core)
    whole = manager.count("retry", tag="eu", function=own)
    assert (whole.number, whole.is_partial) == (2, False)
    monkeypatch.setattr(bulk_counts, "MOST_COUNTED", 3)
    counted = manager.count("retry", tag="eu", function=own)
    assert (counted.number, counted.is_partial, str(counted)) == (1, True, "1+")
    enough = manager.count("retry", tag="eu", function=own, limit=1)
    assert (enough.number, enough.is_partial) == (1, False)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({}, "pass one of ids=, filters and everything=True"),
        ({"exclude": {}}, "pass one of ids=, filters and everything=True"),
        ({"routed": "Mail"}, "routed: it needs `queue`, pass both"),
        ({"exclude": {"routed": "Mail"}}, "exclude.routed: it needs `queue`, pass both"),
        ({"ids": [], "status": "failed"}, "pass one of ids=, filters and everything=True"),
        ({"everything": True, "status": "failed"}, "pass one of ids=, filters and everything=True"),
        ({"ids": []}, "ids: pass from 1 to 10,000 ids"),
        ({"ids": "abc"}, "ids: pass a list of ids"),
        ({"ids": ["abc"]}, "ids: pass a UUID"),
        ({"colour": "red"}, "colour"),
        ({"status": "asleep"}, "status"),
        ({"everything": True, "reason": 3}, "reason"),
    ],
)
def test_a_job_that_means_nothing_is_refused_and_not_stored(
    core: Core, asked: dict[str, Any], text: str
) -> None:
    with pytest.raises(TickerValidationError, match=text):
        bulk(core).start("retry", **asked)
    assert len(bulk(core).find()) == 0


def test_a_moment_to_come_is_refused(core: Core, clock: ManualClock) -> None:
    with pytest.raises(TickerValidationError, match="as_of"):
        bulk(core).start("retry", everything=True, as_of=clock.now() + timedelta(seconds=1))
