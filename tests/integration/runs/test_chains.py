"""Chains: a parent's start and end decide on its children, in the same transaction."""

from collections import Counter
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import OperationalError

from tests.inner import (
    MOST_LEVELS,
    MOST_NODES,
    Core,
    Outcome,
    Recorder,
    Started,
    Transaction,
    cancelled,
    succeeded,
    terminated,
    unmet_reason,
)
from tests.integration.conftest import send
from tests.integration.making import (
    all_rows,
    another_node,
    at_once,
    attempts_of,
    claim,
    count_by_status,
    enrolled,
    fail,
    failure,
    finish,
    processes,
    rescue,
    row_of,
    start,
    started,
    time_tickers,
)
from tests.manual_clock import START, ManualClock
from tests.statements import chains, ends
from tests.unmet import is_unmet_reason
from tickerq_celery import Run, RunCondition, TimeTicker
from tickerq_celery.enums import HoldReason, TickerPriority, TickerStatus
from tickerq_celery.errors import (
    DuplicateTickerError,
    TerminateExecution,
    TickerValidationError,
    UnknownFunctionError,
)
from tickerq_celery.tickers.kind_fields import OF_TASKS

MINUTE = timedelta(minutes=1)

MakeCore = Callable[..., Core]
CONDITIONS = (None, *RunCondition)
# Each end, as the body or a rescuer writes it, and the conditions that it meets besides "any".
ENDS: list[tuple[str, Callable[[Started], Outcome], set[RunCondition]]] = [
    ("done", lambda run: succeeded(run.standing), {RunCondition.ON_SUCCESS}),
    ("late", lambda run: succeeded(replace(run.standing, is_late=True)), {RunCondition.ON_SUCCESS}),
    (
        "failed",
        lambda run: terminated(run.standing, TerminateExecution("no", TickerStatus.FAILED)),
        {RunCondition.ON_FAILURE, RunCondition.ON_FAILURE_OR_CANCELLED},
    ),
    (
        "cancelled",
        lambda run: cancelled(run.standing, failure()),
        {RunCondition.ON_CANCELLED, RunCondition.ON_FAILURE_OR_CANCELLED},
    ),
]


@pytest.fixture
def core(make_core: MakeCore) -> Core:
    """A core with a live worker that has ``Send``."""
    return enrolled(make_core(send()))


def child(*children: TimeTicker, on: RunCondition | None = None, **fields: Any) -> TimeTicker:
    """Return a child that starts ``on`` an end of its parent."""
    return TimeTicker(**{"function": "Send", "run_condition": on, "children": children, **fields})


def add(core: Core, *children: TimeTicker, **fields: Any) -> UUID:
    """Store a chain whose head is due now, and return the head's id."""
    head = TimeTicker(**{"function": "Send", "children": children, **fields})
    return time_tickers(core).add(head, allow_unknown=True).id


def below(core: Core, run_id: UUID) -> list[UUID]:
    """Return a run's children, as they were written down."""
    return [row.id for row in all_rows(core) if row.parent_id == run_id]


def line(levels: int) -> TimeTicker:
    ticker = child()
    for _ in range(levels - 1):
        ticker = child(ticker)
    return ticker


def due(core: Core) -> set[UUID]:
    return {row.id for row in all_rows(core) if row.due_at is not None}


def ended(core: Core, run_id: UUID) -> Any:
    """Return what a run's row says of its end."""
    row = row_of(core, run_id)
    is_unmet = is_unmet_reason(row.skipped_reason)
    return (row.status, row.ended_status, row.ended_at, is_unmet, row.held_for, row.due_at)


SKIPPED = (TickerStatus.SKIPPED, TickerStatus.SKIPPED, START, True, None, None)


class Dispatched:
    """What a recorder handed over to be published at once."""

    def __init__(self) -> None:
        self.calls: list[list[UUID]] = []

    def __call__(self, ids: Collection[UUID]) -> None:
        self.calls.append(list(ids))


def test_children_wait_for_their_parent_and_no_claim_sees_them(core: Core) -> None:
    head = add(core, child(child()))
    (first,) = below(core, head)
    (second,) = below(core, first)
    assert {each.id for each in claim(core)} == {head}
    for run_id, parent_id in ((first, head), (second, first)):
        row = row_of(core, run_id)
        assert (row.status, row.due_at, row.execution_time) == (TickerStatus.IDLE, None, None)
        assert (row.parent_id, row.held_for, row.hold_key) == (parent_id, HoldReason.PARENT, str(parent_id))
    assert [row_of(core, each).has_children for each in (head, first, second)] == [True, True, False]


