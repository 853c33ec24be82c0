"""Runs and cron tickers of any Celery task: the same rows, transactions, keys and policies as functions'."""

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from celery import Task, chain
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from tests.integration.apps import (
    async_caller_engine,
    dispatch_due,
    enrol_worker,
    execute,
    fire_crons,
    messages,
    row_of,
    ticker_app,
)
from tests.manual_clock import START, ManualClock
from tickerq_celery import CronTicker, Run, TickerPriority, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.enums import HoldReason, OnLost, TickerKind
from tickerq_celery.errors import (
    DuplicateTickerError,
    TickerStateError,
    TickerValidationError,
    UnknownFunctionError,
    UnknownKeywordError,
    UnknownTaskError,
)
from tickerq_celery.tickers.kind_fields import OF_FUNCTIONS

LATER = START + timedelta(hours=1)
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock, payload_limit=2_000) as made:
        made.function("Send")(lambda context: None)
        enrol_worker(made)
        yield made


@pytest.fixture
def add(tickerq: TickerQ) -> Any:
    @tickerq.app.task(name="shop.add", shared=False)
    def add(first: int, second: int = 0) -> int:
        return first + second

    return add


def sent(tickerq: TickerQ) -> list[tuple[str, list[Any], dict[str, Any]]]:
    """Take the calls that wait in the app's queue: the task, its arguments, and those by name."""
    bodies = [(each.headers["task"], json.loads(each.body)) for each in messages(tickerq)]
    return [(task, body[0], body[1]) for task, body in bodies]


def count(tickerq: TickerQ) -> int:
    return tickerq.runs.count()


def test_a_run_of_a_task_is_returned_as_it_is_stored(tickerq: TickerQ, add: Any) -> None:
    run = tickerq.time_tickers.add(
        TimeTicker(
            task=add.s(2, second=3).set(expires=60, shadow="sum"), execution_time=LATER, on_lost="retry",
            description="two and three", tags=["eu"], priority="high", queue="sums", unique_key="sum-7",
        )
    )  # fmt: skip
    assert tickerq.runs.get(run.id) == run
    assert (run.kind, run.function, run.task_id) == (TickerKind.CELERY_TASK, "shop.add", str(run.id))
    assert run.request == {"args": [2], "kwargs": {"second": 3}, "options": {"expires": 60, "shadow": "sum"}}
    assert (run.on_lost, run.priority, run.queue) == (OnLost.RETRY, TickerPriority.HIGH, "sums")
    assert (run.retries, run.retry_intervals, run.timeout, run.concurrency_key) == (0, (), None, None)
    assert (run.execution_time, run.description, run.tags) == (LATER, "two and three", ("eu",))
    assert run.unique_key == "sum-7"


def test_a_run_of_a_task_is_published_as_its_caller_called_it(
    tickerq: TickerQ, add: Any, clock: ManualClock
) -> None:
    run = tickerq.schedule(add.s(2, second=NOON).set(headers={"team": "ops"}), delay=60)
    assert (run.execution_time, sent(tickerq)) == (START + timedelta(minutes=1), [])
    clock.advance(minutes=1)
    dispatch_due(tickerq)
    (message,) = messages(tickerq)
    body = json.loads(message.body)
    assert body[:2] == [[2], {"second": {"__type__": "datetime", "__value__": NOON.isoformat()}}]
    headers = message.headers
    assert (headers["id"], headers["task"], headers["team"]) == (str(run.id), "shop.add", "ops")
    assert (headers["eta"], headers["tickerq_call"], "ticker" in headers) == (None, [str(run.id), 1], False)
    assert "priority" not in message.properties or message.properties["priority"] == 0


def test_what_is_due_is_published_at_once_with_the_id_of_its_options(tickerq: TickerQ, add: Any) -> None:
    run = tickerq.schedule(add.s(2).set(task_id="order 7"))
    (message,) = messages(tickerq)
    assert (message.headers["id"], run.task_id) == ("order 7", "order 7")


def test_links_of_a_signature_are_published_with_it(tickerq: TickerQ, add: Any) -> None:
    tickerq.schedule(add.s(2).set(link=add.s(3), link_error=[add.si(4)]))
    (message,) = messages(tickerq)
    embedded = json.loads(message.body)[2]
    assert [each["args"] for each in embedded["callbacks"]] == [[3]]
    assert [each["args"] for each in embedded["errbacks"]] == [[4]]


