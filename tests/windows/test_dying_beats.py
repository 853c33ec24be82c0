"""Who dispatches dies: what it had claimed or published is finished by another beat."""

import signal
from collections.abc import Callable
from uuid import UUID

import pytest

from tests.acceptance.jobs import UNSTAMPED, Jobs, due_in
from tests.acceptance.waiting import wait_until
from tests.tables import tickers
from tests.windows.history import assert_nothing_lost_nothing_doubled, run_ids
from tests.windows.outages import Outage, lose_messages, waiting_messages
from tests.windows.pairs import in_each
from tests.windows.stage import (
    SHORT_LEASE,
    add,
    assert_handler_was_called,
    freeze,
    pass_all_messages,
    start_adder,
    start_beat,
    start_worker,
    wait_for_nodes,
    wait_for_rest,
)
from tests.windows.traps import Trap
from tests.windows.windows import (
    ADDED,
    BATCHES,
    LOST_MESSAGES,
    REFUSED,
    SWEEPS,
    Window,
)

pytestmark = pytest.mark.acceptance
PUBLISHED = tickers.c.published_at.is_not(None)
AGAIN = "publishing again"


@in_each(*BATCHES)
def test_the_batch_of_a_dead_beat_is_published_by_the_other(
    window: Window, trap: Trap, make_quick: Callable[..., Jobs], broker_url: str
) -> None:
    # Nothing but a batch that was left unpublished may need the sweep, however slow the machine is.
    jobs = make_quick(republish_after=60, **({} if window.again else {"publish_check": 60}))
    worker = start_worker(jobs)
    beats = [start_beat(jobs, trap=trap) for _ in range(2)]
    wait_for_nodes(jobs, workers=1, beats=2)
    # So that a message which is published twice waits in the broker twice.
    freeze(jobs, worker)
    ids = add(jobs, 3, execution_time=due_in(0.3))
    victim = trap.wait(*beats)
    assert victim.wait() == -signal.SIGKILL
    wait_until(lambda: jobs.count(PUBLISHED) == 3, jobs.logs)
    worker.signal(signal.SIGCONT)
    wait_for_rest(jobs)
    assert_nothing_lost_nothing_doubled(jobs, dict.fromkeys(ids, window.trail))
    [other] = [beat for beat in beats if beat is not victim]
    pass_all_messages(jobs)
    dropped = window.dropped if broker_url.startswith("tickerq-fs") else window.dropped_of_batch
    assert len(worker.lines("dropped a stale message")) == dropped, worker.log
    again = [line.partition(f"{AGAIN} ")[2].partition(" ")[0] for line in other.lines(AGAIN)]
    assert again == ([str(window.again)] if window.again else []), other.log


@in_each(ADDED)
def test_a_run_whose_adding_process_died_is_started_by_a_beat(
    window: Window, trap: Trap, make_quick: Callable[..., Jobs]
) -> None:
    jobs = make_quick()
    start_worker(jobs)
    start_beat(jobs)
    wait_for_nodes(jobs, workers=1, beats=1)
    adder = start_adder(jobs, trap=trap)
    trap.wait(adder)
    assert adder.wait() == -signal.SIGKILL
    wait_for_rest(jobs)
    assert_nothing_lost_nothing_doubled(jobs, dict.fromkeys(run_ids(jobs), window.trail))
    assert jobs.count() == 1


@in_each(*REFUSED, broker="own_broker")
def test_what_the_broker_did_not_take_is_published_when_it_is_back_and_never_given_back_too_late(
    window: Window, trap: Trap, make_on: Callable[..., Jobs], store_url: str, own_broker: Outage
) -> None:
    jobs = make_on(store_url, own_broker.url)
    start_worker(jobs)
    victim = start_beat(jobs, trap=trap)
    wait_for_nodes(jobs, workers=1, beats=1)
    own_broker.stop()
    ids = add(jobs, 3, execution_time=due_in(0.3))
    trap.wait(victim)
    # Only now, so that the victim has all of them: of what falls due at once, each of two beats may
    # claim a part, and one stopped by a signal may hold SQLite's lock.
    other = start_beat(jobs)
    other.wait_for("beat paused: broker unreachable")
    assert jobs.count(UNSTAMPED) == 3
    own_broker.start()
    wait_for_rest(jobs)
    other.wait_for("beat resumed: broker reachable")
    if window.number is signal.SIGKILL:
        assert victim.wait() == -signal.SIGKILL
    else:
        victim.signal(signal.SIGCONT)
        victim.wait_for("beat resumed: broker reachable")
        assert not victim.lines("a tick failed"), victim.log
    assert_nothing_lost_nothing_doubled(jobs, dict.fromkeys(ids, window.trail))


def lose_three_messages(jobs: Jobs, broker_url: str) -> list[UUID]:
    ids = add(jobs, 3)
    assert waiting_messages(jobs) == jobs.count(PUBLISHED) == 3
    lose_messages(jobs, broker_url)
    return ids


@in_each(LOST_MESSAGES[0])
def test_messages_that_the_broker_lost_are_published_again(
    window: Window, make_quick: Callable[..., Jobs], broker_url: str
) -> None:
    jobs = make_quick()
    start_worker(jobs, "-Q", "elsewhere")  # it makes the function known, and takes no message of it
    wait_for_nodes(jobs, workers=1)
    ids = lose_three_messages(jobs, broker_url)
    start_worker(jobs)
    beat = start_beat(jobs)
    wait_for_rest(jobs)
    assert_nothing_lost_nothing_doubled(jobs, dict.fromkeys(ids, window.trail))
    assert beat.lines(f"{AGAIN} 3 runs")


@pytest.mark.verify
@in_each(LOST_MESSAGES[1])
def test_messages_that_a_dying_beat_took_over_are_published_by_the_other(
    window: Window, trap: Trap, make_quick: Callable[..., Jobs], broker_url: str
) -> None:
    jobs = make_quick(republish_after=0.5)
    start_worker(jobs, "-Q", "elsewhere")
    wait_for_nodes(jobs, workers=1)
    ids = lose_three_messages(jobs, broker_url)
    start_worker(jobs)
    beats = [start_beat(jobs, trap=trap) for _ in range(2)]
    victim = trap.wait(*beats)
    assert victim.wait() == -signal.SIGKILL
    wait_for_rest(jobs)
    assert_nothing_lost_nothing_doubled(jobs, dict.fromkeys(ids, window.trail))
    assert not victim.lines(AGAIN)


@in_each(*SWEEPS)
def test_what_a_dying_beat_was_rescuing_is_finished_by_the_other(
    window: Window, trap: Trap, make_quick: Callable[..., Jobs]
) -> None:
    jobs = make_quick(lease=SHORT_LEASE)
    worker = start_worker(jobs)
    beats = [start_beat(jobs, trap=trap) for _ in range(2)]
    wait_for_nodes(jobs, workers=1, beats=2)
    [dead] = jobs.node_names("worker")
    [hit] = add(jobs, 1, window.request)
    assert worker.wait() == -signal.SIGKILL
    start_worker(jobs)
    victim = trap.wait(*beats)
    assert victim.wait() == -signal.SIGKILL
    wait_for_rest(jobs)
    wait_until(lambda: dead not in jobs.node_names("worker"), jobs.logs)
    assert_nothing_lost_nothing_doubled(jobs, {hit: window.trail})
    [other] = [beat for beat in beats if beat is not victim]
    other.wait_for(f"node {dead} is dead: no heartbeat for one lease")
    assert_handler_was_called(jobs, hit, times=window.handled, beat=other)
