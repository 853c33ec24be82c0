"""Which functions workers registered, who has them, what holds them, and their active runs."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Never

import pytest
from sqlalchemy import update

from tests.inner import Core, Function, make_function
from tests.integration.conftest import send
from tests.integration.making import (
    another_node,
    claim,
    enrolled,
    make_cron,
    make_run,
    make_runs,
    started,
    storing,
)
from tests.integration.pruning import end, forget_counts
from tests.manual_clock import START, ManualClock
from tests.plain_surroundings import PlainSurroundings
from tests.plans.explaining import queries
from tests.statements import function_counts, function_names, nodes
from tests.tables import cron_tickers
from tickerq_celery import TickerContext, TickerQ
from tickerq_celery.enums import HoldReason, OnLost, PauseKind, TickerKind, TickerPriority, TickerStatus
from tickerq_celery.errors import TickerNotFoundError, TickerValidationError
from tickerq_celery.managers import functions as managers_functions
from tickerq_celery.managers.functions import FunctionManager
from tickerq_celery.typing import PauseManager
from tickerq_celery.views import CheckedBy, FunctionVersion, FunctionView


def manager(core: Core) -> FunctionManager:
    return FunctionManager(storing(core), PlainSurroundings())


def get(core: Core, name: str = "Send") -> FunctionView:
    return manager(core).get(name)


def greet(context: TickerContext[int]) -> None:
    """Greet a customer.

    Not more than once.
    """


def greeting(**options: Any) -> Function:
    return make_function(greet, "shop.Greet", **options)


@pytest.mark.every_database
def test_a_function_is_shown_with_all_that_its_worker_registered(make_core: Callable[..., Core]) -> None:
    core = enrolled(
        make_core(
            greeting(
                queue="mail", priority="high", max_concurrency=3, max_concurrency_per_key=None,
                rate_limit="9/m",
                on_lost="fail", retries=2, retry_intervals=[1, 60], timeout=5, hard_timeout=9.5,
            )
        )
    )  # fmt: skip
    view = get(core, "shop.Greet")
    assert view.path == f"{__name__}:greet"
    assert view.summary == "Greet a customer."
    assert (view.queue, view.priority, view.rate_limit) == ("mail", TickerPriority.HIGH, "9/m")
    assert (view.max_concurrency, view.max_concurrency_per_key) == (3, None)
    assert (view.on_lost, view.retries) == (OnLost.FAIL, 2)
    assert view.retry_intervals == (timedelta(seconds=1), timedelta(minutes=1))
    assert (view.timeout, view.hard_timeout) == (timedelta(seconds=5), timedelta(seconds=9.5))
    assert view.request_schema["type"] == "integer"
    assert (view.registered_at, view.updated_at, view.namespace) == (START, START, core.config.namespace)
    assert (view.nodes, view.is_skewed, view.pauses) == ((core.node.name,), False, ())
    assert get(core, "shop.Greet") == manager(core).find()[0]


def test_a_registration_that_says_the_same_writes_nothing(
    make_core: Callable[..., Core], clock: ManualClock
) -> None:
    core = enrolled(make_core(greeting(timeout=0.1, retries=1, retry_intervals=[0.1])))
    clock.advance(minutes=1)
    enrolled(another_node(core))
    assert get(core, "shop.Greet").updated_at == START


def test_a_function_stays_known_when_no_worker_has_it_any_more(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    assert get(core).nodes == (core.node.name,)
    core.write(nodes.beat, core.node.id, is_stopping=True)
    assert get(core).nodes == ()
    enrolled(core)
    clock.advance(seconds=26)
    assert get(core).nodes == ()
    core.write(nodes.remove, core.node.id)
    assert [view.name for view in manager(core).find()] == ["Send"]
    assert (get(core).nodes, get(core).versions, get(core).is_skewed) == ((), (), False)


@pytest.mark.every_database
def test_workers_that_define_a_function_in_different_ways_are_named(make_core: Callable[..., Core]) -> None:
    old = [enrolled(another_node(make_core(send(retries=1), send("Bill")))) for _ in range(2)]
    new = enrolled(another_node(make_core(send(retries=2), send("Bill"))))
    view = get(new)
    assert [version.nodes for version in view.versions] == [
        tuple(sorted(each.node.name for each in old)), (new.node.name,),
    ]  # fmt: skip
    assert view.versions[1] == FunctionVersion(digest=view.digest, nodes=(new.node.name,))
    assert (view.is_skewed, get(new, "Bill").is_skewed) == (True, False)
    [difference] = view.differences
    assert difference.setting == "retries"
    assert [(each.value, each.nodes) for each in difference.values] == [
        (1, tuple(sorted(each.node.name for each in old))), (2, (new.node.name,)),
    ]  # fmt: skip
    assert get(new, "Bill").differences == ()
    new.write(nodes.remove, new.node.id)
    # The latest registration counts, though its worker is gone.
    assert (len(get(new).versions), get(new).is_skewed) == (1, True)
    [difference] = get(new).differences
    assert [(each.value, each.nodes) for each in difference.values][1] == (2, ())


def test_a_version_of_the_code_that_changes_no_limit_is_no_other_set_of_functions(
    make_core: Callable[..., Core],
) -> None:
    enrolled(another_node(make_core(send(retries=1))))
    core = enrolled(another_node(make_core(send(retries=2))))
    assert len(core.read(nodes.worker_hashes)) == 1
    enrolled(another_node(make_core(send(max_concurrency=1))))
    assert len(core.read(nodes.worker_hashes)) == 2


def test_pauses_of_the_function_and_of_everything_hold_it(core: Core) -> None:
    enrolled(core)
    paused = PauseManager(storing(core))
    for scope in ({"function": "Send"}, {"tag": "eu"}, {"everything": True}):
        paused.pause(**scope, reason="a move", by="ann")  # type: ignore[arg-type]
    paused.pause(function="Bill", allow_unknown=True)
    view = get(core)
    assert {pause.kind for pause in view.pauses} == {PauseKind.FUNCTION, PauseKind.EVERYTHING}
    assert {(pause.reason, pause.paused_by) for pause in view.pauses} == {("a move", "ann")}
    assert view.is_paused


@pytest.mark.every_database
def test_active_runs_are_counted_by_why_they_have_not_ended(
    make_core: Callable[..., Core], clock: ManualClock
) -> None:
    core = enrolled(make_core(send(), send("Bill")))
    started(core, make_run(core))
    claim(core, make_runs(core, 2))
    PauseManager(storing(core)).pause(tag="eu")
    make_run(core, tags=["eu"])
    claim(core)
    make_run(core, execution_time=START + timedelta(hours=1))
    make_runs(core, 4, "Bill")
    due_at = clock.now()
    make_runs(core, 3)
    clock.advance(seconds=5)
    counts = get(core).active
    assert {
        name: int(getattr(counts, name)) for name in ("in_progress", "queued", "due", "scheduled")
    } == {"in_progress": 1, "queued": 2, "due": 3, "scheduled": 1}  # fmt: skip
    assert {reason: int(count) for reason, count in counts.held.items() if count.number} == {
        HoldReason.PAUSED: 1
    }
    assert (counts.due_since, counts.lag) == (due_at, timedelta(seconds=5))
    bill = get(core, "Bill").active
    assert (int(bill.due), int(bill.in_progress), int(bill.scheduled)) == (4, 0, 0)


@pytest.mark.every_database
def test_counts_that_met_their_bound_among_others_say_so(
    make_core: Callable[..., Core], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(function_counts, "_MOST_READ", 3)
    core = enrolled(make_core(send(), send("Bill")))
    make_runs(core, 2, "Bill")
    make_run(core)
    counts = get(core).active
    assert (str(counts.due), str(counts.queued)) == ("1+", "0")


def test_runs_of_a_celery_task_of_that_name_do_not_count(tickerq: TickerQ) -> None:
    tickerq.schedule("Send", delay=60, allow_unknown=True)
    assert int(tickerq.functions.get("Send").active.scheduled) == 0


@pytest.mark.every_database
def test_a_function_has_the_figures_of_its_last_24_hours(
    make_core: Callable[..., Core], clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = enrolled(make_core(send(), send("Bill")))
    forget_counts(core)
    for status in (TickerStatus.DONE, TickerStatus.DONE, TickerStatus.DONE, TickerStatus.FAILED):
        end(core, make_run(core), status)
    failed_at = clock.now()
    clock.advance(hours=23)
    enrolled(another_node(core))
    send_figures, bill = get(core).figures, get(core, "Bill").figures
    assert send_figures is not None
    assert (send_figures.counts.ends, send_figures.counts.failed) == (4, 1)
    assert send_figures.counts.success_share == 0.75
    assert (send_figures.durations.mean, send_figures.last_failed_at) == (timedelta(seconds=1.5), failed_at)
    assert bill is not None
    assert (bill.counts.ends, bill.counts.success_share, bill.durations.p95) == (0, None, None)
    assert [view.figures for view in manager(core).find()] == [bill, send_figures]
    monkeypatch.setattr(managers_functions, "figures_of", too_many)
    assert get(core).figures is None


def too_many(*_: object, **__: object) -> Never:
    raise TickerValidationError("since", None, "too many rows")


@pytest.mark.every_database
def test_functions_are_listed_by_name_from_page_to_page(make_core: Callable[..., Core]) -> None:
    names = ["Bill", "shop.Greet", "shop.Send", "shop_x", "Send"]
    core = enrolled(make_core(*(send(name) for name in names)))
    found = manager(core).find(limit=2)
    assert [view.name for view in found] == sorted(names)[:2]
    rest = manager(core).find(limit=5, cursor=found.next_cursor)
    assert [view.name for view in rest] == sorted(names)[2:]
    assert rest.next_cursor is None
    assert [view.name for view in manager(core).iterate(page_size=2)] == sorted(names)
    assert [view.name for view in manager(core).find(prefix="shop.")] == ["shop.Greet", "shop.Send"]
    assert [view.name for view in manager(core).find(prefix="Shop.")] == []


def test_a_function_that_no_worker_ever_registered_is_listed_while_something_waits_for_it(
    make_core: Callable[..., Core],
) -> None:
    core = enrolled(make_core(send(), send("Close")))
    make_run(core, "Bill")
    make_cron(core, function="Zap")
    make_runs(core, 2, "Close")
    make_runs(core, 2, "Ask")
    only_send = enrolled(make_core(send()))
    core.write(nodes.remove, core.node.id)
    claim(only_send)
    found = manager(only_send).find()
    held = {view.name: int(view.active.held[HoldReason.FUNCTION]) for view in found}
    assert held == {"Ask": 2, "Bill": 1, "Close": 2, "Send": 0, "Zap": 0}
    assert [view.name for view in found if not view.is_registered] == ["Ask", "Bill", "Zap"]
    ask = found[0]
    assert (ask.registered_at, ask.updated_at, ask.path, ask.nodes, ask.is_skewed) == (
        None, None, None, (), False,
    )  # fmt: skip
    assert manager(only_send).get("Ask") == ask
    assert [view.name for view in manager(only_send).iterate(page_size=2)] == list(held)
    assert [view.name for view in manager(only_send).find(prefix="Z")] == ["Zap"]


@pytest.mark.every_database
def test_names_are_found_by_a_part_in_any_case_whatever_knows_them(
    make_core: Callable[..., Core], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Fewer than the cron tickers of one name, and than the names.
    monkeypatch.setattr(function_names, "_AT_ONCE", 3)
    names = ("shop.Bank", "shop.Post", "bank.Pay", "a.rebank", "BANKER")
    core = enrolled(make_core(*(make_function(greet, name) for name in names)))
    for _ in range(7):
        make_cron(core, function="cron.Bank")
    make_cron(core, function="cron.Other")
    task, of_task = make_cron(core, function="task.bank"), {"kind": TickerKind.CELERY_TASK.value}
    core.write(lambda tx: tx.execute(update(cron_tickers).values(of_task).where(cron_tickers.c.id == task)))
    make_run(core, "Held.Bank")
    claim(core)
    found = manager(core).names("bank")
    assert [each.name for each in found] == [
        *("BANKER", "bank.Pay", "Held.Bank", "cron.Bank", "shop.Bank", "task.bank", "a.rebank"),
    ]
    assert [each.name for each in found if not each.is_function] == ["task.bank"]
    assert manager(core).names("bank", limit=2) == found[:2]
    make_cron(core, function="bank")
    assert next(each.name for each in manager(core).names("Bank")) == "bank"
    assert [each.name for each in manager(core).names("BANK", "shop")] == ["shop.Bank"]
    assert manager(core).names("bank_") == ()
    assert manager(core).names("bank", namespace="other") == ()


def test_what_nobody_asks_for_is_not_read(core: Core) -> None:
    enrolled(core)
    make_cron(core, function="Awaited")
    found = manager(core)
    assert [view.name for view in found.find()] == ["Awaited", "Send"]
    assert [view.name for view in found.find(with_awaited=False)] == ["Send"]
    assert [view.figures is None for view in (found.get("Send"), found.find()[0])] == [False, False]
    with queries() as sent:
        assert found.get("Send", with_figures=False).figures is None
    # The function, who has it, what pauses it, and how many of its runs are active.
    assert len(sent) == 4
    assert [view.figures for view in found.find(with_figures=False)] == [None, None]
    with pytest.raises(TickerValidationError, match="with_figures"):
        found.get("Send", with_figures="no")  # type: ignore[arg-type]


def test_a_function_that_names_no_queue_shows_the_one_of_its_route(make_core: Callable[..., Core]) -> None:
    core = enrolled(make_core(send(), send("Bill", queue="money"), send("Odd")))
    surroundings = PlainSurroundings(routes={"Send": "mail", "Odd": ValueError("a router's")})
    found = FunctionManager(storing(core), surroundings).find()
    assert {view.name: (view.queue, view.routed_queue) for view in found} == {
        "Bill": ("money", "money"), "Odd": (None, None), "Send": (None, "mail"),
    }  # fmt: skip


def test_functions_of_another_namespace_are_asked_for_by_its_name(
    make_core: Callable[..., Core], namespace: str
) -> None:
    core = make_core(send())
    elsewhere = enrolled(make_core(send("Else"), namespace=f"{namespace}-b"))
    assert manager(core).find() == manager(core).find(namespace="nowhere")
    [view] = manager(core).find(namespace=f"{namespace}-b")
    assert (view.name, view.nodes) == ("Else", (elsewhere.node.name,))
    assert manager(core).get("Else", namespace=f"{namespace}-b") == view


def test_a_function_that_no_worker_registered_is_not_found_and_one_like_it_is_named(core: Core) -> None:
    enrolled(core)
    with pytest.raises(TickerNotFoundError) as refused:
        get(core, "Sned")
    assert str(refused.value) == "no worker ever registered a function Sned: did you mean Send?"


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"prefix": 3}, {"cursor": 3}, {"namespace": " "}])
def test_an_argument_that_means_nothing_is_refused(core: Core, wrong: dict[str, Any]) -> None:
    with pytest.raises(TickerValidationError, match=next(iter(wrong))):
        manager(core).find(**wrong)


def test_a_request_is_checked_as_it_would_be_stored(make_core: Callable[..., Core]) -> None:
    functions = manager(make_core(greeting()))
    assert functions.check_request("shop.Greet", 4) is CheckedBy.FUNCTION
    assert functions.check_request("shop.Elsewhere", "anything") is CheckedBy.NOTHING
    with pytest.raises(TickerValidationError, match="request"):
        functions.check_request("shop.Greet", "x")