def test_a_task_that_this_process_does_not_have_is_left_to_beat_which_publishes_it_by_its_name(
    tickerq: TickerQ, caplog: pytest.LogCaptureFixture
) -> None:
    for to in ("ops", "sales"):
        run = tickerq.schedule(
            "elsewhere.report", args=["sales"], kwargs={"to": to}, options={"ignore_result": True},
            allow_unknown=True,
        )  # fmt: skip
        assert (tickerq.runs.get(run.id).status, sent(tickerq)) == (TickerStatus.IDLE, [])
    dispatch_due(tickerq)
    assert sent(tickerq) == [("elsewhere.report", ["sales"], {"to": to}) for to in ("ops", "sales")]
    logged = [each.getMessage() for each in caplog.records if "elsewhere.report is" in each.getMessage()]
    assert logged == [
        "elsewhere.report is published by its name, without options of its @app.task: it is not imported here"
    ]


def test_beat_publishes_with_the_options_of_a_task_that_its_producer_has_not_imported(
    tickerq: TickerQ, store_url: str, namespace: str, clock: ManualClock
) -> None:
    @tickerq.app.task(name="shop.report", shared=False, expires=60, ignore_result=True)
    def report() -> None: ...

    with ticker_app(store_url, namespace, clock) as producer:
        run = producer.schedule("shop.report", allow_unknown=True)
        assert (messages(producer), producer.runs.get(run.id).status) == ([], TickerStatus.IDLE)
    dispatch_due(tickerq)
    [message] = messages(tickerq)
    assert message.headers["expires"] is not None
    assert message.headers["ignore_result"] is True


def test_a_process_that_has_not_imported_a_task_publishes_the_message_that_is_kept_of_it(
    store_url: str, namespace: str, clock: ManualClock
) -> None:
    with ticker_app(store_url, namespace, clock, durable_eta=60) as tickerq:
        tickerq.app.send_task("elsewhere.report", ["sales"], countdown=3_600, expires=7_200)
        [run] = tickerq.runs.find(function="elsewhere.report")
        tickerq.time_tickers.run_now(run.id)
        [message] = messages(tickerq)
        assert message.headers["expires"] is not None


MISFITS: list[tuple[dict[str, Any], str]] = [
    ({}, "missing 1 required positional argument: 'first'"),
    ({"args": [1, 2, 3]}, "takes from 1 to 2 positional arguments but 3 were given"),
    ({"args": [1], "kwargs": {"third": "4111"}}, "got an unexpected keyword argument 'third'"),
    ({"args": [1], "kwargs": {"first": "4111"}}, "got multiple values for argument 'first'"),
]


@pytest.mark.parametrize(("call", "reason"), MISFITS, ids=str)
def test_arguments_that_a_task_cannot_take_are_refused(
    tickerq: TickerQ, add: Any, call: dict[str, Any], reason: str
) -> None:
    times, crons = tickerq.time_tickers, tickerq.cron_tickers
    kept = times.add(TimeTicker(task=add.s(1), delay=60))
    cron = crons.add(CronTicker(task=add.s(1), every=60))
    child = TimeTicker(task="shop.add", **call)
    whole: Any = {"args": [], "kwargs": {}, **call}
    cases: list[tuple[str, Callable[[], object]]] = [
        ("args", lambda: tickerq.schedule(add.signature(**call))),
        ("args", lambda: tickerq.schedule(add, **call)),
        ("args", lambda: tickerq.schedule("shop.add", delay=60, **call)),
        ("[1].args", lambda: times.add_batch([TimeTicker(task=add.s(1)), child])),
        ("children[0].args", lambda: times.add(TimeTicker("Send", children=[child]))),
        ("args", lambda: crons.add(CronTicker(task=add, every=60, **call))),
        ("children[0].args", lambda: crons.add(CronTicker("Send", every=60, children=[child]))),
        ("args", lambda: times.update(kept.id, **whole)),
        ("args", lambda: crons.update(cron.id, **whole)),
        ("args", lambda: times.clone(kept.id, **whole)),
    ]
    for path, refused in cases:
        with pytest.raises(TickerValidationError, match=r"with kwargs they do not fit shop\.add: ") as caught:
            refused()
        assert caught.value.field == path
        assert reason in caught.value.reason
        assert "4111" not in str(caught.value)
    assert (count(tickerq), tickerq.runs.get(kept.id)) == (1, kept)


def test_another_task_is_given_arguments_that_it_can_take(tickerq: TickerQ, add: Any) -> None:
    @tickerq.app.task(name="shop.alert", bind=True, shared=False)
    def alert(self: Any) -> None: ...

    run = tickerq.schedule(add.s(1), delay=60)
    with pytest.raises(TickerValidationError, match=r"^args: .*do not fit shop\.alert: .*2 were given"):
        tickerq.time_tickers.update(run.id, task=alert)
    assert tickerq.time_tickers.update(run.id, task=alert, args=[]).function == "shop.alert"


