"""Deleting runs of either type: what is active stays, and so does what is claimed in that very moment."""

from uuid import UUID, uuid4

import pytest

from tests.inner import Core, new_id, succeeded
from tests.integration.cron.firing import fire
from tests.integration.locking import locked
from tests.integration.making import (
    ON_SERVERS,
    all_rows,
    at_once,
    attempts_of,
    claim,
    crons,
    enrolled,
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
from tests.manual_clock import ManualClock
from tests.tables import tickers
from tests.thoroughness import in_verify
from tickerq_celery import RunCondition, TickerQ, TimeTicker
from tickerq_celery.enums import HoldReason, OverlapPolicy, TickerStatus
from tickerq_celery.errors import (
    OperationReusedError,
    TickerBusyError,
    TickerChangedError,
    TickerNotFoundError,
    TickerStateError,
)
from tickerq_celery.views import Actor

ALWAYS = RunCondition.ON_ANY_COMPLETED_STATUS
# Where rows are locked one by one.
RACES = ["mariadb", in_verify("postgres"), in_verify("sqlite")]


@pytest.fixture
def core(core: Core) -> Core:
    """A core whose function a live worker has."""
    return enrolled(core)


def child(*children: TimeTicker, on: RunCondition = ALWAYS) -> TimeTicker:
    return TimeTicker(function="Send", run_condition=on, children=children)


def ids(core: Core) -> set[UUID]:
    return {row.id for row in all_rows(core)}


def ended(core: Core, run_id: UUID) -> UUID:
    run = started(core, run_id)
    assert finish(core, run, succeeded(run.standing))
    return run_id


def test_an_ended_run_goes_with_its_attempts(core: Core) -> None:
    run = started(core, make_run(core))
    finish(core, run, succeeded(run.standing))
    runs(core).delete(str(run.id))
    assert (ids(core), attempts_of(core, run.id)) == (set(), [])
    with pytest.raises(TickerNotFoundError, match="no run has the id"):
        runs(core).delete(run.id)


def test_runs_of_both_types_go_that_wait_are_held_or_have_ended_and_are_counted(core: Core) -> None:
    cron_id = make_cron(core)
    occurrence = crons(core).run_now(cron_id).id
    ended(core, occurrence)
    waiting, done, kept = make_runs(core, 3)
    ended(core, done)
    held = time_tickers(core).add(TimeTicker(function="Elsewhere"), allow_unknown=True).id
    claim(core, [held])
    assert row_of(core, held).held_for == HoldReason.FUNCTION.value
    assert runs(core).delete_batch([occurrence, waiting, done, held, uuid4()]) == 4
    assert ids(core) == {kept}
    assert runs(core).delete_batch([]) == 0


@pytest.mark.parametrize("is_started", [False, True])
def test_an_active_run_is_refused_and_none_of_its_batch_goes(core: Core, is_started: bool) -> None:
    waiting, active = make_runs(core, 2)
    if is_started:
        started(core, active)
    else:
        claim(core, [active])
    status = "InProgress" if is_started else "Queued"
    with pytest.raises(
        TickerStateError, match=f"{active} is {status}: it cannot be deleted, cancel it first"
    ):
        runs(core).delete_batch([waiting, active])
    assert ids(core) == {waiting, active}


def test_a_run_is_refused_while_one_at_any_depth_below_it_is_active(core: Core) -> None:
    head = time_tickers(core).add(TimeTicker(function="Send", children=[child(child())])).id
    (first,) = [row.id for row in all_rows(core) if row.parent_id == head]
    (second,) = [row.id for row in all_rows(core) if row.parent_id == first]
    for each in (head, first):
        ended(core, each)
    run = started(core, second)
    with pytest.raises(TickerStateError, match=f"{head} is above {second}, which is InProgress") as caught:
        runs(core).delete(head)
    assert caught.value.ticker_id == head
    assert len(ids(core)) == 3
    finish(core, run, succeeded(run.standing))
    assert runs(core).delete_batch([second, head]) == 2
    assert ids(core) == set()


def test_a_child_goes_alone(core: Core) -> None:
    head = time_tickers(core).add(TimeTicker(function="Send", children=[child()])).id
    (below,) = ids(core) - {head}
    runs(core).delete(below)
    assert ids(core) == {head}
    assert ended(core, head) == head


def test_an_occurrence_that_waits_passes_its_overlap_lock_on(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, overlap=OverlapPolicy.BUFFER_ALL)
    for _ in range(2):
        clock.advance(hours=1)
        fire(core)
    first, second = occurrences_of(core, cron_id)
    assert second.held_for == HoldReason.OVERLAP.value
    runs(core).delete(first.id)
    assert [each.id for each in claim(core)] == [second.id]


def test_the_instant_of_a_deleted_occurrence_can_be_backfilled_again(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core)
    clock.advance(hours=1)
    fire(core)
    (row,) = occurrences_of(core, cron_id)
    ended(core, row.id)
    runs(core).delete(row.id)
    clock.advance(minutes=1)
    (again,) = crons(core).backfill(cron_id, row.instant, clock.now())
    assert row_of(core, again.id).instant == row.instant


@pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)
@pytest.mark.timeout(60)
def test_what_another_process_has_locked_is_busy_and_nothing_goes(core: Core) -> None:
    head = time_tickers(core).add(TimeTicker(function="Send", children=[child()])).id
    (below,) = ids(core) - {head}
    other = make_run(core)
    with (
        locked(core, tickers, tickers.c.id == below),
        pytest.raises(TickerBusyError, match=f"{head} is locked by another process: it was not deleted"),
    ):
        runs(core).delete_batch([head, other])
    assert ids(core) == {head, below, other}