@pytest.mark.parametrize(("outcome", "met"), [each[1:] for each in ENDS], ids=[each[0] for each in ENDS])
def test_a_parents_end_starts_those_whose_condition_it_meets_and_skips_the_others(
    core: Core, outcome: Callable[[Started], Outcome], met: set[RunCondition]
) -> None:
    head = add(core, *(child(child(), on=condition) for condition in CONDITIONS))
    children = dict(zip(CONDITIONS, below(core, head), strict=True))
    run = started(core, head)
    assert due(core) == {children[RunCondition.IN_PROGRESS]}
    assert finish(core, run, outcome(run))
    starting = met | {None, RunCondition.ON_ANY_COMPLETED_STATUS, RunCondition.IN_PROGRESS}
    assert due(core) == {children[condition] for condition in starting}
    for condition in set(CONDITIONS) - starting:
        (grandchild,) = below(core, children[condition])
        assert [ended(core, each) for each in (children[condition], grandchild)] == [SKIPPED, SKIPPED]
        status = row_of(core, head).status
        assert row_of(core, children[condition]).skipped_reason == unmet_reason(condition, status)
        assert row_of(core, grandchild).skipped_reason == unmet_reason(None, TickerStatus.SKIPPED)


def test_a_skipped_parent_skips_all_that_wait_for_it(core: Core) -> None:
    head = add(core, *(child(child(), on=condition) for condition in CONDITIONS))
    children = dict(zip(CONDITIONS, below(core, head), strict=True))
    run = started(core, head)
    assert finish(core, run, terminated(run.standing, TerminateExecution("nothing to do")))
    waiting = [each for condition, each in children.items() if condition is not RunCondition.IN_PROGRESS]
    assert [ended(core, each) for each in waiting] == [SKIPPED] * len(waiting)
    assert row_of(core, children[RunCondition.IN_PROGRESS]).due_at == START


def test_only_the_children_of_an_end_start_not_theirs(core: Core) -> None:
    head = add(core, child(child(child())))
    (first,) = below(core, head)
    run = started(core, head)
    finish(core, run, succeeded(run.standing))
    assert due(core) == {first}
    run = started(core, first)
    finish(core, run, succeeded(run.standing))
    assert due(core) == set(below(core, first))


def test_children_wait_while_their_parent_has_a_retry_or_a_rescue_left(
    core: Core, clock: ManualClock
) -> None:
    head = add(core, child(on=RunCondition.ON_FAILURE), retries=1)
    (waiting,) = below(core, head)
    assert fail(core, started(core, head))
    assert row_of(core, waiting).held_for == HoldReason.PARENT
    clock.advance(minutes=1)
    assert rescue(core, started(core, head)) is not None
    assert row_of(core, waiting).held_for == HoldReason.PARENT
    assert fail(core, started(core, head))
    assert due(core) == {waiting}


def test_the_last_rescue_ends_the_parent_and_its_children_follow(make_core: MakeCore) -> None:
    core = enrolled(make_core(send(), max_rescues=0))
    head = add(core, child(on=RunCondition.ON_FAILURE), child(on=RunCondition.ON_SUCCESS))
    compensation, success = below(core, head)
    assert rescue(core, started(core, head)) is not None
    assert due(core) == {compensation}
    assert ended(core, success) == SKIPPED


def test_a_cancelled_message_ends_the_parent_and_its_children_follow(core: Core) -> None:
    head = add(core, child(on=RunCondition.ON_CANCELLED), child(on=RunCondition.IN_PROGRESS))
    wanted, beside = below(core, head)
    (claimed,) = claim(core)
    recorder = Recorder(core)
    assert recorder.end_waiting(head, claimed.number, status=TickerStatus.CANCELLED, reason="revoked")
    assert due(core) == {wanted}
    assert ended(core, beside) == SKIPPED
    assert not recorder.end_waiting(head, claimed.number, status=TickerStatus.CANCELLED, reason="revoked")


def test_a_superseded_end_decides_nothing(core: Core) -> None:
    head = add(core, child())
    run = started(core, head)
    assert rescue(core, run) is not None
    assert not finish(core, run, succeeded(run.standing))
    assert due(core) == {head}


def test_children_that_start_beside_their_parent_do_so_once(core: Core, clock: ManualClock) -> None:
    head = add(core, child(on=RunCondition.IN_PROGRESS), retries=1)
    (beside,) = below(core, head)
    run = started(core, head)
    done = started(core, beside)
    finish(core, done, succeeded(done.standing))
    fail(core, run)
    clock.advance(minutes=1)
    started(core, head)
    assert row_of(core, beside).status is TickerStatus.DONE