def test_a_task_that_checks_no_arguments_or_adds_its_own_is_given_what_it_is_given(tickerq: TickerQ) -> None:
    class Tenants(Task):
        def apply_async(self, args: Any = None, kwargs: Any = None, *rest: Any, **options: Any) -> Any:
            return super().apply_async(args, {**(kwargs or {}), "tenant": "north"}, *rest, **options)

    @tickerq.app.task(name="shop.loose", typing=False, shared=False)
    def loose(first: int) -> None: ...

    @tickerq.app.task(name="shop.tenants", base=Tenants, shared=False)
    def tenants(tenant: str) -> None: ...

    tickerq.schedule(loose.s())
    tickerq.schedule(tenants.s())
    assert sent(tickerq) == [("shop.loose", [], {}), ("shop.tenants", [], {"tenant": "north"})]


def test_a_task_of_another_application_takes_what_that_says(tickerq: TickerQ, add: Any) -> None:
    run = tickerq.schedule("shop.add", namespace="elsewhere")
    assert run.request == {"args": [], "kwargs": {}, "options": {}}


def test_a_call_by_its_name_and_by_its_signature_are_the_same_row(tickerq: TickerQ, add: Any) -> None:
    fields: Any = {"kwargs": {"second": 3}, "options": {"expires": 60}, "delay": 60, "tags": ["eu"]}
    calls = [
        tickerq.schedule(add.s(2, second=3).set(expires=60), delay=60, tags=["eu"]),
        tickerq.schedule(add, args=[2], **fields),
        tickerq.schedule("shop.add", args=(2,), **fields),
    ]
    assert len({json.dumps([run.function, run.request, run.tags, run.kind]) for run in calls}) == 1


@pytest.mark.parametrize("is_committed", [True, False])
def test_a_run_of_a_task_is_part_of_the_callers_transaction(
    tickerq: TickerQ, add: Any, engine: Engine, is_committed: bool
) -> None:
    with Session(engine) as session:
        run = tickerq.schedule(add.s(2), session=session)
        assert sent(tickerq) == []
        if is_committed:
            session.commit()
        else:
            session.rollback()
    assert count(tickerq) == is_committed
    assert sent(tickerq) == [("shop.add", [2], {})] * is_committed
    assert (row_of(tickerq, run.id) is not None) is is_committed


# aiomysql 0.3 sends no bytes by PyMySQL 1.2, so that no request reaches MariaDB by an AsyncSession.
@pytest.mark.parametrize("store_url", ["sqlite", "postgres"], indirect=True)
@pytest.mark.parametrize("is_committed", [True, False])
def test_a_run_of_a_task_is_part_of_an_event_loops_transaction(
    tickerq: TickerQ, add: Any, store_url: str, is_committed: bool
) -> None:
    async def call() -> Run:
        engine = async_caller_engine(store_url)
        async with AsyncSession(engine) as session:
            run = await tickerq.aio.schedule(add.s(2), delay=60, session=session, tags=["eu"])
            await (session.commit() if is_committed else session.rollback())
        await engine.dispose()
        return run

    run = asyncio.run(call())
    assert run.tags == ("eu",)
    assert count(tickerq) == is_committed
    assert asyncio.run(tickerq.aio.schedule(add.s(3), delay=60)).request["args"] == [3]


def test_the_session_of_an_event_loop_names_the_call_that_takes_it(
    tickerq: TickerQ, add: Any, store_url: str, engine: Engine
) -> None:
    session: Any = AsyncSession(async_caller_engine(store_url))
    with pytest.raises(
        TickerValidationError, match=r"use `await tickerq\.aio\.schedule\(…, session=session\)`"
    ):
        tickerq.schedule(add.s(2), session=session)
    with Session(engine) as sync, pytest.raises(TickerValidationError, match=r"goes to tickerq\.schedule\(…"):
        asyncio.run(tickerq.aio.schedule(add.s(2), session=sync))  # type: ignore[arg-type]


