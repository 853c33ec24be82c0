"""What is overdue, what is held, what is paused, and what runs on nodes that are gone."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.inner import new_id
from tests.unit.health.nodes_made import AT, LEASE, beat, gone, lost, shown, worker
from tickerq_celery.enums import HoldReason, PauseKind
from tickerq_celery.health import backlog, failures, held, limits, orphans
from tickerq_celery.health import nodes as of_nodes
from tickerq_celery.health.failures import FailureShare
from tickerq_celery.store.cron.cron_pauses import PausedCron
from tickerq_celery.store.health.backlog import Late, Overdue
from tickerq_celery.store.health.full_limits import FullLimit
from tickerq_celery.store.health.held_runs import Held
from tickerq_celery.store.health.orphans import OrphanedRun, RunningOn
from tickerq_celery.tickers.counts import MOST_COUNTED
from tickerq_celery.views import (
    Count,
    Finding,
    FindingCode,
    NodeState,
    NodeView,
    Pause,
    RunCounts,
    Subject,
    SubjectKind,
)

EARLIER = AT - timedelta(hours=2)
NONE = Late(count=Count(0), since=None)
SOME = Late(count=Count(3), since=EARLIER)
ON_TIME = Overdue(runs={}, calls=NONE, queued=NONE, unreported=NONE, crons=NONE)
IDLE = RunCounts(
    at=AT,
    in_progress=Count(0),
    queued=Count(0),
    published=Count(0),
    due=Count(0),
    due_since=None,
    scheduled=Count(0),
    held={},
)
REPUBLISHED = timedelta(minutes=5)


def overdue(
    counts: RunCounts = IDLE,
    unstarted: Late | None = None,
    awaited: Collection[str] = (),
    beats_tick: bool = False,
    **fields: object,
) -> list[Finding]:
    late = replace(ON_TIME, **fields)
    return list(
        backlog.of_overdue(
            late,
            counts,
            unstarted=late.queued if unstarted is None else unstarted,
            awaited=awaited,
            beats_tick=beats_tick,
            due_for=LEASE,
            queued_for=REPUBLISHED,
        )
    )


def test_that_nothing_is_late_is_said_with_what_is_active_and_what_that_waits_for() -> None:
    [idle] = overdue()
    assert (shown(idle), idle.text) == (("backlog", "ok", None), "no run is active, and none waits")
    [later] = overdue(replace(IDLE, scheduled=Count(40)))
    assert later.text == "no run is active, and none waits; 40 to come"
    [due] = overdue(replace(IDLE, due=Count(1), due_since=AT - timedelta(seconds=0.4)))
    assert due.text == "no run is overdue; 1 is active: 1 due (the first for less than 1 s)"
    held = {HoldReason.FUNCTION: Count(4), HoldReason.LIMIT: Count(3), HoldReason.PAUSED: Count(2)}
    [busy] = overdue(replace(IDLE, in_progress=Count(2), queued=Count(7), held=held))
    assert busy.text == (
        "no run is overdue; 18 are active: 2 in progress, 7 queued, 2 held by a pause, "
        "4 held for want of a function and 3 held for a limit"
    )


@pytest.mark.parametrize("reason", list(HoldReason))
def test_no_reason_to_hold_a_run_is_left_out_of_what_is_active(reason: HoldReason) -> None:
    [found] = overdue(replace(IDLE, held={reason: Count(MOST_COUNTED)}))
    assert found.text.startswith("no run is overdue; 10,000+ are active: 10,000+ held ")


def test_nothing_is_well_where_another_finding_names_why_runs_are_unstarted() -> None:
    assert overdue(queued=SOME, unstarted=NONE) == []


@pytest.mark.parametrize(
    ("field", "code", "text"),
    [
        ("calls", "overdue_runs", "3 runs are overdue: for more than 30 s due and not published"),
        ("crons", "overdue_crons", "3 cron tickers are overdue: for more than 30 s due and not fired"),
        (
            "queued",
            "unstarted_runs",
            "3 runs are overdue: for more than 5 min published and not started by a worker",
        ),
    ],
)
def test_what_is_late_is_a_failure_with_its_number_and_its_begin(field: str, code: str, text: str) -> None:
    [late] = overdue(**{field: SOME})
    assert shown(late) == (code, "failed", None)
    assert (field == "queued") is not ("publishes and fires what is due" in (late.remedy or ""))
    assert (late.text, late.since) == (f"{text}, the first since 2026-01-15 10:00:00Z", EARLIER)


def test_calls_that_no_worker_reports_are_a_warning_and_no_lateness_of_ours() -> None:
    [late] = overdue(unreported=Late(count=Count(1), since=EARLIER))
    assert shown(late) == ("unreported_calls", "warning", None)
    assert late.text.startswith("1 run of Celery tasks is published and reported by no worker")


def test_a_number_that_was_counted_to_its_bound_says_so() -> None:
    [late] = overdue(calls=Late(count=Count(MOST_COUNTED), since=EARLIER))
    assert late.text.startswith("10,000+ runs are overdue")


def waits(reason: HoldReason, key: str = "Send", **fields: object) -> Held:
    made = Held(reason=reason, key=key, function="Send", queue=None, runs=Count(12), since=EARLIER)
    return replace(made, **fields)


def test_a_function_that_no_live_worker_has_is_named_with_what_waits_for_it() -> None:
    [found] = held.of_functions([waits(HoldReason.FUNCTION), waits(HoldReason.LIMIT)], {}, [])
    assert shown(found) == ("no_function", "warning", "Send")
    assert found.text == (
        "12 runs of Send wait: no live worker has this function, the first since 2026-01-15 10:00:00Z"
    )


def test_a_function_that_was_renamed_is_found_by_its_new_name() -> None:
    nodes = [worker(functions=("SendMail",)), gone(worker(functions=("Sender",)), 42)]
    [found] = held.of_functions([replace(waits(HoldReason.FUNCTION), function="SendMails")], {}, nodes)
    assert (found.remedy or "").startswith("if it was renamed SendMail, edit its cron tickers; else start a")


def test_overdue_runs_that_no_live_worker_can_run_are_found_by_their_function() -> None:
    due = {"Send": SOME, "Bill": Late(count=Count(1), since=AT), "Sum": Late(count=Count(2), since=AT)}
    late = replace(ON_TIME, runs=due)
    without = backlog.awaited(late, [worker(functions=("Sum",)), gone(worker(functions=("Bill",)), 42)])
    assert without == {name: due[name] for name in ("Send", "Bill")}
    assert backlog.awaited(late, [beat(), gone(worker(functions=("Bill",)), 42)]) == {}
    [rest] = overdue(runs=due, awaited=without)
    assert rest.text.startswith("2 runs are overdue")
    assert overdue(runs={"Send": SOME}, awaited=["Send"]) == []
    send, bill = held.of_functions(
        [waits(HoldReason.FUNCTION, since=AT)], without, [worker(functions=("Sum",))]
    )
    assert send.text == (
        "15 runs of Send wait: no live worker has this function, the first since 2026-01-15 10:00:00Z"
    )
    assert shown(bill) == ("no_function", "failed", "Bill")
    assert bill.text == (
        "1 run of Bill waits: no live worker has this function, the first since 2026-01-15 12:00:00Z"
    )
    assert (bill.remedy or "").startswith("start a worker whose code has it")


@pytest.mark.parametrize(
    ("nodes", "is_blamed"),
    [
        ([], True),
        ([worker()], True),
        ([gone(beat(), 42)], True),
        ([beat(ticked_at=AT - timedelta(seconds=45))], True),
        ([beat(state=NodeState.STOPPING)], True),
        ([beat(ticked_at=AT - timedelta(seconds=45)), beat()], False),
        ([beat(ticked_at=None, started_at=AT)], False),
    ],
)
def test_beats_are_to_be_looked_at_for_overdue_runs_only_where_none_ticks(
    nodes: list[NodeView], is_blamed: bool
) -> None:
    beats_tick = of_nodes.beats_tick(nodes, at=AT, late_after=LEASE)
    found = overdue(beats_tick=beats_tick, calls=SOME, crons=SOME)
    assert [("see the findings about beats" in (each.remedy or "")) for each in found] == [is_blamed] * 2


@pytest.mark.parametrize(
    ("reason", "fields", "what"),
    [
        (HoldReason.LIMIT, {}, "wait for a slot of the function's limit"),
        (HoldReason.KEY, {}, "wait for a slot of its concurrency key"),
        (HoldReason.LIMIT, {"queue": "mail"}, "wait for capacity in queue mail"),
        (HoldReason.LIMIT, {"queue": ""}, "wait for capacity in their queue"),
    ],
)
def test_a_limit_that_has_been_full_for_long_is_a_warning(
    reason: HoldReason, fields: dict[str, object], what: str
) -> None:
    [found] = of_limits(waits(reason, **fields))
    assert shown(found) == ("limit_full", "warning", "Send")
    assert found.text == f"12 runs of Send {what} for 2 h, since 2026-01-15 10:00:00Z"
    short = waits(reason, since=AT - REPUBLISHED, **fields)
    assert of_limits(short, waits(HoldReason.RATE)) == []


def of_limits(*all_held: Held, **full: FullLimit) -> list[Finding]:
    return list(limits.of_limits(all_held, full, at=AT, soon=LEASE, long=REPUBLISHED))


@pytest.mark.parametrize(
    ("kind", "name", "scope"),
    [
        (PauseKind.FUNCTION, "Send mail", "function Send mail"),
        (PauseKind.TAG, "mail", "tag mail"),
        (PauseKind.EVERYTHING, "", "everything"),
    ],
)
def test_a_pause_is_shown_with_its_scope_begin_person_and_reason(
    kind: PauseKind, name: str, scope: str
) -> None:
    pause = Pause(kind=kind, name=name, reason="the mail server moves", paused_by="ann", paused_at=EARLIER)
    [found] = held.of_pauses([pause], [], [])
    assert (found.code, str(found.subject)) == (FindingCode.PAUSED, scope)
    assert found.text == f"{scope} is paused since 2026-01-15 10:00:00Z by ann: the mail server moves"
    assert found.remedy in {
        "`tickerq resume --function 'Send mail'` ends it",
        "`tickerq resume --tag mail` ends it",
        "`tickerq resume --everything` ends it",
    }


def test_a_cron_ticker_that_is_paused_by_itself_is_shown_too() -> None:
    cron = PausedCron(
        id=new_id(),
        function="Digest",
        expression="0 9 * * *",
        reason=None,
        paused_by=None,
        paused_at=EARLIER,
    )
    waiting = [waits(HoldReason.PAUSED, key=str(cron.id), runs=Count(1)), waits(HoldReason.LIMIT)]
    [found] = held.of_pauses([], [cron], waiting)
    assert found.text == "cron ticker Digest (0 9 * * *) is paused since 2026-01-15 10:00:00Z; 1 run waits"


def test_a_paused_cron_ticker_is_called_by_its_description_too() -> None:
    about = {"reason": None, "paused_by": None, "paused_at": None}
    crons = [
        PausedCron(id=new_id(), function="fx.rates", expression="0 9 * * *", description=each, **about)
        for each in ("EUR to USD", "EUR to\nGBP")
    ]
    assert [found.text for found in held.of_pauses([], crons, [])] == [
        "cron ticker fx.rates (EUR to USD, 0 9 * * *) is paused",
        "cron ticker fx.rates (EUR to GBP, 0 9 * * *) is paused",
    ]


def test_a_cron_ticker_that_failures_paused_is_shown_with_the_last_and_is_to_be_mended_first() -> None:
    cron = PausedCron(
        id=new_id(),
        function="Digest",
        expression="0 9 * * *",
        reason="3 occurrences in a row have failed",
        paused_by="tickerq",
        paused_at=EARLIER,
        error_type="ConnectionError",
        error_head="the disk\nis full",
    )
    [found] = held.of_pauses([], [cron], [])
    assert found.text == (
        "cron ticker Digest (0 9 * * *) is paused since 2026-01-15 10:00:00Z by tickerq: 3 occurrences in a "
        "row have failed, the last with ConnectionError"
    )
    # What the exception said is apart: not all who read reports may read it.
    assert found.error_head == "the disk is full"
    assert " ConnectionError (the last error: the disk is full): fix the cause" in str(found)
    assert (found.remedy or "").startswith(f"fix the cause of its failures, then `tickerq resume {cron.id}`")
    [pruned] = held.of_pauses([], [replace(cron, error_type=None, error_head=None)], [])
    assert pruned.text.endswith("in a row have failed")


def test_the_pause_of_everything_comes_first_with_how_many_runs_wait_for_its_end() -> None:
    one = Pause(kind=PauseKind.FUNCTION, name="Send", reason=None, paused_by=None, paused_at=EARLIER)
    everything = replace(one, kind=PauseKind.EVERYTHING, name="", paused_by="ann")
    held_by_it = waits(HoldReason.PAUSED, key=everything.key, runs=Count(2))
    first, second = held.of_pauses([one, everything], [], [held_by_it])
    assert first.text == "everything is paused since 2026-01-15 10:00:00Z by ann; 2 runs wait"
    assert second.text == "function Send is paused since 2026-01-15 10:00:00Z"


def of_orphans(running: list[RunningOn], *nodes: NodeView, **fields: object) -> list[Finding]:
    given = {"lost": [], "at": AT, "beats_tick": True, "lease": LEASE, **fields}
    return list(orphans.of_orphans(running, nodes, **given))  # type: ignore[arg-type]


def test_runs_on_nodes_that_are_gone_are_named_with_since_when_and_what_to_do() -> None:
    silent, known = gone(worker("celery@web2"), 42), worker("celery@web3")
    run = OrphanedRun(id=new_id(), function="Import", description="orders of Lyon", started_at=EARLIER)
    plain = replace(run, description=None)
    running = [
        RunningOn(node_id=silent.id, name="celery@web2", runs=3, first=plain),
        RunningOn(node_id=known.id, name="celery@web3", runs=1, first=run),
        RunningOn(node_id=new_id(), name="celery@web4", runs=1, first=run),
    ]
    found = of_orphans(running, silent, beat(), lost=[lost(known, AT - timedelta(minutes=9))])
    assert [each.text for each in found] == [
        "Import and 2 more are in progress since 2026-01-15 10:00:00Z on celery@web2, which is silent: "
        "it was last seen at 2026-01-15 11:59:18Z; a beat rescues it by 2026-01-15 12:00:18Z",
        "Import (orders of Lyon) is in progress since 2026-01-15 10:00:00Z on celery@web3, which is gone: "
        "it was last seen at 2026-01-15 11:51:00Z; a beat was to rescue it by 2026-01-15 11:52:30Z, "
        "and has not",
        "Import (orders of Lyon) is in progress since 2026-01-15 10:00:00Z on celery@web4, which is gone; "
        "a beat was to rescue it by 2026-01-15 11:01:00Z, and has not",
    ]
    assert [each.severity.value for each in found] == ["warning", "failed", "failed"]
    assert [each.since for each in found] == [silent.seen_at, AT - timedelta(minutes=9), EARLIER]
    assert {each.subject for each in found} == {Subject(SubjectKind.RUN, "Import", run.id)}
    assert all(f"`tickerq release {run.id}` lets it start again" in (each.remedy or "") for each in found)


def test_a_beat_that_has_just_started_is_given_the_time_that_it_needs_to_see_who_is_silent() -> None:
    dead = gone(worker(), 3_600, NodeState.DEAD)
    run = OrphanedRun(id=new_id(), function="Import", description=None, started_at=EARLIER)
    running = [RunningOn(node_id=dead.id, name="celery@web1", runs=1, first=run)]
    [found] = of_orphans(running, dead, beat(started_at=AT - timedelta(seconds=9)))
    assert (found.severity.value, found.text[-43:]) == (
        "warning",
        "; a beat rescues it by 2026-01-15 12:00:51Z",
    )


def test_without_a_beat_that_ticks_runs_on_nodes_that_are_gone_are_failures() -> None:
    silent = gone(worker(), 42)
    run = OrphanedRun(id=new_id(), function="Import", description=None, started_at=EARLIER)
    running = [RunningOn(node_id=silent.id, name="celery@web1", runs=1, first=run)]
    [found] = of_orphans(running, silent, beats_tick=False)
    assert shown(found) == ("orphaned_runs", "failed", "Import")
    assert found.text.endswith("; no beat ticks, and only a beat rescues runs")
    assert (found.remedy or "").startswith("start a beat, `celery -A yourapp beat`")


@pytest.mark.parametrize(
    ("ends", "failed", "is_found"), [(5, 3, True), (6, 3, True), (7, 3, False), (4, 4, False)]
)
def test_a_function_fails_where_half_of_five_ends_or_more_are_failures(
    ends: int, failed: int, is_found: bool
) -> None:
    lately = FailureShare(
        function="Send mail",
        since=EARLIER,
        ends=ends,
        failed=failed,
        error_type="tickerq_celery.errors.UnreadableRequestError",
        last_failed_at=AT,
    )
    found = list(failures.of_failures([lately]))
    assert [shown(each) for each in found] == ([("failing", "warning", "Send mail")] if is_found else [])
    assert all(
        each.text.startswith(f"function Send mail fails: {failed} of its {ends} ends since ")
        and " are failures, most of them with " in each.text
        and each.text.endswith(
            "with tickerq_celery.errors.UnreadableRequestError, the last at 2026-01-15 12:00:00Z"
        )
        for each in found
    )
    assert all("a retry reads the same request" in (each.remedy or "") for each in found)
