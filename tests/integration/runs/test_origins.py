"""What a run's row says of where it comes from, since when it is held, and which node ended it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.inner import Claimer, Core, succeeded
from tests.integration.conftest import send
from tests.integration.cron.firing import fire
from tests.integration.making import (
    all_rows,
    another_node,
    claim,
    crons,
    enrolled,
    fail,
    finish,
    make_cron,
    make_run,
    make_runs,
    occurrences_of,
    row_of,
    runs,
    started,
    time_tickers,
)
from tests.manual_clock import START, ManualClock
from tickerq_celery import TimeTicker
from tickerq_celery.enums import HoldReason, Origin, OverlapPolicy, RunCondition, TickerPriority, TickerStatus

HOUR = timedelta(hours=1)
MakeCore = Callable[..., Core]


@pytest.fixture
def core(make_core: MakeCore) -> Core:
    """A core with a live worker that has ``Send``."""
    return enrolled(make_core(send()))


def chain(*children: TimeTicker, **fields: Any) -> TimeTicker:
    return TimeTicker("Send", children=children, **fields)


def hold(core: Core, clock: ManualClock) -> Any:
    """Have a run that no worker has held, and return its row."""
    run_id = make_run(core, "Unknown")
    clock.advance(minutes=1)
    claim(core)
    return row_of(core, run_id)


@pytest.mark.every_database
def test_each_run_says_what_made_it(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, children=[TimeTicker("Send")])
    added = time_tickers(core).add(chain(TimeTicker("Send")))
    clone = time_tickers(core).clone(added.id, children=[TimeTicker("Send")])
    manual = crons(core).run_now(cron_id)
    (backfilled, *_) = crons(core).backfill(cron_id, START - HOUR, START)
    crons(core).skip_next(cron_id)
    clock.advance(hours=4)
    fire(core)
    origins = {row.id: row.origin for row in all_rows(core)}
    assert (origins[added.id], origins[clone.id]) == (Origin.ADDED, Origin.CLONE)
    assert (origins[manual.id], origins[backfilled.id]) == (Origin.MANUAL, Origin.BACKFILL)
    by_instant = {row.instant: row for row in occurrences_of(core, cron_id)}
    assert by_instant[START + HOUR].origin == Origin.SKIP
    assert by_instant[START + 4 * HOUR].origin == Origin.CRON
    assert {row.origin for row in all_rows(core) if row.parent_id is not None} == {Origin.CHAIN}
    assert (added.origin, clone.origin, manual.origin) == (Origin.ADDED, Origin.CLONE, Origin.MANUAL)


def test_the_record_of_missed_instants_comes_from_a_misfire(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, misfire="skip")
    clock.advance(hours=4)
    fire(core)
    (record,) = [row for row in occurrences_of(core, cron_id) if row.instant is None]
    assert (record.origin, record.root_id) == (Origin.MISFIRE, None)


def test_a_clone_names_its_original(core: Core) -> None:
    original = time_tickers(core).add(TimeTicker("Send"))
    clone = time_tickers(core).clone(original.id)
    again = runs(core).get(clone.id)
    assert (original.cloned_from, clone.cloned_from, again.cloned_from) == (None, original.id, original.id)


def test_all_of_a_chain_names_its_head(core: Core) -> None:
    alone = time_tickers(core).add(TimeTicker("Send"))
    head = time_tickers(core).add(chain(chain(chain(TimeTicker("Send"))), TimeTicker("Send")))
    assert (alone.root_id, head.root_id) == (None, head.id)
    assert {row.root_id for row in all_rows(core) if row.id != alone.id} == {head.id}


def test_an_occurrences_chain_names_the_occurrence(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, children=[chain(TimeTicker("Send"))])
    clock.advance(hours=1)
    fire(core)
    (occurrence,) = occurrences_of(core, cron_id)
    assert [row.root_id for row in all_rows(core)] == [occurrence.id] * 3


def test_a_hold_says_since_when(core: Core, clock: ManualClock) -> None:
    row = hold(core, clock)
    assert (row.held_for, row.held_since) == (HoldReason.FUNCTION, START + timedelta(minutes=1))
    run = runs(core).get(row.id)
    assert (run.hold_key, run.held_since) == ("Unknown", START + timedelta(minutes=1))


def test_what_is_released_or_cancelled_is_held_since_no_moment(
    core: Core, make_core: MakeCore, clock: ManualClock
) -> None:
    released, ended = hold(core, clock).id, hold(core, clock).id
    runs(core).cancel(ended)
    enrolled(another_node(make_core(send("Unknown"))))
    core.write(Claimer(core).release_holds)
    assert (row_of(core, released).held_for, row_of(core, released).held_since) == (None, None)
    assert (row_of(core, ended).held_for, row_of(core, ended).held_since) == (None, None)


def test_a_child_is_held_since_it_was_added_and_no_longer_once_it_may_run(
    core: Core, clock: ManualClock
) -> None:
    head = time_tickers(core).add(chain(TimeTicker("Send", run_condition=RunCondition.ON_SUCCESS)))
    (child,) = runs(core).find(parent_id=head.id)
    assert (child.held_since, child.hold_key) == (START, str(head.id))
    clock.advance(minutes=1)
    run = started(core, head.id)
    assert finish(core, run, succeeded(run.standing))
    assert (row_of(core, child.id).held_for, row_of(core, child.id).held_since) == (None, None)


def test_what_waits_for_the_overlap_lock_is_held_since_its_instant_came(
    core: Core, clock: ManualClock
) -> None:
    cron_id = make_cron(core, overlap=OverlapPolicy.BUFFER_ALL)
    for _ in range(2):
        clock.advance(hours=1)
        fire(core)
    _, waiting = occurrences_of(core, cron_id)
    assert (waiting.held_for, waiting.held_since) == (HoldReason.OVERLAP, START + 2 * HOUR)


def test_what_waits_for_a_rate_still_waits_since_it_was_first_held(
    make_core: MakeCore, clock: ManualClock
) -> None:
    core = enrolled(make_core(send(rate_limit="1/m")))
    _, waiting = make_runs(core, 2)
    claim(core)
    clock.advance(minutes=1)
    urgent, other = make_run(core, priority=TickerPriority.HIGH), make_run(core)
    assert [each.id for each in claim(core)] == [urgent]
    assert (row_of(core, waiting).held_since, row_of(core, other).held_since) == (START, clock.now())


@pytest.mark.every_database
def test_an_end_names_the_node_that_ran_it_until_it_is_retried(core: Core) -> None:
    worker = another_node(core)
    run_id = make_run(core)
    run = started(worker, run_id)
    assert row_of(core, run_id).ended_on is None
    assert fail(worker, run)
    assert row_of(core, run_id).ended_on == worker.node.name
    runs(core).retry(run_id)
    assert row_of(core, run_id).ended_on is None


def test_a_retry_that_is_cancelled_while_it_waits_names_the_node_of_its_last_attempt(core: Core) -> None:
    worker = another_node(core)
    run_id = make_run(core, retries=1, retry_intervals=[60])
    assert fail(worker, started(worker, run_id))
    assert row_of(core, run_id).status is TickerStatus.IDLE
    runs(core).cancel(run_id)
    assert row_of(core, run_id).ended_on == worker.node.name


def test_what_was_claimed_and_never_ran_ended_on_no_node(core: Core) -> None:
    run_id = make_run(core)
    claim(core)
    assert row_of(core, run_id).lock_holder is not None
    runs(core).cancel(run_id)
    assert (row_of(core, run_id).status, row_of(core, run_id).ended_on) == (TickerStatus.CANCELLED, None)