def test_a_unique_key_holds_for_functions_and_tasks_alike(tickerq: TickerQ, add: Any) -> None:
    first = tickerq.schedule(add.s(2), delay=60, unique_key="sum")
    with pytest.raises(DuplicateTickerError):
        tickerq.schedule(add.s(3), delay=60, unique_key="sum")
    with pytest.raises(DuplicateTickerError):
        tickerq.time_tickers.add(TimeTicker("Send", delay=60, unique_key="sum"))
    kept = tickerq.schedule(add.s(3), delay=60, unique_key="sum", on_conflict="return_existing")
    assert (kept.id, kept.request["args"]) == (first.id, [2])
    other = tickerq.schedule(add.s(3), delay=60, unique_key="sum", on_conflict="replace")
    assert [run.id for run in tickerq.runs.find()] == [other.id]


def test_a_batch_of_functions_and_tasks_of_one_name_is_stored_as_a_whole(tickerq: TickerQ, add: Any) -> None:
    batch = [TimeTicker("Send", delay=60), TimeTicker(task="Send", delay=60), TimeTicker(task=add.s(1))]
    runs = tickerq.time_tickers.add_batch(batch, allow_unknown=True)
    assert [run.kind for run in runs] == [TickerKind.FUNCTION, TickerKind.CELERY_TASK, TickerKind.CELERY_TASK]
    batch.append(TimeTicker(task=add, retries=3))
    with pytest.raises(TickerValidationError, match=r"^\[3\]\.retries: a Celery task's own options rule"):
        tickerq.time_tickers.add_batch(batch)
    assert count(tickerq) == 3


def test_what_is_refused_is_named_by_its_path_and_nothing_is_stored(tickerq: TickerQ, add: Any) -> None:
    child = TimeTicker(task=add, args=[{1}], timeout=3)
    with pytest.raises(TickerValidationError) as caught:
        tickerq.time_tickers.add(
            TimeTicker("Send", children=[TimeTicker(task=add, args=[1], children=[child])])
        )
    fields = [each.field for each in (caught.value, *caught.value.others)]
    assert fields == ["children[0].children[0].timeout", "children[0].children[0].args[0]"]
    with pytest.raises(
        TickerValidationError, match=r"args: with kwargs and options they take 2\d+ bytes.*2000"
    ):
        tickerq.schedule(add, args=["x" * 2_000])
    with pytest.raises(TickerValidationError, match="a canvas is more than one task"):
        tickerq.schedule(chain(add.s(1), add.s(2)))
    with pytest.raises(TickerValidationError, match="delay: pass at or delay, not both"):
        tickerq.schedule(add.s(1), at=LATER, delay=3)
    assert count(tickerq) == 0


@pytest.mark.parametrize(
    ("keyword", "reason"),
    [
        ("countdown", "pass delay="),
        ("eta", "pass at="),
        ("execution_time", "pass at="),
        ("nothing", "schedule has no such keyword"),
        ("tag", "did you mean tags"),
    ],
)
def test_a_keyword_that_schedule_does_not_have_is_refused(
    tickerq: TickerQ, add: Any, keyword: str, reason: str
) -> None:
    with pytest.raises(UnknownKeywordError, match=f"^{keyword}: .*{reason}"):
        tickerq.schedule(add.s(2), **{keyword: 3})  # type: ignore[arg-type]


@pytest.mark.parametrize("keyword", sorted(OF_FUNCTIONS))
def test_a_field_that_only_functions_have_is_refused_with_what_a_task_has_instead(
    tickerq: TickerQ, add: Any, keyword: str
) -> None:
    with pytest.raises(TickerValidationError) as caught:
        tickerq.schedule(add.s(2), **{keyword: 3})  # type: ignore[arg-type]
    assert (caught.value.field, caught.value.reason) == (keyword, OF_FUNCTIONS[keyword])


def test_a_task_that_nothing_knows_is_refused_unless_it_is_meant(tickerq: TickerQ, add: Any) -> None:
    send: Any = tickerq.function("Post")(lambda: None)
    unknown: dict[str, Callable[..., object]] = {
        "schedule": lambda **also: tickerq.schedule("shop.ad", **also),
        "child": lambda **also: tickerq.schedule(add.s(1), children=[TimeTicker(task="shop.ad")], **also),
        "child of a function": lambda **also: send.schedule(children=[TimeTicker(task="shop.ad")], **also),
        "time ticker": lambda **also: tickerq.time_tickers.add(TimeTicker(task="shop.ad"), **also),
        "cron ticker": lambda **also: tickerq.cron_tickers.add(CronTicker(task="shop.ad", every=60), **also),
    }
    for call in unknown.values():
        with pytest.raises(UnknownTaskError, match=r"task: no such Celery task.*did you mean shop\.add\?"):
            call()
    assert (count(tickerq), len(tickerq.cron_tickers.find())) == (0, 0)
    run = tickerq.schedule("shop.ad", delay=60, allow_unknown=True)
    # From then on the store knows it: a copy of it is no slip.
    assert tickerq.time_tickers.clone(run.id).function == "shop.ad"
    for call in unknown.values():
        call()


