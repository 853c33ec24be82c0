"""Why a claimed run does not run, and that one in progress or at its end does not wait."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.inner import Claim, Core, skipped, succeeded
from tests.integration.beats import Beat, pass_lease
from tests.integration.conftest import send
from tests.integration.health.explaining import causes, explain, only, with_beat
from tests.integration.making import (
    another_node,
    claim,
    enrolled,
    fail,
    finish,
    make_run,
    runs,
    started,
    storing,
)
from tests.integration.runs import calls
from tests.manual_clock import ManualClock
from tests.plain_surroundings import PlainSurroundings
from tests.statements import lost_nodes, nodes, publications
from tickerq_celery import TimeTicker
from tickerq_celery.enums import OnLost, TickerStatus
from tickerq_celery.typing import PauseManager
from tickerq_celery.views import WaitCause

MakeCore = Callable[..., Core]
PUBLISHED = "It was published 2026-01-15 12:00:00Z to queue"


def publish(core: Core, run_id: UUID) -> Claim:
    """Claim and stamp a due run, whose message goes to no broker."""
    (taken,) = claim(core, [run_id])
    core.write(publications.stamp, [taken], check_after=timedelta(minutes=5))
    return taken


def test_a_message_that_is_not_known_to_have_reached_the_broker(core: Core, clock: ManualClock) -> None:
    with_beat(enrolled(core))
    run_id = make_run(core)
    claim(core)
    wait = only(core, run_id, WaitCause.PUBLICATION)
    assert wait.text == (
        f"It was claimed by {core.node.name} 2026-01-15 12:00:00Z, and its message is not known to have "
        "reached the broker. Unless that comes about, a sweep publishes it at 2026-01-15 12:00:10Z, in 10 s."
    )
    clock.advance(seconds=6)
    broken = explain(core, run_id, PlainSurroundings(error="does not answer: refused"))
    assert [wait.cause for wait in broken.waits] == [WaitCause.BROKER, WaitCause.PUBLICATION]


def test_a_queue_that_no_live_worker_consumes(core: Core) -> None:
    with_beat(enrolled(core))
    run_id = make_run(core, queue="mail")
    publish(core, run_id)
    wait = only(core, run_id, WaitCause.QUEUE)
    assert wait.text == (
        f"{PUBLISHED} mail, which no live worker consumes. Alive: {core.node.name} (queues celery)."
    )
    assert wait.remedy == "start a worker for it, `celery -A yourapp worker -Q mail`"
    assert explain(core, run_id).summary == "Waits for a worker that consumes queue mail"


def test_a_silent_worker_of_its_queue_is_named(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    run_id = make_run(core)
    publish(core, run_id)
    clock.advance(seconds=26)
    with_beat(core)
    wait = only(core, run_id, WaitCause.QUEUE)
    assert wait.text == (
        f"{PUBLISHED} celery, which no live worker consumes. No worker is alive. "
        f"Silent or shutting down, of those that consume it: {core.node.name} (since 2026-01-15 12:00:00Z)."
    )


def test_a_worker_of_its_queue_that_was_found_dead_is_named(core: Core, clock: ManualClock) -> None:
    run_id = make_run(core)
    publish(enrolled(core), run_id)
    beat = Beat(another_node(core))
    for _ in range(2):
        pass_lease(beat, clock)
    with_beat(core)
    text = explain(core, run_id).waits[0].text
    assert text.endswith(
        f"Found dead in the last day: {core.node.name} (last heartbeat 2026-01-15 12:00:00Z)."
    )
    clock.advance(hours=25)
    assert "Found dead" not in explain(core, run_id).waits[0].text


def test_a_worker_that_is_to_start_it(core: Core, clock: ManualClock) -> None:
    with_beat(enrolled(core))
    first = make_run(core)
    publish(core, first)
    clock.advance(seconds=1)
    run_id = make_run(core)
    publish(core, run_id)
    wait = only(core, run_id, WaitCause.WORKER)
    assert wait.text == (
        "It was published 2026-01-15 12:00:01Z to queue celery, and no worker has started it. "
        f"1 unstarted run comes before it. Live workers: {core.node.name} (0 of 2 in progress). "
        "One may be busy, or keep it among its prefetched messages. "
        "A sweep publishes it again at 2026-01-15 12:05:01Z, in 5 min."
    )
    assert wait.until == clock.now() + timedelta(minutes=5)


def test_a_worker_of_its_queue_that_lacks_its_function(make_core: MakeCore) -> None:
    core = with_beat(enrolled(make_core(send())))
    run_id = make_run(core, queue="mail")
    publish(core, run_id)
    other = another_node(make_core(send("Other")))
    enrolled(other, queues=("mail",))
    wait = only(core, run_id, WaitCause.FUNCTION)
    assert wait.text == f"No worker of queue mail has function Send: {other.node.name} would return it."


def test_a_route_that_raises(core: Core) -> None:
    with_beat(enrolled(core))
    run_id = make_run(core)
    publish(core, run_id)
    (wait,) = explain(core, run_id, PlainSurroundings(routes={"Send": ValueError("no such exchange")})).waits
    assert wait.cause is WaitCause.QUEUE
    assert "cannot be found out: ValueError: no such exchange" in wait.text


def test_consumers_on_another_broker(core: Core, clock: ManualClock) -> None:
    with_beat(enrolled(core, broker="redis://here/0"))
    run_id = make_run(core)
    (taken,) = claim(another_node(core), [run_id])
    core.write(publications.stamp, [taken], check_after=timedelta(minutes=5))
    clock.advance(seconds=6)
    found = explain(core, run_id, PlainSurroundings(address="redis://there/0"))
    assert [wait.cause for wait in found.waits] == [WaitCause.BROKER, WaitCause.WORKER]
    assert f"{core.node.name} (broker redis://here/0)" in found.waits[0].text
    same = explain(core, run_id, PlainSurroundings(address="redis://here/0"))
    assert [wait.cause for wait in same.waits] == [WaitCause.WORKER]


def test_the_report_of_a_celery_task(core: Core, clock: ManualClock) -> None:
    with_beat(enrolled(core))
    run_id = calls.make_call(core)
    calls.published(core, run_id)
    wait = only(core, run_id, WaitCause.REPORT)
    assert wait.text == (
        "It is the call of a Celery task, published 2026-01-15 12:00:00Z: what Celery says of it is all that "
        f"is known. Live workers that may report it: {core.node.name}. "
        "Unless one does, a sweep ends it as Done, its outcome unknown, at 2026-01-15 12:05:00Z, in 5 min."
    )


def test_the_report_that_children_wait_for_and_none_would_make(core: Core) -> None:
    with_beat(enrolled(core))
    run_id = calls.make_call(core, queue="far", children=[TimeTicker(function="Send")])
    calls.published(core, run_id)
    wait = only(core, run_id, WaitCause.REPORT)
    assert wait.text.endswith(
        "No live worker of this namespace consumes queue far and would report it. "
        "Its children wait for that report, however long it takes."
    )
    assert wait.until is None


def test_one_in_progress_does_not_wait(core: Core, clock: ManualClock) -> None:
    with_beat(enrolled(core))
    run_id = make_run(core)
    started(core, run_id)
    clock.advance(seconds=5)
    found = explain(core, run_id)
    assert (found.waits, found.status) == ((), TickerStatus.IN_PROGRESS)
    assert found.summary == f"In progress on {core.node.name} since 2026-01-15 12:00:00Z"
    assert found.detail == (
        f"It does not wait: it is in progress on {core.node.name} since 2026-01-15 12:00:00Z, for 5 s."
    )
    runs(core).cancel(run_id)
    found = explain(core, run_id)
    assert "a cancel was requested" in found.summary
    assert found.remedy == f"`tickerq cancel --terminate {run_id}` kills its process"


@pytest.mark.parametrize(
    ("options", "then"),
    [
        ({}, "With its rescue it starts again."),
        ({"on_lost": OnLost.FAIL}, "With its rescue it ends as Failed (on_lost)."),
    ],
)
def test_the_rescue_of_one_whose_worker_is_silent_or_dead_or_gone(
    make_core: MakeCore, clock: ManualClock, options: dict[str, OnLost], then: str
) -> None:
    core = enrolled(make_core(send(**options)))
    run_id = make_run(core)
    started(core, run_id)
    clock.advance(seconds=26)
    with_beat(core)

    def told() -> tuple[str, str, datetime | None]:
        wait = only(core, run_id, WaitCause.RESCUE)
        return wait.text, wait.remedy or "", wait.until

    by = datetime(2026, 1, 15, 12, 1, 26, tzinfo=UTC)
    verbs = f"`tickerq release {run_id}` starts it again at once"
    is_silent = f"Its worker {core.node.name} is silent, without a heartbeat since 2026-01-15 12:00:00Z"
    text, remedy, until = told()
    assert text == (
        f"{is_silent}: unless it sends a heartbeat again, a beat rescues it by 2026-01-15 12:01:26Z. {then}"
    )
    assert (until, remedy.startswith(f"once it is dead, {verbs}")) == (by, True)
    clock.advance(seconds=5)
    text, remedy, until = told()
    assert text.endswith(f"12:00:00Z: a beat rescues it by 2026-01-15 12:01:26Z. {then}")
    assert (until, remedy) == (
        by,
        f"{verbs}, `tickerq mark-failed {run_id}` ends it; "
        "if no beat rescues it by then, the log of a beat says why",
    )
    core.write(nodes.remove, core.node.id)
    text, _, until = told()
    assert (text, until) == (
        f"Its worker {core.node.name} is gone: a beat rescues it by 2026-01-15 12:01:26Z. {then}",
        by,
    )
    assert explain(core, run_id).summary.startswith("Waits for its rescue: its worker test@")


def test_the_rescue_of_one_whose_worker_was_found_dead_counts_from_then(
    core: Core, clock: ManualClock
) -> None:
    enrolled(core)
    run_id = make_run(core)
    started(core, run_id)
    with_beat(enrolled(another_node(core)))
    clock.advance(seconds=20)
    core.write(lost_nodes.record, core.node.id, found_by="beat-1")
    core.write(nodes.remove, core.node.id)
    text = only(core, run_id, WaitCause.RESCUE).text
    assert "is gone: a beat rescues it by 2026-01-15 12:01:20Z." in text


def test_no_beat_would_rescue_it(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    run_id = make_run(core)
    started(core, run_id)
    clock.advance(seconds=26)
    assert causes(core, run_id) == [WaitCause.RESCUE, WaitCause.BEAT]


def test_how_it_ended_and_who_may_let_it_start_again(core: Core) -> None:
    with_beat(enrolled(core))
    failed_id, skipped_id, done_id = make_run(core), make_run(core), make_run(core)
    fail(core, started(core, failed_id))
    skips = started(core, skipped_id)
    finish(core, skips, skipped(skips.standing, "no mail today"))
    done = started(core, done_id)
    finish(core, done, succeeded(done.standing))
    found = explain(core, failed_id)
    assert found.summary == "Failed 2026-01-15 12:00:00Z: builtins.OSError"
    assert found.detail == (
        f"It waits for nothing: it ended as Failed 2026-01-15 12:00:00Z on {core.node.name}. "
        "Its last attempt failed with builtins.OSError: no route to host."
    )
    assert found.remedy == f'`tickerq retry {failed_id}`, or `runs.retry("{failed_id}")`, lets it start again'
    assert "no mail today" in explain(core, skipped_id).summary
    assert explain(core, done_id).remedy is None


def test_a_retry_would_wait_for_the_end_of_a_pause_and_for_a_worker(core: Core) -> None:
    with_beat(enrolled(core))
    run_id = make_run(core, tags=["eu"])
    fail(core, started(core, run_id))
    found = explain(core, run_id)
    assert (found.retry_waits, found.needs_other_request) == ((), False)
    PauseManager(storing(core)).pause(tag="eu", by="ann")
    core.write(nodes.remove, core.node.id)
    found = explain(core, run_id)
    assert [wait.cause for wait in found.retry_waits] == [WaitCause.PAUSE, WaitCause.FUNCTION]
    assert "Tag eu is paused" in found.retry_waits[0].text
    assert not found.is_waiting


def test_an_end_that_is_its_publication(core: Core) -> None:
    run_id = calls.make_call(core)
    calls.published(core, run_id)
    found = explain(core, run_id)
    assert found.status is TickerStatus.DONE
    assert found.detail is not None
    assert "and no worker reported what became of it." in found.detail