@pytest.mark.parametrize("store_url", RACES, indirect=True)
def test_what_is_claimed_in_that_moment_is_never_deleted(core: Core) -> None:
    batch = make_runs(core, 40)

    def delete(process: Core) -> list[UUID]:
        gone = []
        for each in batch:
            try:
                runs(process).delete(each)
                gone.append(each)
            except (TickerStateError, TickerBusyError):
                continue
        return gone

    def take(process: Core) -> list[UUID]:
        return [each.id for _ in range(10) for each in claim(process, batch[::-1])]

    with processes(core, 2) as (first, second):
        deleted, claimed = at_once(lambda: delete(first), lambda: take(second))
    assert not set(deleted) & set(claimed)
    assert ids(core) == set(batch) - set(deleted)
    assert {row.id for row in all_rows(core) if row.status is TickerStatus.QUEUED} == set(claimed)


def test_a_deletion_says_what_went_with_its_chain_and_who_wanted_it(tickerq: TickerQ) -> None:
    head = tickerq.time_tickers.add(TimeTicker("Send", delay=60, children=[TimeTicker("Send")]))
    (below,) = tickerq.runs.find(parent_id=head.id)
    tickerq.acting_as(Actor("ana")).runs.delete(head.id, reason="a test", by="Ben")
    (entry,) = tickerq.audit.find()
    assert (entry.action, entry.object_id, entry.actor) == ("runs.delete", str(head.id), "ana")
    assert (entry.said_by, entry.reason, entry.count) == ("Ben", "a test", 2)
    assert set(entry.ids) == {head.id, below.id}
    assert entry.before == {"function": "Send", "description": None, "status": "Idle"}


def test_a_deletion_that_is_submitted_twice_is_done_once_and_counts_the_same(tickerq: TickerQ) -> None:
    batch = [run.id for run in tickerq.time_tickers.add_batch([TimeTicker("Send", delay=60)] * 2)]
    acting = tickerq.acting_as(Actor("ana", operation_id=new_id()))
    asked = [*batch, uuid4()]
    assert [acting.runs.delete_batch(asked) for _ in range(2)] == [2, 2]
    with pytest.raises(OperationReusedError):
        acting.runs.delete_batch(batch)


def test_a_run_that_has_changed_since_it_was_seen_is_not_deleted(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    seen = tickerq.time_tickers.add(TimeTicker("Send", delay=60))
    clock.advance(seconds=1)
    current = tickerq.time_tickers.update(seen.id, description="another")
    with pytest.raises(TickerChangedError) as caught:
        tickerq.runs.delete(seen.id, expected=seen)
    assert caught.value.current == current
    tickerq.runs.delete(seen.id, expected=current.version)
    with pytest.raises(TickerNotFoundError):
        tickerq.runs.delete(seen.id)