def test_a_task_that_only_a_cron_ticker_names_is_known(tickerq: TickerQ) -> None:
    tickerq.cron_tickers.add(CronTicker(task="shop.elsewhere", every=60), allow_unknown=True)
    assert tickerq.schedule("shop.elsewhere", delay=60).function == "shop.elsewhere"
    with pytest.raises(UnknownTaskError):
        tickerq.schedule("shop.elsewhere", namespace="another", delay=60)


def test_the_name_of_a_function_as_a_task_says_how_a_function_is_scheduled(tickerq: TickerQ) -> None:
    with pytest.raises(TickerValidationError, match="task: it is of a ticker function: pass function="):
        tickerq.schedule("Send", delay=60)


def test_a_function_is_not_scheduled_as_a_task(tickerq: TickerQ) -> None:
    send: Any = tickerq.function("Post")(lambda: None)
    for call in (send, send.s()):
        with pytest.raises(TickerValidationError, match="task: it is of a ticker function: pass function="):
            tickerq.schedule(call)


def test_the_name_of_a_task_as_a_function_says_how_a_task_is_scheduled(tickerq: TickerQ, add: Any) -> None:
    with pytest.raises(UnknownFunctionError, match="or name a Celery task by task="):
        tickerq.time_tickers.add(TimeTicker(function="shop.add"))


def test_pauses_hold_runs_of_tasks(tickerq: TickerQ, add: Any, clock: ManualClock) -> None:
    tickerq.schedule(add.s(1), delay=60, tags=["eu"])
    for scope in ({"function": "shop.add"}, {"tag": "eu"}, {"everything": True}):
        tickerq.pauses.pause(**scope)  # type: ignore[arg-type]
        [run] = tickerq.runs.find()
        tickerq.time_tickers.update(run.id, execution_time=clock.now())
        dispatch_due(tickerq)
        assert (sent(tickerq), tickerq.runs.get(run.id).held_for) == ([], HoldReason.PAUSED)
        if "everything" not in scope:
            tickerq.time_tickers.update(run.id, delay=60)
        tickerq.pauses.resume(**scope)  # type: ignore[arg-type]
    dispatch_due(tickerq)
    assert sent(tickerq) == [("shop.add", [1], {})]


def test_urgent_runs_are_published_first(tickerq: TickerQ, add: Any, clock: ManualClock) -> None:
    for number, priority in enumerate(("low", "normal", "high")):
        tickerq.schedule(add.s(number), delay=60, priority=priority)  # type: ignore[arg-type]
    clock.advance(minutes=1)
    dispatch_due(tickerq)
    assert [args for _, args, _ in sent(tickerq)] == [[2], [1], [0]]


def test_children_of_functions_and_tasks_are_stored_with_their_calls(tickerq: TickerQ, add: Any) -> None:
    run = tickerq.time_tickers.add(
        TimeTicker(
            "Send",
            delay=60,
            children=[
                TimeTicker(
                    task=add.s(2).set(task_id="seven"), on_lost="retry", run_condition="on_success",
                    children=[TimeTicker("Send", run_condition="on_failure")],
                )
            ],
        )
    )  # fmt: skip
    [child] = tickerq.runs.find(parent_id=run.id)
    assert (child.kind, child.function, child.task_id) == (TickerKind.CELERY_TASK, "shop.add", "seven")
    assert (child.on_lost, child.request["args"], child.held_for) == (OnLost.RETRY, [2], HoldReason.PARENT)
    [below] = tickerq.runs.find(parent_id=child.id)
    assert (below.kind, below.function, below.task_id) == (TickerKind.FUNCTION, "Send", None)


def test_a_task_below_a_function_is_published_at_the_functions_end(tickerq: TickerQ, add: Any) -> None:
    tickerq.time_tickers.add(TimeTicker("Send", children=[TimeTicker(task=add.s(2))]))
    execute(tickerq)
    dispatch_due(tickerq)
    assert sent(tickerq) == [("shop.add", [2], {})]


