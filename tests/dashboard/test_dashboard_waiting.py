"""A run that waits again is shown as it waits now, not as its earlier attempt was."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.dashboard.conftest import BASE, Visitor
from tests.dashboard.page_text import text_in, text_of
from tests.dashboard.seeds import NOW, Seeds
from tests.inner import FunctionLimits
from tests.integration.apps import join
from tickerq_celery import TickerStatus
from tickerq_celery.enums import NodeKind
from tickerq_dashboard.show.moments import machine

AGAIN: dict[str, Any] = {
    "status": TickerStatus.QUEUED,
    "execution_time": NOW - timedelta(minutes=9),
    "started_at": NOW - timedelta(minutes=5),
    "published_at": NOW,
    "due_at": None,
}


SEND = {
    "functions": {"SendWelcomeEmail": FunctionLimits()},
    "definitions": {"SendWelcomeEmail": "d1"},
}


def rows_of(page: str) -> str:
    """What a reader sees of the rows of a list."""
    return text_in(page.partition("<tbody>")[2].partition("</tbody>")[0])


@pytest.mark.parametrize(
    ("status", "since", "has_lag"),
    [
        (TickerStatus.QUEUED, AGAIN["published_at"], False),
        (TickerStatus.IN_PROGRESS, AGAIN["started_at"], True),
    ],
)
def test_only_an_attempt_that_runs_says_since_when_and_how_late(
    visitor: Visitor, seeds: Seeds, status: TickerStatus, since: datetime, has_lag: bool
) -> None:
    run_id = seeds.run(**AGAIN | {"status": status})
    page = visitor.get("/runs/active").text
    assert f'<td><time datetime="{machine(since)}"' in page
    assert ("4 min" in rows_of(page)) == has_lag
    assert (" Lag " in text_of(visitor.get(f"/runs/{run_id}").text)) == has_lag


@pytest.mark.parametrize(
    ("columns", "listed"),
    [
        ({"status": TickerStatus.QUEUED}, "runs/active"),
        ({"held_for": "limit", "held_since": NOW}, "runs/active"),
        ({}, "runs/upcoming"),
        ({"status": TickerStatus.DONE}, "runs"),
    ],
)
def test_a_run_links_to_the_list_that_it_is_in(
    visitor: Visitor, seeds: Seeds, columns: dict[str, Any], listed: str
) -> None:
    page = visitor.get(f"/runs/{seeds.run(queue='pdf', **columns)}").text
    for words in ("queue=pdf", "function=SendWelcomeEmail"):
        assert f'href="{BASE}/{listed}?{words}"' in page


def test_a_run_that_ended_without_an_attempt_was_never_attempted(visitor: Visitor, seeds: Seeds) -> None:
    for status, is_over in ((TickerStatus.SKIPPED, True), (TickerStatus.IDLE, False)):
        page = text_of(visitor.get(f"/runs/{seeds.run(status=status)}").text)
        assert ("It was never attempted." in page) == is_over
        assert ("No attempt has ended yet" in page) != is_over


@pytest.mark.parametrize(
    ("queue", "worker", "said"),
    [
        ("pdf", None, "In queue pdf: no worker is alive"),
        ("pdf", {"queues": ("celery",), **SEND}, "In queue pdf, which no live worker consumes"),
        (None, {"queues": ("pdf",), **SEND}, "In queue celery, which no live worker consumes"),
        ("pdf", {"queues": ("pdf",)}, "In queue pdf: no live worker on it has its function"),
        ("pdf", {"queues": ("pdf",), **SEND}, "In queue pdf, for a worker to start it"),
        (None, {"queues": (), **SEND}, "In queue celery, for a worker to start it"),
    ],
)
def test_a_list_says_of_a_queued_run_whether_a_worker_takes_it_and_not_how_it_failed(
    visitor: Visitor, seeds: Seeds, queue: str | None, worker: dict[str, Any] | None, said: str
) -> None:
    if worker is not None:
        join(seeds.tickerq, NodeKind.WORKER, **worker)
    seeds.run(**AGAIN, queue=queue, rescue_count=1, exception_type="WorkerLost", exception_message="x")
    rows = rows_of(visitor.get("/runs/active").text)
    assert rows.strip().endswith(said)
    assert "WorkerLost" not in rows


def test_routers_are_asked_once_for_a_page_that_is_looked_at_again(
    visitor: Visitor, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str | None]] = []

    def queue_of(functions: object, function: str, queue: str | None = None) -> str:
        asked.append((function, queue))
        return f"of {function}"

    monkeypatch.setattr(type(seeds.tickerq.functions), "queue_of", queue_of)
    for function, queue in [("A", None), ("A", None), ("A", "pdf"), ("B", None)]:
        seeds.run(**AGAIN, function=function, queue=queue)
    for address in ("/runs/active", "/runs/active", "/runs/active?status=queued"):
        assert "In queue of B: no worker is alive" in rows_of(visitor.get(address).text)
    assert sorted(asked, key=str) == [("A", "pdf"), ("A", None), ("B", None)]
    seeds.run(**AGAIN, function="C")
    assert "In queue of C: no worker is alive" in rows_of(visitor.get("/runs/active?function_prefix=C").text)


def test_the_page_of_a_run_that_waits_again_says_of_which_attempt_its_error_is(
    visitor: Visitor, seeds: Seeds
) -> None:
    run_id = seeds.run(**AGAIN, queue="pdf", exception_type="WorkerLost", exception_message="x")
    seeds.attempt(run_id, exception_type="WorkerLost", exception_message="x")
    join(seeds.tickerq, NodeKind.WORKER, queues=("celery",), **SEND)
    page = visitor.get(f"/runs/{run_id}").text
    text = text_of(page)
    assert "Attempt 1 ended with WorkerLost" in text
    assert "Waits for a worker that consumes queue pdf" in text
    assert f'<a href="{BASE}/nodes">See the workers</a>' in page
    ended = seeds.run(status=TickerStatus.FAILED, exception_type="KeyError")
    seeds.attempt(ended, exception_type="KeyError")
    assert "ended with" not in text_of(visitor.get(f"/runs/{ended}").text)


def test_a_list_says_after_which_error_a_run_waits_for_its_retry(visitor: Visitor, seeds: Seeds) -> None:
    common = {"exception_type": "KeyError", "exception_message": "x"}
    seeds.run(**common, retry_count=1, started_at=NOW, due_at=NOW + timedelta(days=9_000))
    seeds.run(**common, status=TickerStatus.FAILED)
    assert rows_of(visitor.get("/runs/upcoming").text).strip().endswith("After KeyError : x")
    assert "After" not in rows_of(visitor.get("/runs").text)
