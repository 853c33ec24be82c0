"""TickerQ and its Celery app: made early, wired late, one to an app."""

import gc
import multiprocessing
import sqlite3
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest
from celery import Celery, Task, _state
from celery.concurrency.prefork import TaskPool

from tests.inner import verify
from tests.integration.apps import enrol_worker, execute, ticker_app
from tickerq_celery import TickerQ, TickerStatus, TimeTicker
from tickerq_celery.errors import ConfigError, DuplicateFunctionError, TickerValidationError
from tickerq_celery.managers.acting import Managers
from tickerq_celery.managers.facade import Facade
from tickerq_celery.managers.time_tickers.task_scheduling import TaskScheduling
from tickerq_celery.scheduler import TickerScheduler
from tickerq_celery.task import TickerTask
from tickerq_celery.worker.step import NodeStep

STORE = "sqlite:///never-opened.db"


@pytest.fixture
def app() -> Iterator[Celery]:
    made = Celery("shop", broker="memory://", set_as_current=False)
    yield made
    made.close()


class Touchy(ModuleType):
    """A configuration module that must not be read."""

    def __getattribute__(self, name: str) -> Any:
        if name in {"__class__", "__dict__", "__spec__", "__name__", "__path__"}:
            return super().__getattribute__(name)
        raise AssertionError(f"{name} was read")


def test_nothing_is_read_or_opened_before_the_first_use(
    app: Celery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "touchy_config", Touchy("touchy_config"))
    app.config_from_object("touchy_config")
    tickerq = TickerQ(app, "sqlite:///tickers.db", exception_handler="no.such.module.Handler")

    @tickerq.function("Send")
    def send() -> None: ...

    assert not app.configured
    assert not app.finalized
    assert list(tmp_path.iterdir()) == []
    with pytest.raises((AssertionError, AttributeError), match="was read"):
        tickerq.core  # noqa: B018 - the first use reads the settings


def test_a_ticker_q_starts_no_process_and_no_thread_but_readers(store_url: str, namespace: str) -> None:
    threads = set(threading.enumerate())
    with ticker_app(store_url, namespace) as tickerq:
        tickerq.function("Send")(lambda: None)
        run = tickerq.time_tickers.add(TimeTicker(function="Send"))
        tickerq.seed()
        assert set(threading.enumerate()) <= threads
        assert tickerq.runs.get(run.id).status is TickerStatus.IDLE
        assert {each.name for each in set(threading.enumerate()) - threads} == {"tickerq-read"}
        assert multiprocessing.active_children() == []


def test_one_app_has_one_ticker_q(app: Celery) -> None:
    first = TickerQ(app, STORE)
    with pytest.raises(ConfigError, match="has a TickerQ already"):
        TickerQ(app, STORE)
    assert TickerQ.of(app) is TickerQ.known(app) is first


def test_its_managers_are_those_of_managers_in_name_and_words_and_stay(app: Celery) -> None:
    tickerq = TickerQ(app, STORE)
    names = {name for name, each in vars(Managers).items() if isinstance(each, cached_property)}
    assert {name for name in vars(Facade) if name in names} == names
    assert {getattr(TickerQ, name).__doc__ for name in names} == {
        getattr(Managers, name).__doc__ for name in names
    }
    with pytest.raises(AttributeError, match="a manager cannot be replaced"):
        tickerq.errors = None  # type: ignore[assignment, misc]


def test_a_task_is_scheduled_by_one_verb_that_nobody_hands_on() -> None:
    assert TickerQ.schedule is Managers.schedule is TaskScheduling.schedule


def test_an_app_without_one_is_an_error_that_names_it(app: Celery) -> None:
    assert TickerQ.known(app) is None
    with pytest.raises(ConfigError, match="shop has no TickerQ"):
        TickerQ.of(app)


def test_a_refused_ticker_q_leaves_the_app_free(app: Celery) -> None:
    with pytest.raises(ConfigError):
        TickerQ(app, STORE, leese=1)
    TickerQ(app, STORE)


PREFORK = SimpleNamespace(pool_cls=TaskPool, time_limit=None, hostname="w1@shop")