def test_a_cron_ticker_of_a_task_fires_its_call(tickerq: TickerQ, add: Any, clock: ManualClock) -> None:
    cron = tickerq.cron_tickers.add(
        CronTicker(task=add.s(2).set(queue=tickerq.app.conf.task_default_queue), every=60, on_lost="retry")
    )
    assert (cron.kind, cron.function, cron.on_lost) == (TickerKind.CELERY_TASK, "shop.add", OnLost.RETRY)
    assert cron.request == {"args": [2], "kwargs": {}, "options": {}}
    clock.advance(minutes=1)
    fire_crons(tickerq)
    dispatch_due(tickerq)
    [run] = tickerq.cron_tickers.occurrences(cron.id)
    assert (run.kind, run.on_lost, run.request) == (TickerKind.CELERY_TASK, OnLost.RETRY, cron.request)
    assert sent(tickerq) == [("shop.add", [2], {})]
    manual = tickerq.cron_tickers.run_now(cron.id)
    assert (manual.function, sent(tickerq)) == ("shop.add", [("shop.add", [2], {})])
    with pytest.raises(TickerValidationError, match="request: a Celery task is given args= and kwargs="):
        tickerq.cron_tickers.run_now(cron.id, request=[2])


def test_the_policies_of_a_cron_ticker_hold_for_a_task(
    tickerq: TickerQ, add: Any, clock: ManualClock
) -> None:
    cron = tickerq.cron_tickers.add(CronTicker(task=add.s(2), every=60, overlap="skip", misfire="run_once"))
    clock.advance(hours=1, seconds=30)
    fire_crons(tickerq)
    dispatch_due(tickerq)
    late, record = sorted(tickerq.cron_tickers.occurrences(cron.id), key=lambda run: run.status)
    assert (late.status, late.is_published, late.is_late) == (TickerStatus.QUEUED, True, True)
    assert (record.status, "Missed: " in (record.skipped_reason or "")) == (TickerStatus.SKIPPED, True)
    tickerq.pauses.pause(function="shop.add")
    clock.advance(minutes=1)
    fire_crons(tickerq)
    dispatch_due(tickerq)
    assert sent(tickerq) == [("shop.add", [2], {})]
    tickerq.pauses.resume(function="shop.add")
    # A worker could still report it: until then it keeps the overlap lock.
    clock.advance(minutes=1)
    fire_crons(tickerq)
    dispatch_due(tickerq)
    [latest] = tickerq.cron_tickers.occurrences(cron.id, limit=1)
    assert (sent(tickerq), latest.status) == ([], TickerStatus.SKIPPED)
    assert str(latest.skipped_reason).startswith("Overlap: ")


def test_an_occurrence_that_was_not_published_keeps_the_overlap_lock(
    tickerq: TickerQ, add: Any, clock: ManualClock
) -> None:
    cron = tickerq.cron_tickers.add(CronTicker(task=add.s(2), every=60, overlap="skip"))
    for _ in range(2):
        clock.advance(minutes=1)
        fire_crons(tickerq)
    statuses = [run.status for run in tickerq.cron_tickers.occurrences(cron.id)]
    assert statuses == [TickerStatus.SKIPPED, TickerStatus.IDLE]


def test_the_chain_of_a_cron_ticker_keeps_the_calls_of_tasks(
    tickerq: TickerQ, add: Any, clock: ManualClock
) -> None:
    child = TimeTicker(
        task=add.s(2).set(queue="sums", task_id="seven", expires=60), on_lost="retry", tags=("eu",),
        children=[TimeTicker("Send", request={"to": 3})],
    )  # fmt: skip
    cron = tickerq.cron_tickers.add(CronTicker("Send", every=60, children=[child]))
    [kept] = cron.children
    assert (kept.task, kept.args, kept.queue, kept.on_lost) == ("shop.add", (2,), "sums", OnLost.RETRY)
    assert kept.options == {"expires": 60, "task_id": "seven"}
    assert tickerq.cron_tickers.update(cron.id, children=cron.children).children == cron.children
    clock.advance(minutes=1)
    fire_crons(tickerq)
    [run] = tickerq.runs.find(function="shop.add")
    assert (run.kind, run.task_id, run.on_lost) == (TickerKind.CELERY_TASK, "seven", OnLost.RETRY)
    assert (run.queue, run.tags, run.request["options"]) == ("sums", ("eu",), {"expires": 60})
    assert [each.request for each in tickerq.runs.find(parent_id=run.id)] == [{"to": 3}]


