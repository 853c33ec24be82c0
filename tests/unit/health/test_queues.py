"""Which queues have no consumer, and which functions no queue."""

from dataclasses import replace
from datetime import timedelta

from tests.unit.health.nodes_made import AT, gone, lost, shown, worker
from tickerq_celery.health.queues import QueueUse, of_queues, of_routes, unstarted_elsewhere
from tickerq_celery.store.health.backlog import Late
from tickerq_celery.views import Count


def use(
    function: str, queue: str | None, runs: int = 0, error: str | None = None, unstarted: int = 0
) -> QueueUse:
    since = AT - timedelta(minutes=3) if runs else None
    return QueueUse(function=function, queue=queue, runs=runs, unstarted=unstarted, since=since, error=error)


def test_a_queue_in_which_runs_wait_is_a_failure_and_an_empty_one_a_warning() -> None:
    uses = [use("Send", "celery"), use("Bill", "slow", 2), use("Report", "slow", 3), use("Rare", "rare")]
    waiting, empty = of_queues(uses, [worker()], [])
    assert (shown(waiting), shown(empty)) == (
        ("no_consumer", "failed", "slow"),
        ("no_consumer", "warning", "rare"),
    )
    assert waiting.text == (
        "queue slow: no live worker consumes it, and 5 runs of Bill and Report wait in it, "
        "the first since 2026-01-15 11:57:00Z"
    )
    assert waiting.remedy == "start a worker for it, `celery -A yourapp worker -Q slow`"
    assert empty.text == "queue rare: no live worker consumes it, and runs of Rare go to it"


def test_it_says_which_functions_the_router_sends_there_and_what_is_not_published_yet() -> None:
    uses = [replace(use("Bill", "slow", 2), routed=True), replace(use("Report", "slow", 3), due=3)]
    [found] = of_queues([*uses, replace(use("Rare", "slow"), routed=True)], [worker()], [])
    assert found.functions == ("Bill",)
    assert "5 runs of Bill and Report wait in it (3 due and not published yet), the first" in found.text


def test_the_last_worker_that_consumed_a_queue_is_named() -> None:
    had = lost(worker("celery@web7", queues=("slow",)), AT - timedelta(hours=1))
    [found] = of_queues([use("Bill", "slow", 1)], [worker()], [had, lost(worker("celery@web8"))])
    assert found.text.endswith("; the last one that did, celery@web7, was last seen at 2026-01-15 11:00:00Z")


def test_nothing_is_said_where_no_worker_is_alive_or_one_may_consume_any_queue() -> None:
    uses = [use("Bill", "slow", 2)]
    assert list(of_queues(uses, [], [])) == []
    assert list(of_queues(uses, [gone(worker(), 42)], [])) == []
    assert list(of_queues(uses, [worker(), worker("any", queues=())], [])) == []


def test_runs_that_go_to_an_exchange_are_in_no_queue_that_could_be_missed() -> None:
    assert list(of_queues([use("Send", None, 1)], [worker()], [])) == []


def test_a_function_whose_router_raises_is_named_once() -> None:
    error = "LookupError: no route"
    [found] = of_routes([use("Send", None, 2, error), use("Send", None, 0, error), use("Bill", "celery")])
    assert shown(found) == ("no_route", "failed", "Send")
    assert found.text == "runs of Send cannot be published: LookupError: no route"


def test_what_waits_in_a_queue_without_a_consumer_is_not_unstarted_for_a_second_cause() -> None:
    late = Late(count=Count(7), since=AT - timedelta(hours=1))
    slow, busy = use("Bill", "slow", 9, unstarted=5), use("Send", "celery", 3, unstarted=2)
    rest = unstarted_elsewhere(late, [slow, busy], [worker()])
    assert (rest.count, rest.since) == (Count(2), busy.since)
    none = unstarted_elsewhere(Late(count=Count(5), since=slow.since), [slow], [worker()])
    assert (none.count, none.since) == (Count(0), None)


def test_without_any_live_worker_all_that_is_unstarted_counts() -> None:
    late = Late(count=Count(5), since=AT - timedelta(hours=1))
    assert unstarted_elsewhere(late, [use("Bill", "slow", 9, unstarted=5)], []) == late