def test_a_child_with_a_moment_of_its_own_waits_for_both(core: Core, clock: ManualClock) -> None:
    early, late = START + timedelta(minutes=1), START + timedelta(hours=1)
    head = add(core, child(execution_time=early), child(execution_time=late))
    first, second = below(core, head)
    clock.advance(minutes=5)
    (claimed,) = claim(core)
    run = start(core, claimed)
    assert run is not None
    finish(core, run, succeeded(run.standing))
    assert [row_of(core, each).due_at for each in (first, second)] == [clock.now(), late]
    assert [row_of(core, each).execution_time for each in (first, second)] == [early, late]
    clock.advance(minutes=1)
    assert {each.id for each in claim(core)} == {first}
    clock.advance(hours=1)
    assert {each.id for each in claim(core)} == {second}


def test_a_condition_counts_for_a_child_with_a_moment_of_its_own_too(core: Core, clock: ManualClock) -> None:
    head = add(core, child(on=RunCondition.ON_FAILURE, execution_time=START + timedelta(hours=1)))
    (first,) = below(core, head)
    run = started(core, head)
    finish(core, run, succeeded(run.standing))
    assert row_of(core, first).status is TickerStatus.SKIPPED
    clock.advance(hours=2)
    assert claim(core) == []


def test_a_child_is_late_by_its_own_wait_not_by_its_parents(core: Core, clock: ManualClock) -> None:
    head = add(core, child())
    clock.advance(hours=1)
    run = started(core, head)
    assert run.standing.is_late
    finish(core, run, succeeded(run.standing))
    (first,) = below(core, head)
    assert not started(core, first).standing.is_late


def test_all_that_may_be_set_of_a_ticker_may_be_set_of_a_child(core: Core) -> None:
    own = {
        "request": [1], "description": "the receipt", "execution_time": START + timedelta(hours=1),
        "retries": 2, "retry_intervals": (MINUTE / 12,), "timeout": MINUTE, "hard_timeout": 1.5 * MINUTE,
        "priority": TickerPriority.HIGH, "queue": "mail", "concurrency_key": "customer 7", "tags": ("eu",),
        "unique_key": "receipt 7", "run_condition": RunCondition.ON_SUCCESS,
    }  # fmt: skip
    given = {field.name for field in fields(TimeTicker)} - {"function", "namespace", "children"}
    given -= {"delay"}  # another way to say the execution time
    given -= {"task", *OF_TASKS}  # in place of a function
    assert given == set(own)
    head = add(core, child(**own), priority=TickerPriority.LOW, retries=1)
    (shown,) = time_tickers(core).find(parent_id=head)
    assert {name: getattr(shown, name) for name in own} == own


def test_of_children_that_become_due_together_the_more_urgent_goes_first(core: Core) -> None:
    low, normal, high = (child(priority=each) for each in reversed(list(TickerPriority)[1:]))
    head = add(core, low, normal, high, priority=TickerPriority.LOW)
    children = below(core, head)
    run = started(core, head)
    finish(core, run, succeeded(run.standing))
    assert [claimed.id for claimed in claim(core)] == children[::-1]


def test_any_worker_starts_a_child_which_then_is_in_progress_on_its_node(core: Core) -> None:
    head = add(core, child())
    (first,) = below(core, head)
    run = started(core, head)
    finish(core, run, succeeded(run.standing))
    other = another_node(core)
    started(other, first)
    row = row_of(core, first)
    assert (row.status, row.running_on) == (TickerStatus.IN_PROGRESS, other.node.id)
    assert row.lock_holder == other.node.name != core.node.name


def test_a_child_waits_for_a_slot_of_its_limited_function_and_is_given_it(make_core: MakeCore) -> None:
    core = enrolled(make_core(send(), send("Single", max_concurrency=1)))
    busy = started(core, time_tickers(core).add(TimeTicker(function="Single")).id)
    head = add(core, child(function="Single"))
    (first,) = below(core, head)
    run = started(core, head)
    finish(core, run, succeeded(run.standing))
    assert claim(core) == []
    assert row_of(core, first).held_for == HoldReason.LIMIT
    dispatched = Dispatched()
    Recorder(core, dispatch=dispatched).finish(busy, succeeded(busy.standing), elapsed=None)
    assert dispatched.calls == [[first]]