def test_the_call_of_a_run_is_changed_in_its_parts(tickerq: TickerQ, add: Any) -> None:
    run = tickerq.schedule(add.s(2, second=3).set(queue="sums", expires=60, task_id="seven"), delay=60)
    update = tickerq.time_tickers.update
    assert update(run.id, args=[4]).request == {
        "args": [4],
        "kwargs": {"second": 3},
        "options": {"expires": 60},
    }
    changed = update(run.id, options={"expires": 90}, on_lost="retry", tags=["eu"])
    assert changed.request["options"] == {"expires": 90}
    assert (changed.queue, changed.task_id, changed.on_lost) == ("sums", "seven", OnLost.RETRY)
    changed = update(run.id, options={"queue": "others", "task_id": "eight"})
    assert (changed.queue, changed.task_id, changed.request["options"]) == ("others", "eight", {})
    assert update(run.id, queue="sums").queue == "sums"
    changed = update(run.id, task="shop.subtract", allow_unknown=True)
    assert (changed.function, changed.request["args"]) == ("shop.subtract", [4])
    changed = update(run.id, task=add.s(5))
    assert (changed.function, changed.request) == ("shop.add", {"args": [5], "kwargs": {}, "options": {}})
    [one, two] = tickerq.time_tickers.update_batch(
        {run.id: {"args": [6]}, tickerq.schedule(add.s(7), delay=60).id: {"kwargs": {"second": 8}}}
    )
    assert (one.request["args"], two.request["kwargs"]) == ([6], {"second": 8})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"retries": 3}, "retries: a Celery task's own options rule"),
        ({"request": {"a": 1}}, "request: a Celery task is given args="),
        ({"function": "Send"}, "task: pass function or task, not both"),
        ({"args": [{1}]}, r"args\[0\]: Celery's JSON does not keep it"),
        ({"options": {"queue": "a"}, "queue": "b"}, "queue: its options name another"),
        ({"options": {"eta": 3}}, r"options\.eta: pass execution_time="),
        ({"unique_key": "a"}, "unique_key: it cannot be changed"),
    ],
    ids=str,
)
def test_a_change_that_no_task_has_is_refused(
    tickerq: TickerQ, add: Any, changes: dict[str, Any], reason: str
) -> None:
    run = tickerq.schedule(add.s(2), delay=60)
    with pytest.raises(TickerValidationError, match=reason):
        tickerq.time_tickers.update(run.id, **changes)
    assert tickerq.runs.get(run.id) == run
    if "unique_key" not in changes:
        with pytest.raises(TickerValidationError, match=reason):
            tickerq.time_tickers.clone(run.id, **changes)
        cron = tickerq.cron_tickers.add(CronTicker(task=add.s(1), every=60))
        with pytest.raises(TickerValidationError, match=reason):
            tickerq.cron_tickers.update(cron.id, **changes)


def test_a_change_that_only_tasks_have_is_refused_of_a_function(tickerq: TickerQ) -> None:
    run = tickerq.time_tickers.add(TimeTicker("Send", delay=60))
    for changes, reason in (
        ({"args": [1]}, "args: a ticker function is given a request"),
        ({"on_lost": "retry"}, "on_lost: it is an option of the ticker function"),
        ({"task": "shop.add"}, "task: pass function or task, not both"),
    ):
        with pytest.raises(TickerValidationError, match=reason):
            tickerq.time_tickers.update(run.id, **changes)  # type: ignore[arg-type]


def test_the_call_of_a_cron_ticker_is_changed_with_its_waiting_occurrences(
    tickerq: TickerQ, add: Any, clock: ManualClock
) -> None:
    cron = tickerq.cron_tickers.add(CronTicker(task=add.s(2).set(queue="sums"), every=60))
    clock.advance(minutes=1)
    fire_crons(tickerq)
    changed = tickerq.cron_tickers.update(cron.id, args=[3], on_lost="retry")
    assert (changed.request["args"], changed.queue, changed.on_lost) == ([3], "sums", OnLost.RETRY)
    [run] = tickerq.cron_tickers.occurrences(cron.id)
    assert (run.request["args"], run.queue, run.on_lost) == ([3], "sums", OnLost.RETRY)
    changed = tickerq.cron_tickers.update(
        cron.id, task="shop.subtract", options={"queue": "others"}, allow_unknown=True
    )
    assert (changed.function, changed.queue, changed.request["options"]) == ("shop.subtract", "others", {})
    assert tickerq.cron_tickers.occurrences(cron.id)[0].queue == "others"


def test_a_clone_has_the_call_and_an_id_of_its_own(tickerq: TickerQ, add: Any) -> None:
    run = tickerq.schedule(
        add.s(2).set(queue="sums", task_id="seven", expires=60), delay=60, on_lost="retry", unique_key="sum"
    )
    copy = tickerq.time_tickers.clone(run.id)
    assert (copy.request, copy.queue, copy.on_lost) == (run.request, "sums", OnLost.RETRY)
    assert (copy.task_id, copy.unique_key) == (str(copy.id), None)
    other = tickerq.time_tickers.clone(run.id, kwargs={"second": 3}, options={"queue": "others"})
    assert (other.request["args"], other.request["kwargs"], other.queue) == ([2], {"second": 3}, "others")