class CountedConnection(sqlite3.Connection):
    """A connection of the user's own making."""

    opened: ClassVar[int] = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        type(self).opened += 1


def test_a_workers_sign_of_life_is_sent_with_the_users_engine_options(app: Celery, tmp_path: Path) -> None:
    options = {"pool_size": 2, "connect_args": {"factory": CountedConnection}}
    TickerQ(app, f"sqlite:///{tmp_path}/tickers.db", store_engine_options=options)
    (step,) = (each for each in app.steps["worker"] if issubclass(each, NodeStep))
    opened = CountedConnection.opened
    (tmp_path / "tickers.db").touch()
    # Without tables the worker ends before its pool starts.
    with pytest.raises(SystemExit):
        step(PREFORK)
    assert CountedConnection.opened > opened


@pytest.mark.parametrize("has", ["function", "task", "neither"])
def test_a_worker_with_neither_functions_nor_tasks_says_so(
    app: Celery,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    has: str,
) -> None:
    # Each app of a process has the shared tasks of all others: here Celery's own and no other test's.
    built_in = {each for each in _state._on_app_finalizers if each.__module__ == "celery.app.builtins"}
    monkeypatch.setattr(_state, "_on_app_finalizers", built_in)
    tickerq = TickerQ(app, f"sqlite:///{tmp_path}/tickers.db")
    if has == "function":
        tickerq.function("Send")(lambda: None)
    elif has == "task":

        @app.task(name="shop.add", shared=False)
        def add() -> None: ...

    (step,) = (each for each in app.steps["worker"] if issubclass(each, NodeStep))
    # Without tables the worker ends before its pool starts.
    with pytest.raises(SystemExit):
        step(PREFORK)
    assert ("this worker has neither functions nor tasks" in caplog.text) is (has == "neither")


def refuse_json(app: Celery) -> None:
    app.conf.accept_content = ["pickle"]