def test_a_child_whose_function_no_worker_knows_waits_visibly_until_one_has_it(
    core: Core, make_core: MakeCore
) -> None:
    head = add(core, child(child(), function="Other"))
    (first,) = below(core, head)
    (second,) = below(core, first)
    run = started(core, head)
    finish(core, run, succeeded(run.standing))
    assert claim(core) == []
    assert (row_of(core, first).held_for, row_of(core, first).hold_key) == (HoldReason.FUNCTION, "Other")
    enrolled(make_core(send("Other")))
    run = started(core, first)
    finish(core, run, succeeded(run.standing))
    assert [claimed.id for claimed in claim(core)] == [second]


def test_what_an_end_or_a_start_makes_due_is_dispatched_after_its_commit(core: Core) -> None:
    head = add(core, child(), child(on=RunCondition.IN_PROGRESS), child(on=RunCondition.ON_FAILURE))
    after, beside, _ = below(core, head)
    (claimed,) = claim(core)
    seen: list[tuple[set[UUID], set[UUID]]] = []
    recorder = Recorder(core, dispatch=lambda ids: seen.append((set(ids), due(core))))
    run = recorder.start(head, claimed.number)
    assert run is not None
    recorder.finish(run, succeeded(run.standing), elapsed=None)
    assert seen == [({beside}, {beside}), ({after}, {beside, after})]


