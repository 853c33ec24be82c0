"""Settings of Celery's that keep runs from starting are refused in words; others are warned of."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import Celery
from kombu import Queue

from tickerq_celery.broker.celery_settings import control_warning, eager_warning, flaws, refuse_settings
from tickerq_celery.broker.routes import queue_of
from tickerq_celery.errors import ConfigError


@pytest.fixture
def app() -> Iterator[Celery]:
    made = Celery("shop", set_as_current=False)
    yield made
    made.close()


def texts(app: Celery, *queues: tuple[str, str | None]) -> list[str]:
    return [str(flaw) for flaw in flaws(app, queues)]


@pytest.mark.parametrize("accepted", [["json"], ["pickle", "application/json"], None])
def test_content_with_json_is_fine(app: Celery, accepted: Any) -> None:
    app.conf.accept_content = accepted
    assert texts(app, ("Send", None)) == []


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        (["pickle"], r"add 'json': tickers' messages are JSON, .* drop them \(got \['pickle'\]\)"),
        ([], r"add 'json': .*"),
        ("json", r"No encoder/decoder installed for j \(got 'json'\)"),
    ],
)
def test_content_without_json_is_refused(app: Celery, accepted: Any, expected: str) -> None:
    app.conf.accept_content = accepted
    with pytest.raises(ConfigError, match=f"^accept_content: {expected}$"):
        refuse_settings(app, ())


def test_a_message_protocol_without_headers_is_refused(app: Celery) -> None:
    app.conf.task_protocol = 1
    assert texts(app) == [
        "task_protocol: messages of protocol 1 carry no headers, and would name no ticker: use 2"
    ]


def test_a_queue_that_celery_may_not_make_is_refused_wherever_it_is_named(app: Celery) -> None:
    app.conf.task_queues = [Queue("celery"), Queue("mail")]
    app.conf.task_routes = {"tickerq.Routed": {"queue": "nowhere"}}
    queues = [("Plain", None), ("Sent", "mail"), ("Routed", None), ("Slow", "slow"), ("any function", "low")]
    assert texts(app, *queues) == []
    # The router is made with the app's queues, once.
    with Celery("strict", set_as_current=False) as strict:
        strict.conf.update(
            task_create_missing_queues=False,
            task_queues=app.conf.task_queues,
            task_routes=app.conf.task_routes,
        )
        off = "task_create_missing_queues: it is off, and runs of"
        assert texts(strict, *queues) == [
            f"{off} Routed could not be published: Queue 'nowhere' missing from task_queues",
            f"{off} Slow could not be published: Queue 'slow' missing from task_queues",
            f"{off} any function could not be published: Queue 'low' missing from task_queues",
        ]


def test_a_router_that_raises_is_left_to_the_publisher(app: Celery) -> None:
    def route(*args: Any, **kwargs: Any) -> None:
        raise LookupError("no route today")

    app.conf.update(task_create_missing_queues=False, task_routes=(route,))
    assert texts(app, ("Send", None)) == []


def test_a_queue_is_known_unless_a_route_names_an_exchange_only(app: Celery) -> None:
    app.conf.task_routes = {"tickerq.A": "routed", "tickerq.B": {"exchange": "else", "routing_key": "x"}}
    assert [queue_of(app, name, None) for name in ("A", "B", "C")] == ["routed", None, "celery"]
    assert queue_of(app, "A", "own") == "own"


def test_what_changes_the_meaning_of_tickers_is_warned_of(app: Celery) -> None:
    heartbeat = timedelta(seconds=10)
    assert (eager_warning(app), control_warning(app, heartbeat)) == (None, None)
    app.conf.update(task_always_eager=True, worker_enable_remote_control=False)
    assert "a worker runs it" in str(eager_warning(app))
    assert "next heartbeat, up to 10 s later" in str(control_warning(app, heartbeat))
