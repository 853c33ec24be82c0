"""Chains as wholes: read from any run, their failures retried, what is left of them cancelled."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.inner import Core, Outcome, Started, cancelled, failed, skipped, succeeded
from tests.integration.apps import enrol_worker, failing, ticker_app
from tests.integration.apps import execute as execute_all
from tests.integration.conftest import send
from tests.integration.cron.firing import fire
from tests.integration.locking import locked
from tests.integration.making import (
    ON_SERVERS,
    ListPublisher,
    all_rows,
    at_once,
    attempts_of,
    canceller,
    claim,
    enrolled,
    failure,
    finish,
    make_cron,
    processes,
    row_of,
    runs,
    start,
    started,
    storing,
    time_tickers,
)
from tests.manual_clock import START, ManualClock
from tests.tables import tickers
from tickerq_celery import RunCondition, TickerQ, TimeTicker
from tickerq_celery.enums import HoldReason, TickerStatus
from tickerq_celery.errors import (
    DuplicateTickerError,
    OperationReusedError,
    TickerBusyError,
    TickerChangedError,
    TickerNotFoundError,
    TickerStateError,
    TickerValidationError,
)
from tickerq_celery.managers.runs.chains import ChainManager
from tickerq_celery.views import Actor, ChainTree

MakeCore = Callable[..., Core]
IDLE, QUEUED, IN_PROGRESS = TickerStatus.IDLE, TickerStatus.QUEUED, TickerStatus.IN_PROGRESS
DONE, FAILED = TickerStatus.DONE, TickerStatus.FAILED
CANCELLED, SKIPPED = TickerStatus.CANCELLED, TickerStatus.SKIPPED
ON_SUCCESS, ON_FAILURE = RunCondition.ON_SUCCESS, RunCondition.ON_FAILURE
HOUR = timedelta(hours=1)
ENDS: dict[TickerStatus, Callable[[Started], Outcome]] = {
    DONE: lambda run: succeeded(run.standing),
    FAILED: lambda run: failed(run.standing, failure()),
    CANCELLED: lambda run: cancelled(run.standing, failure()),
    SKIPPED: lambda run: skipped(run.standing, "not today"),
}


@pytest.fixture
def core(make_core: MakeCore) -> Core:
    """A core with a live worker that has ``Send``."""
    return enrolled(make_core(send()))


def chains(core: Core, publisher: ListPublisher | None = None) -> ChainManager:
    return ChainManager(storing(core), canceller(core, publisher))


def ticker(name: str, *children: TimeTicker, on: RunCondition | None = None, **fields: Any) -> TimeTicker:
    """Return a ticker of a chain, known by its name."""
    shared: Any = {"function": "Send", "description": name, "run_condition": on, "children": children}
    return TimeTicker(**{**shared, **fields})


def add(core: Core, *children: TimeTicker, **fields: Any) -> UUID:
    return time_tickers(core).add(ticker("head", *children, **fields)).id


def ids(core: Core) -> dict[str, UUID]:
    return {row.description: row.id for row in all_rows(core)}


def statuses(core: Core) -> dict[str, TickerStatus]:
    return {row.description: row.status for row in all_rows(core)}


def execute(core: Core, name: str, status: TickerStatus) -> None:
    """Let a run that is due end so."""
    run = started(core, ids(core)[name])
    assert finish(core, run, ENDS[status](run))


def names(core: Core, changed: tuple[UUID, ...]) -> set[str]:
    by_id = {row.id: row.description for row in all_rows(core)}
    return {by_id[each] for each in changed}


def waits(core: Core, name: str) -> str | None:
    """Return the name of the parent that a run is held for."""
    row = row_of(core, ids(core)[name])
    if row.held_for != HoldReason.PARENT:
        return None
    assert (row.status, row.due_at, row.hold_key) == (IDLE, None, str(row.parent_id))
    assert row.held_since is not None
    assert (row.ended_at, row.skipped_reason) == (None, None)
    return str(row_of(core, row.parent_id).description)


@pytest.mark.every_database
def test_the_tree_is_that_of_the_whole_chain_from_any_of_its_runs(core: Core) -> None:
    add(core)
    head = add(
        core,
        ticker("receipt", ticker("review", on=ON_SUCCESS), on=ON_SUCCESS),
        ticker("call", on=ON_FAILURE),
        ticker("later", execution_time=START + HOUR),
        ticker("stock", on=RunCondition.IN_PROGRESS),
    )
    known = ids(core)
    tree = chains(core).tree(known["review"])
    assert tree == chains(core).tree(head)
    assert (tree.root_id, tree.truncated) == (head, False)
    assert [(each.run.description, each.depth, each.run_condition) for each in tree.runs] == [
        ("head", 0, None),
        ("receipt", 1, ON_SUCCESS),
        ("call", 1, ON_FAILURE),
        ("later", 1, None),
        ("stock", 1, RunCondition.IN_PROGRESS),
        ("review", 2, ON_SUCCESS),
    ]
    above = f"waits for Send ({head})"
    assert [each.waits_for for each in tree.runs] == [
        "due at 2026-01-15T12:00:00+00:00",
        f"{above} to end as Done or DueDone",
        f"{above} to end as Failed",
        f"{above} to end as Done, DueDone, Failed or Cancelled, not before 2026-01-15T13:00:00+00:00",
        f"{above} to start",
        f"waits for Send ({known['receipt']}) to end as Done or DueDone",
    ]
    assert [each.run.description for each in tree.children_of(head)] == ["receipt", "call", "later", "stock"]
    assert [each.run.description for each in tree.children_of(None)] == ["head"]
    cut = chains(core).tree(head, limit=3)
    assert (cut.runs, cut.truncated) == (tree.runs[:3], True)
    assert not chains(core).tree(head, limit=6).truncated


def test_a_run_without_a_chain_is_alone_in_its_tree_and_others_are_not_found(core: Core) -> None:
    alone = time_tickers(core).add(ticker("alone")).id
    tree = chains(core).tree(alone)
    assert [each.run.id for each in tree.runs] == [alone]
    for verb in (chains(core).tree, chains(core).retry_failed, chains(core).cancel_rest):
        with pytest.raises(TickerNotFoundError, match="no run has the id"):
            verb(uuid4())
    with pytest.raises(TickerValidationError, match="limit: must be a whole number from 1 to 1,000"):
        chains(core).tree(alone, limit=1001)


@pytest.mark.every_database
def test_a_retry_of_the_failed_head_lets_what_was_skipped_for_it_wait_again_and_then_run(core: Core) -> None:
    head = add(
        core,
        ticker("receipt", ticker("review", on=ON_SUCCESS), on=ON_SUCCESS),
        ticker("call", on=ON_FAILURE),
    )
    execute(core, "head", FAILED)
    execute(core, "call", DONE)
    assert statuses(core) == {"head": FAILED, "receipt": SKIPPED, "review": SKIPPED, "call": DONE}
    changed = chains(core).retry_failed(ids(core)["review"], by="ann", reason="fixed")
    assert names(core, changed.ids) == {"head", "receipt", "review"}
    assert {each.run.description for each in changed.runs} == {"head", "receipt", "review"}
    assert statuses(core) == {"head": IDLE, "receipt": IDLE, "review": IDLE, "call": DONE}
    assert (waits(core, "head"), waits(core, "receipt"), waits(core, "review")) == (None, "head", "receipt")
    for name in ("head", "receipt", "review"):
        execute(core, name, DONE)
    assert set(statuses(core).values()) == {DONE}
    assert [each.number for each in attempts_of(core, head)] == [0, 1]


def test_where_the_head_fails_again_the_same_are_skipped_again_and_what_ran_stays(core: Core) -> None:
    add(core, ticker("receipt", on=ON_SUCCESS), ticker("call", on=ON_FAILURE))
    execute(core, "head", FAILED)
    execute(core, "call", DONE)
    chains(core).retry_failed(ids(core)["head"])
    execute(core, "head", FAILED)
    assert statuses(core) == {"head": FAILED, "receipt": SKIPPED, "call": DONE}


def test_a_failure_below_one_that_starts_again_waits_for_it_and_others_start_at_once(core: Core) -> None:
    add(
        core,
        ticker("good", ticker("below good", on=ON_SUCCESS)),
        ticker("bad", ticker("below bad", on=ON_FAILURE), on=ON_SUCCESS),
    )
    execute(core, "head", DONE)
    for name, end in {"good": DONE, "bad": FAILED, "below good": FAILED, "below bad": FAILED}.items():
        execute(core, name, end)
    changed = chains(core).retry_failed(ids(core)["head"])
    assert names(core, changed.ids) == {"bad", "below good", "below bad"}
    assert (waits(core, "bad"), waits(core, "below good"), waits(core, "below bad")) == (None, None, "bad")
    execute(core, "below good", DONE)
    execute(core, "bad", DONE)
    assert statuses(core)["below bad"] is SKIPPED


def test_what_was_skipped_runs_now_where_its_parent_was_retried_alone_and_has_succeeded(core: Core) -> None:
    head = add(core, ticker("receipt", ticker("review", on=ON_SUCCESS), on=ON_SUCCESS))
    execute(core, "head", FAILED)
    runs(core).retry(head)
    chains(core).retry_failed(head)
    assert (statuses(core)["receipt"], waits(core, "receipt")) == (IDLE, "head")
    execute(core, "head", FAILED)
    runs(core).retry(head)
    execute(core, "head", DONE)
    assert statuses(core)["receipt"] is SKIPPED
    changed = chains(core).retry_failed(head)
    assert names(core, changed.ids) == {"receipt", "review"}
    execute(core, "receipt", DONE)
    execute(core, "review", DONE)


@pytest.mark.parametrize("end", [DONE, CANCELLED, SKIPPED])
def test_what_did_not_fail_is_no_failure_of_its_chain(core: Core, end: TickerStatus) -> None:
    head = add(core, ticker("never", on=ON_FAILURE))
    execute(core, "head", end)
    before = [tuple(row) for row in all_rows(core)]
    with pytest.raises(
        TickerStateError, match="is in a chain without a failure: it cannot be retried"
    ) as refused:
        chains(core).retry_failed(ids(core)["never"])
    assert refused.value.ticker_id == ids(core)["never"]
    assert head in {row.id for row in all_rows(core)}
    assert [tuple(row) for row in all_rows(core)] == before


def test_a_child_that_failed_beside_its_parent_starts_with_it_or_at_once(core: Core) -> None:
    add(core, ticker("beside", on=RunCondition.IN_PROGRESS))
    (claimed,) = claim(core, [ids(core)["head"]])
    head = start(core, claimed)
    assert head is not None
    execute(core, "beside", FAILED)
    assert finish(core, head, ENDS[FAILED](head))
    chains(core).retry_failed(head.id)
    assert waits(core, "beside") == "head"
    execute(core, "head", DONE)
    execute(core, "beside", FAILED)
    chains(core).retry_failed(head.id)
    assert (statuses(core), waits(core, "beside")) == ({"head": DONE, "beside": IDLE}, None)


@pytest.mark.every_database
def test_all_is_retried_or_nothing_where_a_unique_key_has_been_taken(core: Core) -> None:
    head = add(core, ticker("receipt", on=ON_SUCCESS, unique_key="receipt-7"))
    execute(core, "head", FAILED)
    other = time_tickers(core).add(TimeTicker(function="Send", unique_key="receipt-7"))
    with pytest.raises(DuplicateTickerError, match="receipt-7"):
        chains(core).retry_failed(head)
    assert statuses(core)["head"] is FAILED
    time_tickers(core).delete(other.id)
    chains(core).retry_failed(head)
    assert row_of(core, ids(core)["receipt"]).active_key == "receipt-7"


@pytest.mark.every_database
def test_of_two_that_retry_a_chain_at_once_one_does_and_each_run_starts_once(core: Core) -> None:
    for _ in range(5):
        head = add(core, ticker("receipt", on=ON_SUCCESS))
        run = started(core, head)
        assert finish(core, run, ENDS[FAILED](run))
        with processes(core, 4) as others:
            results = at_once(*(partial(_tried, chains(other).retry_failed, head) for other in others))
        assert sorted(results) == ["refused", "refused", "refused", "retried"]
        assert len(attempts_of(core, head)) == 1
        run = started(core, head)
        assert finish(core, run, ENDS[DONE](run))
        assert [row.number for row in attempts_of(core, head)] == [0, 1]


def _tried(verb: Callable[[UUID], object], run_id: UUID) -> str:
    try:
        verb(run_id)
    except (TickerStateError, TickerBusyError):
        # Busy where the one that retries it is slow.
        return "refused"
    return "retried"


@pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)
def test_a_chain_of_which_a_run_is_locked_elsewhere_is_left_as_it_is(core: Core) -> None:
    head = add(core, ticker("receipt", on=ON_SUCCESS), ticker("later", on=ON_FAILURE))
    execute(core, "head", FAILED)
    before = [tuple(row) for row in all_rows(core)]
    for verb, done in ((chains(core).retry_failed, "retried"), (chains(core).cancel_rest, "cancelled")):
        with (
            locked(core, tickers, tickers.c.id == ids(core)["later"]),
            pytest.raises(TickerBusyError, match=f"locked by another process: it was not {done}"),
        ):
            verb(head)
    assert [tuple(row) for row in all_rows(core)] == before


@pytest.mark.every_database
def test_the_rest_of_a_chain_is_cancelled_and_no_child_starts_for_that(core: Core) -> None:
    publisher = ListPublisher()
    head = add(
        core,
        ticker("clean up", on=RunCondition.ON_CANCELLED),
        ticker("receipt", ticker("review"), on=ON_SUCCESS),
        ticker("beside", ticker("after beside"), on=RunCondition.IN_PROGRESS),
    )
    run = started(core, head)
    changed = chains(core, publisher).cancel_rest(ids(core)["review"], by="ann", reason="wrong card")
    left = {"clean up", "receipt", "review", "beside", "after beside"}
    assert names(core, changed.ids) == {"head", *left}
    assert statuses(core) == {"head": IN_PROGRESS, **dict.fromkeys(left, CANCELLED)}
    assert {row.skipped_reason for row in all_rows(core) if row.status is CANCELLED} == {
        "cancelled before it ran by ann: wrong card"
    }
    assert (changed.tree.head.run.cancel_requested, publisher.asked) == (True, [(head, 1, False)])
    assert set(publisher.cancelled) == {ids(core)[name] for name in left}
    assert finish(core, run, cancelled(run.standing, failure()))
    assert statuses(core) == {"head": CANCELLED, **dict.fromkeys(left, CANCELLED)}
    assert claim(core) == []
    with pytest.raises(TickerStateError, match="is in a chain that has ended: it cannot be cancelled"):
        chains(core).cancel_rest(head)


def test_what_waits_for_a_retry_or_is_queued_is_cancelled_before_those_that_its_end_would_start(
    core: Core,
) -> None:
    below = [ticker("clean up", on=RunCondition.ON_FAILURE_OR_CANCELLED), ticker("next", on=ON_SUCCESS)]
    head = add(core, *below, retries=1)
    for status in (QUEUED, IDLE):
        claimed = claim(core)
        if status is IDLE:
            run = start(core, claimed[0])
            assert run is not None
            assert finish(core, run, ENDS[FAILED](run))
        assert statuses(core)["head"] is status
        chains(core).cancel_rest(head)
        assert statuses(core) == dict.fromkeys(("head", "clean up", "next"), CANCELLED)
        time_tickers(core).delete(head)
        head = add(core, *below, retries=1)


def test_a_second_cancel_of_the_rest_changes_nothing_and_kills_where_that_is_asked(core: Core) -> None:
    publisher = ListPublisher()
    head = add(core, ticker("receipt"))
    started(core, head)
    chains(core).cancel_rest(head)
    assert chains(core, publisher).cancel_rest(head).ids == ()
    assert chains(core, publisher).cancel_rest(head, terminate=True).ids == (head,)
    assert publisher.asked == [(head, 1, False), (head, 1, True)]


@pytest.mark.every_database
def test_a_chain_that_ends_while_it_is_cancelled_is_cancelled_whole_or_not_at_all(core: Core) -> None:
    for _ in range(4):
        head = add(core, ticker("next", ticker("last")))
        run = started(core, head)
        with processes(core, 2) as (worker, operator):
            at_once(
                partial(finish, worker, run, ENDS[DONE](run)), partial(chains(operator).cancel_rest, head)
            )
        states = {each.run.description: each.run.status for each in chains(core).tree(head).runs}
        assert (states["next"], states["last"]) == (CANCELLED, CANCELLED)
        assert states["head"] is DONE


@pytest.mark.every_database
def test_an_occurrence_is_the_head_of_its_chain_and_is_retried_and_cancelled_with_it(
    core: Core, clock: ManualClock
) -> None:
    child = TimeTicker(function="Send", description="below", run_condition=ON_SUCCESS)
    make_cron(core, description="head", children=[child], overlap="buffer_all")
    clock.advance(hours=1)
    fire(core)
    execute(core, "head", FAILED)
    assert statuses(core) == {"head": FAILED, "below": SKIPPED}
    chains(core).retry_failed(ids(core)["below"])
    assert (statuses(core), waits(core, "below")) == ({"head": IDLE, "below": IDLE}, "head")
    chains(core).cancel_rest(ids(core)["below"])
    assert statuses(core) == {"head": CANCELLED, "below": CANCELLED}


def test_a_chain_that_was_read_is_changed_as_it_was_or_not_at_all(core: Core) -> None:
    head = add(core, ticker("receipt", on=ON_SUCCESS))
    before = chains(core).tree(head)
    execute(core, "head", FAILED)
    for verb in (chains(core).retry_failed, chains(core).cancel_rest):
        with pytest.raises(TickerChangedError) as changed:
            verb(head, expected=before)
        assert changed.value.current == chains(core).tree(head)
    for wrong in (runs(core).get(head), "nonsense", "chain.0.1"):
        with pytest.raises(TickerValidationError, match="expected: pass a ChainTree, or its version"):
            chains(core).retry_failed(head, expected=wrong)
    chains(core).retry_failed(head, expected=chains(core).tree(head).version)
    part = chains(core).tree(head, limit=1)
    chains(core).cancel_rest(head, expected=part)


def test_a_clone_has_the_chain_below_it_only_where_that_is_asked(core: Core, clock: ManualClock) -> None:
    head = add(
        core,
        ticker(
            "receipt", ticker("review", on=ON_SUCCESS, request={"stars": 5}), on=ON_SUCCESS, unique_key="once"
        ),
        ticker("call", on=ON_FAILURE, retries=3),
        ticker("soon", execution_time=START + HOUR),
        ticker("later", execution_time=START + 3 * HOUR),
    )
    execute(core, "head", DONE)
    clock.advance(hours=2)
    assert time_tickers(core).clone(head).has_children is False
    copy = time_tickers(core).clone(head, with_children=True, description="copy")
    assert (copy.cloned_from, copy.root_id, copy.has_children) == (head, copy.id, True)
    copied = [
        (each.run.description, each.depth, each.run_condition, each.run.execution_time, each.run.retries)
        for each in chains(core).tree(copy.id).runs
    ]
    assert copied == [
        ("copy", 0, None, START + 2 * HOUR, 0),
        ("receipt", 1, ON_SUCCESS, None, 0),
        ("call", 1, ON_FAILURE, None, 3),
        ("soon", 1, None, None, 0),
        ("later", 1, None, START + 3 * HOUR, 0),
        ("review", 2, ON_SUCCESS, None, 0),
    ]
    review = runs(core).get(chains(core).tree(copy.id).runs[-1].run.id)
    assert (review.request, review.unique_key, review.status) == ({"stars": 5}, None, IDLE)
    part = time_tickers(core).clone(ids_in(core, head)["receipt"], with_children=True)
    assert [each.run.description for each in chains(core).tree(part.id).runs] == ["receipt", "review"]
    with pytest.raises(TickerValidationError, match="children: with_children copies those it has"):
        time_tickers(core).clone(head, with_children=True, children=[])


def ids_in(core: Core, head: UUID) -> dict[str | None, UUID]:
    return {each.run.description: each.run.id for each in chains(core).tree(head).runs}


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock) as made:
        made.function("Send")(lambda context: None)
        made.function("Break")(failing(OSError("no route")))
        enrol_worker(made)
        yield made


def ended_chain(tickerq: TickerQ) -> UUID:
    """Return the head of a chain that failed, and whose child was skipped for that."""
    chain = ticker("head", ticker("receipt", on=ON_SUCCESS), function="Break")
    head = tickerq.time_tickers.add(chain).id
    execute_all(tickerq)
    return head


@pytest.mark.every_database
def test_each_change_of_a_chain_is_one_entry_with_all_that_it_changed(tickerq: TickerQ) -> None:
    head = ended_chain(tickerq)
    ana = tickerq.acting_as(Actor("ana"))
    changed = ana.chains.retry_failed(head, reason="fixed")
    entry = tickerq.audit.find()[0]
    assert (entry.action, entry.actor, entry.reason) == ("chains.retry_failed", "ana", "fixed")
    assert (set(entry.ids), entry.count, entry.object_id) == (set(changed.ids), 2, str(head))
    assert {each["status"] for each in entry.before.values()} == {"Failed", "Skipped"}
    ana.chains.cancel_rest(head, by="ben")
    entry = tickerq.audit.find()[0]
    assert (entry.action, entry.said_by, entry.count) == ("chains.cancel_rest", "ben", 2)
    assert {each["status"] for each in entry.after.values()} == {"Cancelled"}
    with pytest.raises(TickerStateError):
        ana.chains.cancel_rest(head)
    assert [each.outcome for each in tickerq.audit.find(outcome="refused")] == ["refused"]


@pytest.mark.every_database
def test_an_operation_on_a_chain_is_done_once_and_returned_again(tickerq: TickerQ) -> None:
    head = ended_chain(tickerq)
    once = tickerq.acting_as(Actor("ana", operation_id=uuid4()))
    first = once.chains.retry_failed(head)
    again = once.chains.retry_failed(head)
    assert set(again.ids) == set(first.ids)
    assert again.tree == tickerq.chains.tree(head)
    with pytest.raises(OperationReusedError):
        once.chains.cancel_rest(head)


def test_chains_have_their_verbs_for_event_loops(tickerq: TickerQ) -> None:
    head = ended_chain(tickerq)

    async def retry_and_cancel() -> ChainTree:
        await tickerq.aio.chains.retry_failed(head)
        changed = await tickerq.aio.chains.cancel_rest(head)
        assert len(changed.ids) == 2
        return await tickerq.aio.chains.tree(head)

    assert {each.run.status for each in asyncio.run(retry_and_cancel()).runs} == {CANCELLED}