def test_an_end_whose_children_cannot_be_written_is_not_written(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = add(core, child())
    run = started(core, head)

    def broken(*_: object) -> list[UUID]:
        raise OperationalError("update", {}, Exception("the disk is full"))

    with monkeypatch.context() as patch:
        patch.setattr(chains, "follow", broken)
        with pytest.raises(Exception, match="the disk is full"):
            core.write(ends.finish, run, succeeded(run.standing), node="n", elapsed=None)
    assert row_of(core, head).status is TickerStatus.IN_PROGRESS
    assert attempts_of(core, head) == []
    assert finish(core, run, succeeded(run.standing))


@pytest.mark.row_locks
def test_of_two_that_end_a_parent_at_once_one_decides_on_its_children(core: Core) -> None:
    for _ in range(5):
        head = add(core, child(on=RunCondition.ON_SUCCESS), child(on=RunCondition.ON_FAILURE))
        run = started(core, head)
        with processes(core, 2) as (body, rescuer):
            accepted, outcome = at_once(
                lambda body=body, run=run: finish(body, run, succeeded(run.standing)),
                lambda rescuer=rescuer, run=run: rescue(rescuer, run),
            )
        statuses = [row_of(core, each).status for each in below(core, head)]
        if accepted:
            assert (outcome, statuses) == (None, [TickerStatus.IDLE, TickerStatus.SKIPPED])
        else:
            assert outcome is not None
            assert statuses == [TickerStatus.IDLE, TickerStatus.IDLE]
            assert {row_of(core, each).held_for for each in below(core, head)} == {HoldReason.PARENT}
        assert len(attempts_of(core, head)) == 1


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_chain_of_a_hundred_levels_runs_down_to_its_last(core: Core) -> None:
    run_id = time_tickers(core).add(line(MOST_LEVELS)).id
    for _ in range(MOST_LEVELS):
        run = started(core, run_id)
        finish(core, run, succeeded(run.standing))
        run_id = next(iter(due(core)), run_id)
    assert count_by_status(core) == {TickerStatus.DONE: MOST_LEVELS}


def test_a_chain_of_a_hundred_levels_is_skipped_down_to_its_last(core: Core) -> None:
    head = add(core, child(line(MOST_LEVELS - 2), on=RunCondition.ON_FAILURE))
    run = started(core, head)
    finish(core, run, succeeded(run.standing))
    assert count_by_status(core) == {TickerStatus.DONE: 1, TickerStatus.SKIPPED: MOST_LEVELS - 1}


def test_a_chain_of_a_hundred_levels_is_deleted_down_to_its_last(core: Core) -> None:
    head = time_tickers(core).add(line(MOST_LEVELS)).id
    time_tickers(core).delete(head)
    assert all_rows(core) == []


def test_a_parent_may_have_999_children(core: Core) -> None:
    head = add(core, *[child(), child(on=RunCondition.ON_FAILURE), child()] * ((MOST_NODES - 1) // 3))
    run = started(core, head)
    finish(core, run, succeeded(run.standing))
    assert Counter(row.status for row in all_rows(core)) == {
        TickerStatus.DONE: 1, TickerStatus.IDLE: 666, TickerStatus.SKIPPED: 333,
    }  # fmt: skip
    assert len(due(core)) == 666


def test_a_chain_that_is_too_large_stores_nothing(core: Core) -> None:
    with pytest.raises(TickerValidationError, match="at most 1,000"):
        add(core, *[child()] * MOST_NODES)
    assert all_rows(core) == []


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"retries": -1}, r"children\[0\].children\[0\].retries: "),
        ({"run_condition": 9}, r"children\[0\].children\[0\].run_condition: pass one of on_success"),
        ({"request": object()}, r"children\[0\].children\[0\].request: "),
        ({"namespace": "other"}, r"children\[0\].children\[0\].namespace: its chain is in "),
        ({"execution_time": START.replace(tzinfo=None)}, r"children\[0\].children\[0\].execution_time: "),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_child_that_cannot_be_stored_is_named_and_nothing_is(
    core: Core, fields: dict[str, Any], text: str
) -> None:
    with pytest.raises(TickerValidationError, match=text):
        add(core, child(child(**fields)))
    assert all_rows(core) == []


def test_a_childs_function_must_be_known(core: Core) -> None:
    with pytest.raises(UnknownFunctionError):
        time_tickers(core).add(child(child(function="Other")))


def test_the_head_of_a_chain_has_no_run_condition(core: Core) -> None:
    with pytest.raises(TickerValidationError, match="run_condition: only a child has one"):
        time_tickers(core).add(child(on=RunCondition.ON_SUCCESS))


def test_a_childs_unique_key_is_taken_until_it_is_terminal(core: Core) -> None:
    keyed = child(on=RunCondition.ON_FAILURE, unique_key="once")
    head = add(core, child(keyed), unique_key="head")
    with pytest.raises(DuplicateTickerError, match="once"):
        # Found row by row then, and each child after its parent, whichever of them has a key.
        add(core, child(), child(keyed), unique_key="another")
    assert len(all_rows(core)) == 3
    run = started(core, head)
    finish(core, run, terminated(run.standing, TerminateExecution("no")))
    add(core, keyed)


def test_children_are_found_by_their_parent(core: Core) -> None:
    head = add(core, child(child(), on=RunCondition.ON_SUCCESS), child())
    add(core, child())
    found = time_tickers(core).find(parent_id=head)
    assert [run.id for run in reversed(found)] == below(core, head)
    assert [(run.parent_id, run.run_condition) for run in reversed(found)] == [
        (head, RunCondition.ON_SUCCESS), (head, None),
    ]  # fmt: skip


def test_a_waiting_child_can_be_edited_and_goes_on_waiting(core: Core) -> None:
    head = add(core, child())
    (first,) = below(core, head)
    moment = START + timedelta(hours=1)
    run = time_tickers(core).update(first, execution_time=moment, request=[2])
    assert (run.execution_time, run.request, run.held_for) == (moment, [2], HoldReason.PARENT)
    assert time_tickers(core).update(first, execution_time=None).execution_time is None
    assert due(core) == {head}


@pytest.mark.row_locks
def test_an_edit_that_meets_the_parents_end_waits_for_it_and_moves_the_due_child(core: Core) -> None:
    head = add(core, child())
    (first,) = below(core, head)
    run = started(core, head)
    moment = START + timedelta(hours=1)
    with ThreadPoolExecutor(1) as pool:

        def end(tx: Transaction) -> Future[Run]:
            ends.finish(tx, run, succeeded(run.standing), node="worker", elapsed=None)
            editing = pool.submit(time_tickers(core).update, first, execution_time=moment)
            # Where rows are locked until the commit, it is still waiting here.
            wait([editing], timeout=0.3)
            return editing

        core.write(end).result()
    assert (row_of(core, first).due_at, row_of(core, first).held_for) == (moment, None)


@pytest.mark.parametrize("field", ["children", "run_condition"])
def test_the_form_of_a_chain_is_fixed(core: Core, field: str) -> None:
    head = add(core, child())
    with pytest.raises(TickerValidationError, match=f"{field}: "):
        time_tickers(core).update(head, **{field: None})


def test_a_deleted_parent_takes_its_descendants_with_it_and_counts_those_asked_for(core: Core) -> None:
    head = add(core, child(child()), child())
    other = add(core, child())
    first, _ = below(core, head)
    assert time_tickers(core).delete_batch([first, head]) == 2
    assert {row.id for row in all_rows(core)} == {other, *below(core, other)}


def test_a_run_without_children_costs_no_look_for_them(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("looked for children")

    for name in ("follow", "start_beside"):
        monkeypatch.setattr(chains, name, never)
    run = started(core, add(core))
    assert finish(another_node(core), run, succeeded(run.standing))