def test_a_run_of_a_task_is_brought_forward_and_retried(tickerq: TickerQ, add: Any) -> None:
    run = tickerq.schedule(add.s(2), delay=60)
    tickerq.time_tickers.run_now(run.id)
    assert sent(tickerq) == [("shop.add", [2], {})]
    other = tickerq.schedule(add.s(3), delay=60)
    assert tickerq.runs.cancel(other.id).status is TickerStatus.CANCELLED
    tickerq.runs.retry(other.id)
    assert sent(tickerq)[-1] == ("shop.add", [3], {})


def test_a_run_of_a_task_is_found_by_its_name_its_kind_and_its_id(tickerq: TickerQ, add: Any) -> None:
    own = tickerq.schedule(add.s(2), delay=60)
    named = tickerq.schedule(add.s(3).set(task_id="order/7 ü"), delay=60)
    stolen = tickerq.schedule(add.s(4).set(task_id=str(own.id).upper()), delay=60)
    function = tickerq.time_tickers.add(TimeTicker("Send", delay=60))

    def found(**filters: Any) -> set[UUID]:
        assert tickerq.runs.count(**filters) == len(tickerq.runs.find(**filters))
        return {run.id for run in tickerq.runs.find(**filters)}

    assert found(function="shop.add") == found(kind="celery_task") == {own.id, named.id, stolen.id}
    assert found(kind="function") == {function.id}
    assert found(task_id="order/7 ü") == {named.id}
    assert found(task_id=str(own.id)) == {own.id}
    assert (
        found(task_id=str(named.id)) == found(task_id="order/7 Ü") == found(task_id=str(function.id)) == set()
    )
    assert found(task_id="order/7 ü", kind="function") == set()
    with pytest.raises(TickerValidationError, match="task_id: at most 255 characters"):
        tickerq.runs.find(task_id="x" * 256)
    with pytest.raises(TickerValidationError, match="kind: pass one of function, celery_task"):
        tickerq.runs.find(kind="task")  # type: ignore[arg-type]


def test_secrets_of_a_call_are_masked_in_what_people_see(tickerq: TickerQ) -> None:
    pay = tickerq.app.signature("shop.pay", ({"card": {"api-key": "k"}},), {"token": "t"})
    run = tickerq.schedule(pay.set(headers={"Authorization": "a"}), delay=60, allow_unknown=True)
    assert run.shown_request == {
        "args": [{"card": {"api-key": "•••"}}],
        "kwargs": {"token": "•••"},
        "options": {"headers": {"Authorization": "•••"}},
    }


def test_a_call_of_another_namespace_is_that_applications(tickerq: TickerQ, add: Any) -> None:
    run = tickerq.schedule(add.s(2), namespace="elsewhere")
    assert (run.namespace, sent(tickerq)) == ("elsewhere", [])


def test_a_message_that_durable_eta_keeps_is_moved_and_not_changed(
    store_url: str, namespace: str, clock: ManualClock
) -> None:
    with ticker_app(store_url, namespace, clock, durable_eta=60) as tickerq:

        @tickerq.app.task(name="shop.add", shared=False)
        def add(first: int, token: str) -> None: ...

        result = add.apply_async([2], {"token": "t0p"}, countdown=3_600)
        [run] = tickerq.runs.find(task_id=result.id)
        assert run.request == {"args": [2], "kwargs": {"token": "t0p"}, "options": {}}
        assert run.shown_request == {"args": [2], "kwargs": {"token": "•••"}, "options": {}}
        for changes in ({"args": [3]}, {"options": {}}, {"task": "shop.subtract"}, {"queue": "sums"}):
            with pytest.raises(TickerValidationError, match="in the message that Celery made of the call"):
                tickerq.time_tickers.update(run.id, **changes)  # type: ignore[arg-type]
        with pytest.raises(TickerStateError, match="that Celery made of a call: it cannot be copied"):
            tickerq.time_tickers.clone(run.id)
        changed = tickerq.time_tickers.update(run.id, delay=90, tags=["eu"], priority="high", on_lost="retry")
        assert (changed.request, changed.tags, changed.on_lost) == (run.request, ("eu",), OnLost.RETRY)
        clock.advance(seconds=90)
        dispatch_due(tickerq)
        (message,) = messages(tickerq)
        assert (message.headers["id"], json.loads(message.body)[0]) == (result.id, [2])
