"""Why a run does not run: each cause of an Idle run, made on a real store, and read as its sentence."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.inner import Core, NodeRegistration, new_id, profile, succeeded
from tests.integration.conftest import send
from tests.integration.cron.firing import fire
from tests.integration.health.explaining import causes, explain, only, with_beat
from tests.integration.locking import locked
from tests.integration.making import (
    ON_SERVERS,
    claim,
    crons,
    enrolled,
    fail,
    finish,
    make_cron,
    make_run,
    occurrences_of,
    runs,
    start,
    started,
    statements_of,
    storing,
    time_tickers,
)
from tests.integration.runs import calls
from tests.manual_clock import ManualClock
from tests.plain_surroundings import PlainSurroundings
from tests.plans.explaining import queries
from tests.statements import nodes, publications
from tests.tables import tickers
from tickerq_celery import RunCondition, TimeTicker
from tickerq_celery.enums import HoldReason, NodeKind, OverlapPolicy
from tickerq_celery.errors import TickerNotFoundError, TickerValidationError
from tickerq_celery.health.waiting import facts as waiting_facts
from tickerq_celery.managers.nodes import NodeManager
from tickerq_celery.typing import PauseManager
from tickerq_celery.views import WaitCause

MakeCore = Callable[..., Core]


def test_its_time(core: Core, clock: ManualClock) -> None:
    with_beat(enrolled(core))
    run_id = make_run(core, delay=3_600)
    wait = only(core, run_id, WaitCause.TIME)
    assert wait.text == "Its time has not come: it is due at 2026-01-15 13:00:00Z, in 1 h."
    assert wait.until == clock.now() + timedelta(hours=1)
    assert wait.remedy == (f'`tickerq run {run_id}`, or `time_tickers.run_now("{run_id}")`, starts it now')
    assert explain(core, run_id).summary == "Waits for its time, 2026-01-15 13:00:00Z"


def test_a_retry(core: Core, clock: ManualClock) -> None:
    with_beat(enrolled(core))
    run_id = make_run(core, retries=3, retry_intervals=[40])
    fail(core, started(core, run_id))
    wait = only(core, run_id, WaitCause.RETRY)
    assert wait.text.startswith("Retry 1 of 3 comes at 2026-01-15 12:00:40Z, in 40 s. The attempt before it ")
    assert wait.until == clock.now() + timedelta(seconds=40)


def test_a_claim_that_was_given_back(core: Core) -> None:
    with_beat(enrolled(core))
    run_id = make_run(core)
    (taken,) = claim(core)
    core.write(publications.postpone, run_id, taken.number, timedelta(minutes=5))
    wait = only(core, run_id, WaitCause.RETURN)
    assert "so that claim 1 was given back" in wait.text
    broken = explain(core, run_id, PlainSurroundings(routes={"Send": KeyError("no route")}))
    assert "its queue cannot be found out: KeyError: 'no route'" in broken.waits[0].text


def test_all_pauses_that_cover_it(core: Core, clock: ManualClock) -> None:
    with_beat(enrolled(core))
    pauses = PauseManager(storing(core))
    pauses.pause(function="Send", reason="mail server moves", by="ann")
    clock.advance(seconds=10)
    pauses.pause(tag="eu", by="bob")
    pauses.pause(tag="us")
    pauses.pause(everything=True)
    run_id = make_run(core, tags=["eu"])
    assert causes(core, run_id) == [WaitCause.PAUSE] * 3
    claim(core)
    assert {wait.text: wait.remedy for wait in explain(core, run_id).waits} == {
        "Function Send is paused since 2026-01-15 12:00:00Z by ann: mail server moves.": (
            '`tickerq resume --function Send`, or `pauses.resume(function="Send")`'
        ),
        "Tag eu is paused since 2026-01-15 12:00:10Z by bob.": (
            '`tickerq resume --tag eu`, or `pauses.resume(tag="eu")`'
        ),
        "Everything is paused since 2026-01-15 12:00:10Z.": (
            "`tickerq resume --everything`, or `pauses.resume(everything=True)`"
        ),
    }
    assert explain(core, run_id).summary == "Waits for the end of the pause of function Send by ann; 2 more"


def test_the_pause_of_its_cron_ticker(core: Core, clock: ManualClock) -> None:
    with_beat(enrolled(core))
    cron_id = make_cron(core)
    clock.advance(hours=1)
    with_beat(enrolled(core))
    fire(core)
    (occurrence,) = occurrences_of(core, cron_id)
    crons(core).pause(cron_id, reason="bank holiday", by="ann")
    wait = explain(core, occurrence.id).waits[0]
    assert wait.cause is WaitCause.PAUSE
    assert wait.text == (
        f"Its cron ticker {cron_id} is paused since 2026-01-15 13:00:00Z by ann: bank holiday."
    )
    assert wait.remedy == f'`tickerq resume {cron_id}`, or `cron_tickers.resume("{cron_id}")`'
    manual = crons(core).run_now(cron_id)
    assert WaitCause.PAUSE not in causes(core, manual.id)


def test_a_function_that_no_live_worker_has(core: Core, clock: ManualClock) -> None:
    with_beat(enrolled(core))
    run_id, other = make_run(core, "Sent"), make_run(core, "Send", delay=600)
    claim(core)
    wait = only(core, run_id, WaitCause.FUNCTION)
    assert wait.text == (
        "No live worker has function Sent, and its runs are held since 2026-01-15 12:00:00Z. "
        f"No worker ever registered it: did you mean Send? Alive without it: {core.node.name}."
    )
    core.write(nodes.remove, core.node.id)
    time, function = explain(core, other).waits
    assert time.cause is WaitCause.TIME
    assert function.text == (
        "No live worker has function Send. A worker first registered it at 2026-01-15 12:00:00Z. "
        "No worker is alive."
    )


def test_a_worker_that_has_the_function_and_is_silent(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    run_id = make_run(core, delay=3_600)
    clock.advance(seconds=26)
    with_beat(core)
    _, wait = explain(core, run_id).waits
    assert f"Workers that have it are silent: {core.node.name} (since 2026-01-15 12:00:00Z)." in wait.text


def test_who_holds_the_slots_of_its_function(make_core: MakeCore) -> None:
    core = with_beat(enrolled(make_core(send(max_concurrency=2))))
    first, second = make_run(core), make_run(core, queue="mail")
    taken = {each.id: each for each in claim(core)}
    start(core, taken[first])
    core.write(publications.stamp, [taken[second]], check_after=timedelta(minutes=5))
    held, behind = make_run(core), make_run(core)
    claim(core)
    wait = only(core, behind, WaitCause.LIMIT)
    assert wait.text == (
        "Function Send may have 2 runs at once (max_concurrency), and all slots are taken: "
        f"{first} (in progress on {core.node.name} since 2026-01-15 12:00:00Z) and "
        f"{second} (Queued in queue mail since 2026-01-15 12:00:00Z, which no live worker consumes). "
        "1 other run comes before it."
    )
    assert wait.remedy is not None
    assert wait.remedy.startswith(
        "start a worker for queue mail, end one that has a slot (`tickerq cancel ID`)"
    )
    assert "before it" not in only(core, held, WaitCause.LIMIT).text


def test_a_dozen_holders_of_slots_are_shown_and_the_others_counted(make_core: MakeCore) -> None:
    core = with_beat(enrolled(make_core(send(max_concurrency=14))))
    for _ in range(15):
        make_run(core)
    claim(core)
    (held,) = runs(core).find(held_for="limit")
    assert only(core, held.id, WaitCause.LIMIT).text.count("Queued") == 12
    assert "and 2 more." in only(core, held.id, WaitCause.LIMIT).text


def test_who_holds_the_slot_of_its_key(core: Core) -> None:
    with_beat(enrolled(core))
    other, first, second = (make_run(core, concurrency_key=f"customer {number}") for number in (8, 7, 7))
    claim(core)
    wait = only(core, second, WaitCause.KEY)
    assert str(other) not in wait.text
    assert wait.text.startswith(
        "Function Send may have 1 run at once with the concurrency key customer 7 "
        f"(max_concurrency_per_key), and all slots are taken: {first} (Queued in queue celery since"
    )


def test_the_rate_of_its_function(make_core: MakeCore, clock: ManualClock) -> None:
    core = with_beat(enrolled(make_core(send(rate_limit="10/m"))))
    for _ in range(3):
        make_run(core)
    claim(core)
    *_, last = sorted(run.id for run in runs(core).find(held_for="rate"))
    wait = only(core, last, WaitCause.RATE)
    assert wait.text == (
        "Function Send may be claimed 10/m (rate_limit): its next runs may be claimed at "
        "2026-01-15 12:00:06Z, in 6 s. 1 other run comes before it."
    )
    assert wait.until == clock.now() + timedelta(seconds=12)


def test_a_full_queue(make_core: MakeCore) -> None:
    core = with_beat(enrolled(make_core(send(), max_queued=2)))
    ids = [make_run(core) for _ in range(3)]
    claim(core)
    wait = only(core, ids[-1], WaitCause.BACKLOG)
    assert wait.text == (
        "2 runs in queue celery are published and not started, and the setting max_queued allows 2. "
        f"Live workers that consume it: {core.node.name}."
    )


def test_capacity_behind_others_of_its_function(core: Core, clock: ManualClock) -> None:
    with_beat(enrolled(core, prefetch=10))
    *_, last = [make_run(core) for _ in range(12)]
    claim(core)
    assert only(core, last, WaitCause.CLAIM)
    clock.advance(seconds=core.config.late_after.total_seconds() + 1)
    wait = only(with_beat(core), last, WaitCause.BACKLOG)
    assert wait.text == (
        "10 runs of Send in queue celery are published and not started: beats publish no more of a function "
        f"than its workers take in a moment. Live workers that consume it: {core.node.name}."
    )


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (RunCondition.ON_FAILURE, "It runs if its parent fails: "),
        (None, "It runs when its parent has ended, unless that is skipped: "),
    ],
)
def test_its_parent(core: Core, condition: RunCondition | None, words: str) -> None:
    with_beat(enrolled(core))
    child = TimeTicker(function="Send", run_condition=condition)
    parent = time_tickers(core).add(TimeTicker(function="Send", children=[child]))
    (waiting,) = runs(core).find(parent_id=parent.id)
    started(core, parent.id)
    wait = only(core, waiting.id, WaitCause.PARENT)
    assert wait.text == (
        f"{words}{parent.id} (Send) is in progress on {core.node.name} since 2026-01-15 12:00:00Z."
    )
    assert wait.remedy == f"`tickerq explain {parent.id}` says what its parent waits for"


def test_the_report_of_a_parent_that_no_worker_would_report(core: Core) -> None:
    with_beat(enrolled(core))
    parent = calls.make_call(core, queue="far", children=[TimeTicker(function="Send", delay=600)])
    calls.published(core, parent)
    (child,) = runs(core).find(parent_id=parent)
    wait, time = explain(core, child.id).waits
    assert wait.text.endswith(
        "has not started. That is the call of a Celery task, whose end only a worker with this TickerQ "
        "reports, and no live worker consumes its queue far and would: until one does, its children wait."
    )
    assert (wait.cause, time.cause) == (WaitCause.PARENT, WaitCause.TIME)


def test_the_overlap_lock_of_an_earlier_occurrence(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=OverlapPolicy.BUFFER_ALL)
    for _ in range(3):
        clock.advance(hours=1)
        fire(core)
    with_beat(enrolled(core))
    first, _, third = occurrences_of(core, cron_id)
    started(core, first.id)
    wait = only(core, third.id, WaitCause.OVERLAP)
    assert wait.text == (
        f"Occurrences of its cron ticker {cron_id} may not overlap, and {first.id} holds the overlap lock: "
        f"it is in progress on {core.node.name} since 2026-01-15 15:00:00Z. "
        "1 other occurrence comes before it."
    )


def test_the_next_claim_and_no_beat_to_make_it(core: Core) -> None:
    enrolled(core)
    run_id = make_run(core)
    wait = only(core, run_id, WaitCause.BEAT)
    assert wait.text == "No beat is alive, and only a beat claims, sweeps and rescues."
    with_beat(core)
    wait = only(core, run_id, WaitCause.CLAIM)
    assert wait.text == (
        "It is due since 2026-01-15 12:00:00Z, and nothing holds it: "
        "a beat that is well claims it within 1 s."
    )


def test_a_beat_that_is_silent_is_named(core: Core, clock: ManualClock) -> None:
    run_id = make_run(with_beat(core), delay=3_600)
    clock.advance(seconds=27)
    enrolled(core)
    wait = explain(core, run_id).waits[-1]
    assert wait.cause is WaitCause.BEAT
    assert "Silent: " in wait.text


def test_a_broker_that_does_not_answer(core: Core, clock: ManualClock) -> None:
    run_id = make_run(with_beat(enrolled(core)))
    clock.advance(seconds=6)
    explanation = explain(core, run_id, PlainSurroundings(error="does not answer: refused"))
    assert explanation.waits[0].cause is WaitCause.BROKER
    assert "The broker at memory:// does not answer: refused" in explanation.waits[0].text


def test_a_function_that_no_worker_has_and_no_broker_for_one(core: Core) -> None:
    run_id = make_run(with_beat(core))
    claim(core)
    wait = explain(core, run_id, PlainSurroundings(error="does not answer: refused")).waits[0]
    assert wait.cause is WaitCause.FUNCTION
    assert wait.text.endswith(
        "No worker is alive. The broker memory://, on which one would start, does not answer: refused."
    )


def test_the_sweep_once_the_cause_of_its_hold_is_gone(core: Core) -> None:
    run_id = make_run(core)
    claim(core)
    core.write(NodeRegistration(profile(core, NodeKind.WORKER)).register)
    with_beat(core)
    wait = only(core, run_id, WaitCause.SWEEP)
    assert wait.text == ("A live worker has its function now: the next sweep of a beat makes the run due.")


def test_the_slot_that_is_free_waits_for_the_sweep(make_core: MakeCore) -> None:
    core = with_beat(enrolled(make_core(send(max_concurrency=1))))
    first, second = make_run(core), make_run(core)
    claim(core)
    time_tickers(core).delete(first)
    assert "A slot of its function is free now" in only(core, second, WaitCause.SWEEP).text


@pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)
def test_another_transaction_that_has_its_row_locked(core: Core, clock: ManualClock) -> None:
    run_id = make_run(with_beat(enrolled(core)))
    clock.advance(seconds=6)
    with locked(core, tickers, tickers.c.id == run_id):
        wait = explain(core, run_id).waits[0]
    assert wait.cause is WaitCause.LOCK
    assert "Another transaction has its row locked" in wait.text


def test_the_most_it_reads_are_fifteen_statements(make_core: MakeCore, clock: ManualClock) -> None:
    core = with_beat(enrolled(make_core(send(max_concurrency=2, rate_limit="10/m"))))
    cron_id = make_cron(core, concurrency_key="7", overlap=OverlapPolicy.BUFFER_ALL)
    clock.advance(hours=1)
    fire(core)
    clock.advance(hours=1)
    fire(core)
    # The worker is silent by now, so that its function is looked for as well.
    first, _ = occurrences_of(core, cron_id)
    sent = statements_of(core, lambda: core.read(waiting_facts.read, [first.id], None, most_queued=100))
    assert 10 <= len(sent) <= 15, sent


@pytest.mark.every_database
def test_of_a_function_the_first_held_run_is_explained_for_each_reason(make_core: MakeCore) -> None:
    core = with_beat(enrolled(make_core(send(max_concurrency=1), send("Other"))))
    PauseManager(storing(core)).pause(tag="eu")
    started(core, make_run(core))
    paused = [make_run(core, tags=["eu"], priority=each) for each in ("low", "high")]
    full = [make_run(core) for _ in range(2)]
    make_run(core, "Other", tags=["eu"], priority="high")
    claim(core)
    found = runs(core).explain_held("Send")
    assert {each.reason: each.explanation.run_id for each in found} == {
        HoldReason.PAUSED: paused[1],
        HoldReason.LIMIT: full[0],
    }
    assert all(each.explanation == explain(core, each.explanation.run_id) for each in found)
    assert {each.held_since for each in found} == {core.clock.now()}
    [only_full] = runs(core).explain_held("Send", reasons=["limit"])
    assert only_full.reason is HoldReason.LIMIT
    assert runs(core).explain_held("Send", reasons=[]) == runs(core).explain_held("Gone") == ()
    with pytest.raises(TickerValidationError, match="reasons"):
        runs(core).explain_held("Send", reasons=["tired"])


def test_what_held_runs_have_in_common_is_read_once(make_core: MakeCore) -> None:
    core = with_beat(enrolled(make_core(send(max_concurrency=1))))
    PauseManager(storing(core)).pause(tag="eu")
    started(core, make_run(core))
    make_run(core, tags=["eu"])
    make_run(core)
    claim(core)
    with queries() as sent:
        assert len(runs(core).explain_held("Send")) == 2
    said = [" ".join(each.statement.split()) for each in sent]
    for part in ("tickerq_nodes.host", "FROM tickerq_pauses", "SELECT (SELECT count(*)", "request_schema"):
        assert len([each for each in said if part in each]) == 1, part


def test_the_worker_of_a_run_may_have_come_after_the_nodes_that_a_caller_gives(core: Core) -> None:
    with_beat(core)
    before = NodeManager(storing(core)).find()
    enrolled(core)
    run_id = make_run(core)
    started(core, run_id)
    assert runs(core).explain(run_id, nodes=before).waits == ()
    # What a caller gives is else not read again.
    waiting = make_run(core)
    assert [each.cause for each in runs(core).explain(waiting, nodes=before).waits][-1] is WaitCause.FUNCTION


def test_there_is_no_such_run(core: Core) -> None:
    run_id = new_id()
    with pytest.raises(TickerNotFoundError):
        runs(core).explain(run_id)
    cron_id = make_cron(core)
    occurrence = crons(core).run_now(cron_id)
    with pytest.raises(TickerNotFoundError):
        time_tickers(core).explain(occurrence.id)


def test_an_end_is_no_wait(core: Core) -> None:
    enrolled(core)
    run_id = make_run(core)
    run = started(core, run_id)
    finish(core, run, succeeded(run.standing))
    explanation = explain(core, run_id)
    assert (explanation.waits, explanation.is_waiting) == ((), False)
    assert explanation.summary == "Done 2026-01-15 12:00:00Z"