def forget_queue(app: Celery) -> None:
    app.conf.update(task_create_missing_queues=False, task_routes={"tickerq.Send": {"queue": "nowhere"}})


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (refuse_json, "accept_content: add 'json'"),
        (forget_queue, "Queue 'nowhere' missing from task_queues"),
    ],
)
def test_under_settings_that_keep_runs_from_starting_neither_worker_nor_beat_starts(
    app: Celery, caplog: pytest.LogCaptureFixture, spoil: Callable[[Celery], None], reason: str
) -> None:
    spoil(app)
    TickerQ(app, STORE).function("Send")(lambda: None)
    (step,) = (each for each in app.steps["worker"] if issubclass(each, NodeStep))
    for start, line in ((lambda: step(PREFORK), "this worker"), (lambda: TickerScheduler(app), "beat")):
        caplog.clear()
        with pytest.raises(SystemExit):
            start()
        assert f"{line} cannot run: " in caplog.text
        assert reason in caplog.text


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_worker_without_remote_control_and_an_eager_app_are_warned_of(
    store_url: str, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    with ticker_app(store_url, namespace) as tickerq:
        tickerq.app.conf.update(task_always_eager=True, worker_enable_remote_control=False)
        (step,) = (each for each in tickerq.app.steps["worker"] if issubclass(each, NodeStep))
        step(PREFORK)
    assert "worker_enable_remote_control is off" in caplog.text
    assert caplog.text.count("task_always_eager has no effect on tickers") == 1


def test_each_function_is_a_celery_task_of_its_own(app: Celery) -> None:
    tickerq = TickerQ(app, STORE)
    tickerq.function("Send", timeout=60)(lambda: None)
    tickerq.function("Clean")(lambda: None)
    send, clean = app.tasks["tickerq.Send"], app.tasks["tickerq.Clean"]
    assert isinstance(send, TickerTask)
    assert (send.soft_time_limit, send.time_limit) == (60, 90)
    assert (clean.soft_time_limit, clean.time_limit) == (None, None)
    assert send.ticker_function.name == "Send"


def test_a_functions_task_is_of_the_class_that_the_app_has_when_it_is_finalised(app: Celery) -> None:
    tickerq = TickerQ(app, STORE)
    tickerq.function("Send")(lambda: None)

    class Own(Task):  # type: ignore[type-arg]  # Celery 5.6 cannot subscript it
        pass

    app.Task = Own
    assert isinstance(app.tasks["tickerq.Send"], Own)
    tickerq.function("Clean")(lambda: None)
    assert isinstance(app.tasks["tickerq.Clean"], Own)


def test_a_route_of_the_apps_applies_to_a_functions_messages(store_url: str, namespace: str) -> None:
    with ticker_app(store_url, namespace) as tickerq:
        tickerq.app.conf.task_routes = {"tickerq.Send": {"queue": f"{namespace}-mail"}}
        tickerq.function("Send")(lambda: None)
        enrol_worker(tickerq)
        tickerq.time_tickers.add(TimeTicker(function="Send"))
        with tickerq.app.connection_for_read() as connection:
            assert connection.SimpleQueue(f"{namespace}-mail").qsize() == 1


def test_two_functions_under_one_name_are_an_error_that_names_both(app: Celery) -> None:
    tickerq = TickerQ(app, STORE)

    def first() -> None: ...

    def second() -> None: ...

    tickerq.function("Send")(first)
    with pytest.raises(DuplicateFunctionError) as caught:
        tickerq.function("Send")(second)
    assert "first" in caught.value.first
    assert "second" in caught.value.second
    assert all(name in str(caught.value) for name in ("'Send'", "first", "second"))


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"retries": -1}, "retries"),
        ({"retries": 1, "retry_intervals": [-1]}, "retry_intervals[0]"),
        ({"retries": 1, "retry_intervals": 60}, "retry_intervals"),
        ({"retry_intervals": [60]}, "retry_intervals"),
        ({"priority": 9}, "priority"),
        ({"max_concurrency": -1}, "max_concurrency"),
        ({"max_concurrency": True}, "max_concurrency"),
        ({"max_concurrency": 0}, "max_concurrency"),
        ({"max_concurrency_per_key": 0}, "max_concurrency_per_key"),
        ({"pause_on_failure": 0}, "pause_on_failure"),
        ({"timeout": -1}, "timeout"),
        ({"queue": ""}, "queue"),
        ({"misfire": "never"}, "misfire"),
        ({"overlap": "maybe"}, "overlap"),
        ({"on_lost": "panic"}, "on_lost"),
        ({"cron": "61 * * * *"}, "expression"),
        ({"cron": "* * * * *", "time_zone": "Mars/Olympus"}, "time_zone"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(app: Celery, options: dict[str, Any], field: str) -> None:
    tickerq = TickerQ(app, STORE)
    with pytest.raises(TickerValidationError) as caught:
        tickerq.function("Send", **options)(lambda: None)
    assert caught.value.field == field
    assert tickerq.registry.get("Send") is None


def test_create_schema_makes_the_tables_and_may_be_repeated(empty_database_url: str, namespace: str) -> None:
    with ticker_app(empty_database_url, namespace) as tickerq:
        tickerq.create_schema()
        tickerq.create_schema()
        verify(tickerq.core.database)
        tickerq.function("Send")(lambda: None)
        enrol_worker(tickerq)
        run = tickerq.time_tickers.add(TimeTicker(function="Send"))
        execute(tickerq)
        assert tickerq.runs.get(run.id).status is TickerStatus.DONE


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_manual_seeding_stores_the_functions_crons(store_url: str, namespace: str) -> None:
    with ticker_app(store_url, namespace) as tickerq:
        tickerq.function("Digest", cron="0 0 9 * * *")(lambda: None)
        tickerq.function("Send")(lambda: None)
        tickerq.seed()
        tickerq.seed()
        (cron,) = tickerq.cron_tickers.find()
        assert (cron.function, cron.expression, cron.is_seeded) == ("Digest", "0 0 9 * * *", True)


def test_an_app_that_is_gone_takes_its_ticker_q_along() -> None:
    app = Celery("gone", set_as_current=False)
    TickerQ(app, STORE)
    seen = weakref.ref(app)
    app.close()
    del app
    gc.collect()
    assert seen() is None
