"""A run of a Celery task says on every surface what is known of it: its outcome, or that it was published."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from tests.integration.apps import enrol_worker, ticker_app
from tests.integration.pruning import forget_counts
from tests.integration.stats.rolling import roll_all
from tests.integration.worker.call_app import add_call, deliver_all, followed
from tests.manual_clock import ManualClock
from tickerq_celery import TickerQ, TickerStatus
from tickerq_celery.cli.reading.runs import COLUMNS
from tickerq_celery.errors import TickerStateError
from tickerq_celery.testing.scheduled import listed
from tickerq_celery.tickers.archive_lines import line_of_run
from tickerq_celery.tickers.json_values import as_json
from tickerq_celery.views import Actor, Run, RunSummary

Surface = Callable[[TickerQ, UUID], str]


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock) as made:
        yield made


def works(task: Any) -> None:
    pass


def breaks(task: Any) -> None:
    raise OSError("no route")


def task_of(tickerq: TickerQ, body: Any) -> Any:
    return tickerq.app.task(name=f"shop.{body.__name__}", bind=True, shared=False)(body)


def unfollowed(tickerq: TickerQ) -> UUID:
    """Return a call that no worker follows: it ends with its publication, whatever becomes of it."""
    run_id = add_call(tickerq, task_of(tickerq, breaks))
    deliver_all(tickerq)
    return run_id


def waiting(tickerq: TickerQ) -> UUID:
    """Return a call that a worker would follow, and has not reported yet."""
    enrol_worker(tickerq, queues=[tickerq.app.conf.task_default_queue])
    return add_call(tickerq, task_of(tickerq, works))


def reported(body: Any) -> Callable[[TickerQ], UUID]:
    def report(tickerq: TickerQ) -> UUID:
        enrol_worker(tickerq, queues=[tickerq.app.conf.task_default_queue])
        with followed(tickerq):
            run_id = add_call(tickerq, task_of(tickerq, body))
            deliver_all(tickerq)
        return run_id

    return report


CASES = {
    "unfollowed": (unfollowed, "Published"),
    "not reported yet": (waiting, "Published"),
    "followed, well": (reported(works), "Done"),
    "followed, failed": (reported(breaks), "Failed"),
}


def run_of(tickerq: TickerQ, run_id: UUID) -> Run:
    return tickerq.runs.get(run_id)


def summary_of(tickerq: TickerQ, run_id: UUID) -> RunSummary:
    return tickerq.chains.tree(run_id).head.run


def cell(tickerq: TickerQ, run_id: UUID) -> str:
    column = next(each for each in COLUMNS if each.title == "STATUS")
    return column.text(summary_of(tickerq, run_id))


def deleted_status(tickerq: TickerQ, run_id: UUID) -> str:
    tickerq.acting_as(Actor("ann")).time_tickers.delete(run_id)
    return str(tickerq.audit.find()[0].before["status"])


SURFACES: dict[str, Surface] = {
    "a run": lambda tickerq, run_id: run_of(tickerq, run_id).status_word,
    "a summary": lambda tickerq, run_id: summary_of(tickerq, run_id).status_word,
    "a cell of the command line": cell,
    "JSON": lambda tickerq, run_id: as_json(run_of(tickerq, run_id))["status_word"],
    "JSON of a list": lambda tickerq, run_id: as_json(summary_of(tickerq, run_id))["status_word"],
    "a line of the archive": lambda tickerq, run_id: json.loads(line_of_run(run_of(tickerq, run_id)))[
        "status_word"
    ],
    "the audit of a delete": deleted_status,
}


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("case", CASES)
def test_each_surface_says_the_outcome_or_that_it_was_published(
    tickerq: TickerQ, case: str, surface: str
) -> None:
    make, word = CASES[case]
    assert SURFACES[surface](tickerq, make(tickerq)) == word


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("unfollowed", "its message was published"),
        ("not reported yet", "Waits for a worker's report of its Celery task"),
        ("followed, well", "ended as Done"),
        ("followed, failed", "ended as Failed"),
    ],
)
def test_so_does_its_explanation(tickerq: TickerQ, case: str, words: str) -> None:
    make, word = CASES[case]
    explained = tickerq.runs.explain(make(tickerq))
    assert words in str(explained)
    if case != "not reported yet":
        assert explained.summary.startswith(word)
    assert ("ended as Done" in str(explained)) == (word == "Done")


@pytest.mark.every_database
def test_counts_and_filters_know_them_apart(tickerq: TickerQ) -> None:
    # The one that is not to be reported last: each other delivers all messages.
    names = sorted(CASES, key=lambda name: name == "not reported yet")
    made = {name: CASES[name][0](tickerq) for name in names}
    counts = tickerq.runs.counts()
    assert (int(counts.queued), int(counts.published)) == (1, 1)
    published, done = (
        {run.id for run in tickerq.runs.find(**filters)}
        for filters in ({"is_published": True}, {"status": ["done", "due_done"]})
    )
    assert published == {made["unfollowed"], made["not reported yet"]}
    assert done == {made["followed, well"]}
    assert {run.id for run in tickerq.runs.history(is_published=True)} == {made["unfollowed"]}
    assert int(tickerq.bulk.count("delete", status=["done", "due_done"])) == 1
    assert int(tickerq.bulk.count("delete", is_published=True)) == 1


def test_a_call_that_is_reported_after_all_ends_once_more(tickerq: TickerQ, clock: ManualClock) -> None:
    forget_counts(tickerq.core)
    run_id = add_call(tickerq, task_of(tickerq, works))
    clock.advance(minutes=3)
    roll_all(tickerq.core)
    with followed(tickerq):
        deliver_all(tickerq)
    assert tickerq.runs.get(run_id).outcome_known
    total = tickerq.stats.throughput().total
    assert (total.published, total.succeeded, total.ends, total.success_share) == (1, 1, 2, 1.0)


@pytest.mark.parametrize(
    ("case", "status"),
    [("unfollowed", "Published"), ("followed, well", "Done"), ("followed, failed", "Failed")],
)
def test_a_refusal_says_what_is_known(tickerq: TickerQ, case: str, status: str) -> None:
    run_id = CASES[case][0](tickerq)
    with pytest.raises(TickerStateError, match=f"is {status}: it cannot be cancelled"):
        tickerq.runs.cancel(run_id)
    if case != "followed, failed":
        with pytest.raises(TickerStateError, match=f"is {status}: it cannot be retried"):
            tickerq.runs.retry(run_id)


def test_the_kit_for_tests_says_that_it_is_a_celery_task(tickerq: TickerQ) -> None:
    run = tickerq.schedule(task_of(tickerq, works), delay=60)
    assert "Celery task shop.works, at" in listed([run])
    assert run.status is TickerStatus.IDLE
