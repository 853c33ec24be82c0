"""Each hold, status and cause has its words, and no run that waits is said to wait for nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.inner import FunctionLimits, Rate
from tests.unit.health.nodes_made import LEASE, lost, worker
from tests.unit.health.waiting_cases import CRON, NOW, OTHER, REGISTERED, WELL, case, node, other, waiting
from tickerq_celery.enums import (
    RETRIABLE,
    TERMINAL,
    HoldReason,
    NodeKind,
    OnLost,
    PauseKind,
    RunCondition,
    TickerKind,
    TickerStatus,
    TickerType,
)
from tickerq_celery.health.waiting.case import Outside, Route, WaitingCase
from tickerq_celery.health.waiting.explaining import CAUSE_OF, explained
from tickerq_celery.health.waiting.for_runs import CONDITIONS
from tickerq_celery.store.health.wait_queues import SlotHolders
from tickerq_celery.store.health.waiting import CronPause
from tickerq_celery.store.runs.publications import NEVER
from tickerq_celery.tickers.surroundings import BrokerState
from tickerq_celery.views import Count, NodeState, NodeView, Pause, WaitCause

LATER = NOW + timedelta(minutes=5)
FULL = SlotHolders(count=2, shown=[other()])
PAUSE = Pause(kind=PauseKind.TAG, name="eu", reason=None, paused_by="ann", paused_at=NOW)
QUEUED: Mapping[str, Any] = {
    "status": TickerStatus.QUEUED,
    "due_at": None,
    "claim_no": 1,
    "check_at": LATER,
    "locked_at": NOW,
    "lock_holder": "b1",
}
PUBLISHED: Mapping[str, Any] = {**QUEUED, "published_at": NOW}
HELD = {
    HoldReason.FUNCTION: case(waiting(held_for=HoldReason.FUNCTION), nodes=WELL[1:]),
    HoldReason.LIMIT: case(
        waiting(held_for=HoldReason.LIMIT), limits=FunctionLimits(max_concurrency=2), of_function=FULL
    ),
    HoldReason.KEY: case(
        waiting(held_for=HoldReason.KEY, concurrency_key="7"), limits=FunctionLimits(), of_key=FULL
    ),
    HoldReason.RATE: case(
        waiting(held_for=HoldReason.RATE), limits=FunctionLimits(rate=Rate(count=1, unit="h"))
    ),
    HoldReason.PAUSED: case(waiting(held_for=HoldReason.PAUSED), pauses=[PAUSE]),
    HoldReason.PARENT: case(waiting(held_for=HoldReason.PARENT, parent_id=OTHER), parent=other()),
    HoldReason.OVERLAP: case(
        waiting(held_for=HoldReason.OVERLAP, cron_ticker_id=CRON, instant=NOW), lock_holder=other()
    ),
}
IN_PROGRESS = waiting(
    status=TickerStatus.IN_PROGRESS, due_at=None, running_on=WELL[0].id, lock_holder="w1", started_at=NOW
)
CAUSES: Mapping[WaitCause, WaitingCase] = {
    **{CAUSE_OF[reason]: held for reason, held in HELD.items()},
    WaitCause.TIME: case(waiting(due_at=LATER)),
    WaitCause.RETRY: case(
        waiting(due_at=LATER, claim_no=1, locked_at=NOW, retry_count=1, retries=3, exception_type="OSError")
    ),
    WaitCause.RETURN: case(waiting(due_at=LATER, claim_no=1)),
    WaitCause.BACKLOG: case(waiting(held_for=HoldReason.LIMIT, hold_key="queue:"), queued=100),
    WaitCause.CLAIM: case(),
    WaitCause.BEAT: case(nodes=WELL[:1]),
    WaitCause.SWEEP: case(waiting(held_for=HoldReason.PAUSED)),
    WaitCause.LOCK: case(outside=Outside(is_locked=True)),
    WaitCause.PUBLICATION: case(waiting(**QUEUED)),
    WaitCause.BROKER: case(outside=Outside(broker=BrokerState(address="redis://x", error="does not answer"))),
    WaitCause.QUEUE: case(waiting(**PUBLISHED, queue="mail")),
    WaitCause.WORKER: case(waiting(**PUBLISHED)),
    WaitCause.REPORT: case(waiting(**PUBLISHED, kind=TickerKind.CELERY_TASK)),
    WaitCause.RESCUE: case(IN_PROGRESS, nodes=WELL[1:]),
}


def test_a_broker_that_does_not_answer_comes_before_beats_that_wait_for_it() -> None:
    silent = Outside(broker=BrokerState(address="redis://x", error="does not answer"))
    stalled = node(NodeKind.BEAT, ticked_at=NOW - timedelta(minutes=5))
    found = explained(case(outside=silent, nodes=(WELL[0], stalled))).waits
    assert [each.cause for each in found] == [WaitCause.BROKER, WaitCause.BEAT]
    without = explained(case(outside=silent, nodes=WELL[:1])).waits
    assert [each.cause for each in without] == [WaitCause.BEAT, WaitCause.BROKER]


@pytest.mark.parametrize("reason", HoldReason)
def test_each_hold_is_the_first_that_is_said(reason: HoldReason) -> None:
    explanation = explained(HELD[reason])
    assert explanation.waits[0].cause is CAUSE_OF[reason]


@pytest.mark.parametrize("reason", [HoldReason.LIMIT, HoldReason.KEY, HoldReason.OVERLAP])
def test_of_a_holder_that_heeds_no_cancel_the_next_step_is_to_kill_it(reason: HoldReason) -> None:
    held = HELD[reason]
    assert "--terminate" not in (explained(held).waits[0].remedy or "")
    asked = other(cancel_request="end")
    full = SlotHolders(count=2, shown=[other(id=CRON), asked])
    facts = replace(held.facts, of_function=full, of_key=full, lock_holder=asked)
    remedy = explained(replace(held, facts=facts)).waits[0].remedy or ""
    assert f"`tickerq cancel --terminate {OTHER}` kills it, as it was asked to end and has not" in remedy


@pytest.mark.parametrize("reason", sorted(set(HoldReason) - {HoldReason.PARENT, HoldReason.RATE}))
def test_a_hold_whose_cause_is_gone_waits_for_the_sweep(reason: HoldReason) -> None:
    free = FunctionLimits(max_concurrency=2)
    explanation = explained(case(waiting(held_for=reason, cron_ticker_id=CRON, instant=NOW), limits=free))
    assert [wait.cause for wait in explanation.waits] == [WaitCause.SWEEP]


@pytest.mark.parametrize("cause", WaitCause)
def test_each_cause_has_its_words_and_a_line(cause: WaitCause) -> None:
    explanation = explained(CAUSES[cause])
    wait = explanation.waits[0]
    assert wait.cause is cause
    assert wait.text.endswith(".")
    assert explanation.summary.startswith("Waits for ")
    assert explanation.summary in str(explanation)
    assert wait.text in str(explanation)


@pytest.mark.parametrize("status", TickerStatus)
def test_each_status_has_its_words(status: TickerStatus) -> None:
    claimed = {} if status in TERMINAL or status is TickerStatus.IDLE else {**QUEUED, "status": status}
    run = waiting(**{"ended_at": NOW, **claimed, "status": status}, running_on=WELL[0].id)
    explanation = explained(case(run))
    assert explanation.status is status
    assert explanation.summary
    assert explanation.is_waiting == (status in {TickerStatus.IDLE, TickerStatus.QUEUED})
    if status in TERMINAL:
        assert explanation.summary.startswith(str(status))
        assert (explanation.remedy is not None) == (status in RETRIABLE)


def test_a_retry_has_what_the_exception_before_it_said_apart_from_its_text() -> None:
    retry = CAUSES[WaitCause.RETRY]
    run = replace(retry.run, exception_message="no route\nto host")
    explanation = explained(replace(retry, facts=replace(retry.facts, run=run)))
    [wait] = explanation.waits
    assert (wait.text.endswith(" failed with OSError."), wait.error_head) == (True, "no route to host")
    assert "  The last error: no route to host" in str(explanation).splitlines()


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_what_has_ended_says_what_a_retry_would_wait_for(status: TickerStatus) -> None:
    explanation = explained(case(waiting(status=status, ended_at=NOW), pauses=[PAUSE], nodes=WELL[1:]))
    causes = [wait.cause for wait in explanation.retry_waits]
    assert causes == ([WaitCause.PAUSE, WaitCause.FUNCTION] if status in RETRIABLE else [])
    assert not explanation.is_waiting
    assert all("cancel" not in (wait.remedy or "") for wait in explanation.retry_waits)
    assert all(f"A retry would wait: {wait.text}" in str(explanation) for wait in explanation.retry_waits)


@pytest.mark.parametrize(
    ("functions", "renamed"),
    [
        (("SendMail", "Bill"), "Live workers have SendMail: it may have been renamed. Alive without it: w1."),
        (("Bill",), "Alive without it: w1."),
    ],
)
def test_a_function_that_workers_had_may_have_been_renamed(functions: tuple[str, ...], renamed: str) -> None:
    run = waiting(function="SendMails", held_for=HoldReason.FUNCTION)
    [wait] = explained(case(run, nodes=(node(functions=functions), WELL[1]))).waits
    assert wait.text.partition("first registered it at ")[2].partition(". ")[2] == renamed


@pytest.mark.parametrize("condition", RunCondition)
def test_each_run_condition_has_its_words(condition: RunCondition) -> None:
    run = waiting(held_for=HoldReason.PARENT, run_condition=condition)
    text = explained(case(run, parent=other())).waits[0].text
    assert text.startswith(CONDITIONS[condition])


def test_several_causes_come_in_order_and_are_counted_in_the_line() -> None:
    run = waiting(held_for=HoldReason.PAUSED)
    own = CronPause(id=CRON, is_enabled=False, paused_reason=None, paused_by=None, paused_at=None)
    explanation = explained(case(run, pauses=[PAUSE], cron_pause=own, nodes=()))
    found = [wait.cause for wait in explanation.waits]
    assert found == [WaitCause.PAUSE, WaitCause.PAUSE, WaitCause.FUNCTION, WaitCause.BEAT]
    assert explanation.summary == "Waits for the end of the pause of tag eu by ann; 3 more"


def test_of_a_due_run_that_no_beat_looks_at_the_beat_comes_first() -> None:
    explanation = explained(case(nodes=WELL[:1], pauses=[PAUSE]))
    assert [wait.cause for wait in explanation.waits] == [WaitCause.BEAT, WaitCause.PAUSE]


def test_a_beat_that_completes_no_tick_is_no_beat() -> None:
    stalled = node(NodeKind.BEAT, started_at=NOW - timedelta(hours=1), ticked_at=NOW - timedelta(minutes=2))
    wait = explained(case(nodes=[WELL[0], stalled])).waits[0]
    assert wait.cause is WaitCause.BEAT
    assert "b1 (since 2026-01-15 11:58:00Z)" in wait.text
    assert explained(case(nodes=[*WELL, stalled])).waits[0].cause is WaitCause.CLAIM


@pytest.mark.parametrize(
    ("fields", "then"),
    [
        ({}, "With its rescue it starts again."),
        ({"kind": TickerKind.CELERY_TASK}, "With its rescue it ends as Failed (on_lost)."),
        ({"kind": TickerKind.CELERY_TASK, "on_lost": OnLost.RETRY}, "With its rescue it starts again."),
        ({"rescue_count": 3}, "With its rescue it ends as Failed, after 3 rescues (max_rescues)."),
        ({"cancel_request": "end"}, "With its rescue it is Cancelled, as a cancel was requested."),
    ],
)
def test_a_rescue_says_what_becomes_of_the_run(fields: dict[str, Any], then: str) -> None:
    run = replace(IN_PROGRESS, **fields)
    assert explained(case(run, nodes=WELL[1:])).waits[0].text.endswith(then)


def test_a_rescue_that_is_late_is_said_to_be_and_where_to_look() -> None:
    before = NOW - timedelta(minutes=9)
    dead = node(state=NodeState.DEAD, seen_at=before)
    found = explained(
        case(replace(IN_PROGRESS, started_at=before), nodes=[dead, replace(WELL[1], started_at=before)])
    )
    assert found.summary == "Waits for its rescue, which is late: its worker w1 is dead"
    [wait] = found.waits
    assert wait.text == (
        "Its worker w1 is dead, without a heartbeat since 2026-01-15 11:51:00Z: a beat was to rescue it by "
        "2026-01-15 11:52:00Z, and has not. With its rescue it starts again."
    )
    assert (wait.until, (wait.remedy or "").endswith("ends it; the log of a beat says why")) == (None, True)


def test_of_a_worker_without_a_row_the_rescue_counts_from_when_it_was_found_dead() -> None:
    found_at = NOW - timedelta(seconds=20)
    row = lost(worker(), found_at - LEASE)
    known = case(
        replace(IN_PROGRESS, started_at=NOW - timedelta(days=1)),
        nodes=[replace(WELL[1], started_at=NOW - timedelta(days=2))],
        lost=[replace(row, id=IN_PROGRESS.running_on)],
    )
    assert "is gone: a beat rescues it by 2026-01-15 12:00:40Z." in explained(known).waits[0].text


def test_without_a_beat_no_moment_of_a_rescue_is_promised() -> None:
    found = explained(case(IN_PROGRESS, nodes=[node(state=NodeState.SILENT)]))
    assert [wait.cause for wait in found.waits] == [WaitCause.RESCUE, WaitCause.BEAT]
    assert found.waits[0].text.endswith(
        "unless it sends a heartbeat again, a beat rescues it within 1 min once one ticks. "
        "With its rescue it starts again."
    )
    assert found.waits[0].until is None


@pytest.mark.parametrize(
    ("nodes", "passed", "words"),
    [
        (WELL, timedelta(seconds=5), "The next sweep of a beat publishes it again."),
        (
            WELL,
            timedelta(days=3),
            "A sweep was to publish it again at 2026-01-12 12:00:00Z and has not: "
            "the log of a beat says why.",
        ),
        (
            WELL[:1],
            timedelta(hours=1),
            "A sweep was to publish it again at 2026-01-15 11:00:00Z and has not: "
            "no beat is alive that completes a tick.",
        ),
    ],
)
def test_a_sweep_that_is_late_is_said_to_be_and_is_not_awaited(
    nodes: Sequence[NodeView], passed: timedelta, words: str
) -> None:
    run = waiting(**{**PUBLISHED, "check_at": NOW - passed})
    wait = explained(case(run, nodes=nodes)).waits[0]
    assert (wait.cause, wait.until) == (WaitCause.WORKER, None)
    assert wait.text.endswith(words)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"published_at": None}, "A sweep was to publish it at"),
        ({"kind": TickerKind.CELERY_TASK}, "A sweep was to end it as Done, its outcome unknown, at"),
    ],
)
def test_whatever_a_sweep_was_to_do_is_not_said_to_come(fields: dict[str, Any], words: str) -> None:
    run = waiting(**{**PUBLISHED, "check_at": NOW - timedelta(hours=1), **fields})
    wait = explained(case(run)).waits[0]
    assert f"{words} 2026-01-15 11:00:00Z and has not: the log of a beat says why." in wait.text
    assert wait.until is None


def test_a_report_that_children_wait_for_has_no_end() -> None:
    run = waiting(**{**PUBLISHED, "check_at": NEVER}, kind=TickerKind.CELERY_TASK, has_children=True)
    assert explained(case(run)).waits[0].until is None


def test_a_rate_counts_those_before_it_in_groups() -> None:
    limits = FunctionLimits(rate=Rate.parse("10/m"))
    known = replace(REGISTERED, rate_free_at=NOW + timedelta(seconds=2))
    run = waiting(held_for=HoldReason.RATE)
    wait = explained(case(run, limits=limits, registered=known, before=Count(5))).waits[0]
    assert wait.until == NOW + timedelta(seconds=2 + 5 * 6)


moments = st.sampled_from([None, NOW - timedelta(hours=1), NOW, LATER])
counts = st.integers(0, 200)
others = st.none() | st.builds(
    other,
    status=st.sampled_from(TickerStatus),
    kind=st.sampled_from(TickerKind),
    held_for=st.none() | st.sampled_from(HoldReason),
    published_at=moments,
    started_at=moments,
    queue=st.sampled_from([None, "celery", "mail"]),
)
nodes = st.builds(
    node,
    kind=st.sampled_from(NodeKind),
    state=st.sampled_from(NodeState),
    queues=st.sampled_from([(), ("celery",), ("mail",)]),
    functions=st.sampled_from([(), ("Send",)]),
    broker=st.sampled_from([None, "redis://here", "redis://there"]),
    ticked_at=moments,
)
runs = st.builds(
    waiting,
    status=st.sampled_from(TickerStatus),
    type=st.sampled_from(TickerType),
    kind=st.sampled_from(TickerKind),
    held_for=st.none() | st.sampled_from(HoldReason),
    due_at=moments,
    not_before=moments,
    execution_time=moments,
    check_at=moments | st.just(NEVER),
    published_at=moments,
    locked_at=moments,
    started_at=moments,
    ended_at=moments,
    claim_no=st.integers(0, 3),
    retry_count=st.integers(0, 2),
    exception_type=st.none() | st.text(max_size=300),
    exception_message=st.none() | st.text(),
    skipped_reason=st.none() | st.text(),
    run_condition=st.none() | st.sampled_from(RunCondition),
    cron_ticker_id=st.just(CRON),
    instant=moments,
    queue=st.sampled_from([None, "celery", "mail", "q" * 200]),
    concurrency_key=st.just("7"),
    function=st.sampled_from(["Send", "S" * 200]),
)
slots = st.none() | st.builds(
    SlotHolders, count=counts, shown=st.lists(st.builds(other, queue=st.none()), max_size=12)
)
limits = st.none() | st.builds(
    FunctionLimits,
    max_concurrency=st.none() | st.integers(1, 3),
    max_concurrency_per_key=st.none() | st.integers(1, 3),
    rate=st.none() | st.just(Rate.parse("10/m")),
)
cases = st.builds(
    case,
    runs,
    nodes=st.lists(nodes, max_size=3),
    registered=st.none() | st.builds(lambda at: replace(REGISTERED, rate_free_at=at), moments),
    limits=limits,
    of_function=slots,
    of_key=slots,
    pauses=st.lists(st.just(PAUSE), max_size=2),
    parent=others,
    lock_holder=others,
    queued=counts,
    before=st.builds(Count, counts),
    held_first=moments,
    names=st.just(frozenset({"Send", "Sent"})),
    outside=st.builds(
        Outside,
        routes=st.sampled_from(
            [{}, {("Send", None): Route(queue="celery")}, {("Send", None): Route(error="KeyError: x")}]
        ),
        broker=st.none() | st.builds(BrokerState, address=st.just("x"), error=st.none() | st.just("is off")),
        broker_address=st.sampled_from([None, "redis://here"]),
        is_locked=st.booleans(),
    ),
)


@given(cases)
def test_whatever_is_known_a_run_that_waits_has_a_cause_and_its_line_is_one_line(given: WaitingCase) -> None:
    explanation = explained(given)
    if given.run.status in {TickerStatus.IDLE, TickerStatus.QUEUED}:
        assert explanation.is_waiting
    assert explanation.summary == " ".join(explanation.summary.split())
    assert len(explanation.summary) <= 120
    for wait in explanation.waits:
        assert wait.text.endswith(".")
        assert "None" not in wait.text
