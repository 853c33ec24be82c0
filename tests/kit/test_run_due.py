"""run_due: what a beat and a worker would have done, in this process and in the order of time."""

from datetime import UTC, datetime, timedelta

import pytest
from celery import signals

from tickerq_celery import (
    MisfirePolicy,
    OverlapPolicy,
    Run,
    RunCondition,
    TickerContext,
    TickerQ,
    TickerStatus,
    TickerType,
    TimeTicker,
)
from tickerq_celery.enums import HoldReason
from tickerq_celery.testing import TickerQTest, TooManyRunsError

START = datetime(2027, 3, 1, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_what_is_due_runs_in_this_process_and_is_returned(shop: TickerQ, tickerq: TickerQTest) -> None:
    seen = []

    @shop.function("Greet")
    def greet(context: TickerContext[str]) -> None:
        seen.append(context.request)

    greet.schedule("Ada")
    later = greet.schedule("Bob", delay=60)
    assert seen == []
    [run] = tickerq.run_due()
    assert (seen, run.status, run.request) == (["Ada"], TickerStatus.DONE, "Ada")
    assert tickerq.run_due() == []
    assert tickerq.runs.get(later.id).status is TickerStatus.IDLE
    tickerq.clock.advance(minutes=1)
    assert [run.id for run in tickerq.run_due()] == [later.id]


def test_a_job_on_many_runs_is_done_first(shop: TickerQ, tickerq: TickerQTest) -> None:
    @shop.function("Greet")
    def greet(context: TickerContext[str]) -> None:
        raise OSError(context.request)

    greet.schedule("Ada")
    [run] = tickerq.run_due()
    job = tickerq.bulk.start("retry", status="failed")
    assert [each.id for each in tickerq.run_due()] == [run.id]
    assert tickerq.bulk.get(job.id).changed == 1
    assert len(tickerq.runs.get(run.id).attempts) == 2


def test_what_the_code_itself_schedules_for_its_own_now_is_due(shop: TickerQ, tickerq: TickerQTest) -> None:
    @shop.function("Greet")
    def greet() -> None: ...

    shop.time_tickers.add(TimeTicker(function="Greet", execution_time=datetime.now(UTC) + HOUR))
    tickerq.clock.advance(hours=1)
    assert [run.status for run in tickerq.run_due()] == [TickerStatus.DONE]


def test_retries_fall_due_at_their_times(shop: TickerQ, tickerq: TickerQTest) -> None:
    seen = []

    @shop.function("Send", retries=3, retry_intervals=[60, 300, 900])
    def send(context: TickerContext) -> None:
        seen.append(tickerq.clock.now())
        if context.retry_count < 2:
            raise ConnectionError("no server")

    tickerq.clock.set(START)
    send.schedule()
    [run] = tickerq.run_due()
    assert (run.status, run.retry_count, run.next_attempt_at) == (
        TickerStatus.IDLE,
        1,
        START + timedelta(seconds=60),
    )
    tickerq.clock.advance(hours=1)
    [run] = tickerq.run_due()
    assert (run.status, len(run.attempts)) == (TickerStatus.DONE, 3)
    assert seen == [START, START + timedelta(minutes=1), START + timedelta(minutes=6)]
    assert tickerq.clock.now() == START + HOUR


def test_children_follow_their_parents_and_skipped_ones_are_returned(
    shop: TickerQ, tickerq: TickerQTest
) -> None:
    @shop.function("Count")
    def count() -> int:
        return 7

    tickerq.clock.set(START)
    results = []

    @shop.function("Use")
    def use(context: TickerContext) -> None:
        results.append(context.parent_result)

    count.schedule(
        children=[
            TimeTicker(function="Use", run_condition=RunCondition.ON_SUCCESS),
            TimeTicker(function="Use", run_condition=RunCondition.ON_FAILURE),
        ]
    )
    runs = tickerq.run_due()
    assert [(run.function, run.status) for run in runs] == [
        ("Count", TickerStatus.DONE),
        ("Use", TickerStatus.DONE),
        ("Use", TickerStatus.SKIPPED),
    ]
    assert results == [7]
    assert tickerq.run_due() == []


def test_a_month_of_a_timetable_fires_every_instant_as_a_beat_that_never_slept(
    shop: TickerQ, tickerq: TickerQTest
) -> None:
    seen: list[datetime] = []

    @shop.function("Digest", cron="0 9 * * *", time_zone="Europe/Berlin")
    def digest(context: TickerContext) -> None:
        assert context.scheduled_for == tickerq.clock.now()
        seen.append(tickerq.clock.now())

    @shop.function("Weekly", cron="0 9 * * MON")
    def weekly() -> None:
        seen.append(tickerq.clock.now())

    tickerq.clock.set(START)
    tickerq.clock.advance(days=31)
    runs = tickerq.run_due()
    assert len(runs) == 31 + 5
    assert {run.status for run in runs} == {TickerStatus.DONE}
    assert seen == sorted(seen)
    assert [run.execution_time for run in runs] == seen
    # The clocks change on 28 March.
    assert (seen[1].hour, seen[-1].hour) == (8, 7)
    assert tickerq.clock.now() == START + timedelta(days=31)
    tickerq.clock.advance(days=1)
    assert [run.function for run in tickerq.run_due()] == ["Digest"]


@pytest.mark.parametrize(
    ("misfire", "fired"),
    [(MisfirePolicy.RUN_ONCE, 1), (MisfirePolicy.RUN_ALL, 4), (MisfirePolicy.SKIP, 0)],
)
def test_a_beat_that_was_down_leaves_it_to_the_misfire_policy(
    shop: TickerQ, tickerq: TickerQTest, misfire: MisfirePolicy, fired: int
) -> None:
    @shop.function("Digest", cron="0 9 * * *", misfire=misfire)
    def digest() -> None: ...

    tickerq.clock.set(START)
    tickerq.clock.advance(days=4)
    runs = tickerq.run_due(beat_was_down=True)
    assert [run.status for run in runs if run.status is not TickerStatus.SKIPPED] == [
        TickerStatus.DUE_DONE
    ] * fired
    assert any(run.skipped_reason for run in runs) is (fired < 4)


def test_a_timetable_with_more_than_ten_thousand_instants_is_refused_by_name(
    shop: TickerQ, tickerq: TickerQTest
) -> None:
    seen = []

    @shop.function("Poll", every=timedelta(minutes=1))
    def poll() -> None:
        seen.append(1)

    shop.function("Few")(lambda: None)
    tickerq.clock.set(START)
    for day in (1, 2):
        tickerq.time_tickers.add(TimeTicker("Few", delay=timedelta(days=day)))
    tickerq.clock.advance(days=7)
    with pytest.raises(TooManyRunsError, match=r"more than 10,000 runs, most of cron ticker Poll \(@every"):
        tickerq.run_due()
    assert seen == []
    shop.cron_tickers.delete(tickerq.cron_tickers.find(function="Poll")[0].id)
    # What else was due in the span has its own moments still.
    runs = tickerq.run_due()
    assert [run.ended_at for run in runs] == [START + timedelta(days=day) for day in (1, 2)]


def test_a_long_outage_of_an_interval_is_no_reason_to_refuse(shop: TickerQ, tickerq: TickerQTest) -> None:
    @shop.function("Poll", every=timedelta(minutes=1))
    def poll() -> None: ...

    tickerq.clock.set(START)
    tickerq.clock.advance(days=365, seconds=30)
    poll_run, record = tickerq.run_due(beat_was_down=True)
    assert (poll_run.status, record.status) == (TickerStatus.DUE_DONE, TickerStatus.SKIPPED)


def test_instants_that_will_not_run_are_no_reason_to_refuse(shop: TickerQ, tickerq: TickerQTest) -> None:
    @shop.function("Poll", every=timedelta(minutes=1), max_runs=3)
    def poll() -> None: ...

    @shop.function("Other", every=timedelta(minutes=1))
    def other() -> None: ...

    tickerq.clock.set(START)
    tickerq.pauses.pause(function="Other")
    tickerq.clock.advance(days=30)
    assert [run.function for run in tickerq.run_due()] == ["Poll"] * 3


def test_a_function_that_schedules_itself_for_ever_is_refused_by_name(
    shop: TickerQ, tickerq: TickerQTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tickerq_celery.testing.beat.MOST_RUNS", 20)

    @shop.function("Again")
    def again() -> None:
        again.schedule()

    again.schedule()
    with pytest.raises(TooManyRunsError, match="most of function Again"):
        tickerq.run_due()


def test_limits_and_rates_hold_as_they_do_elsewhere(shop: TickerQ, tickerq: TickerQTest) -> None:
    seen = []

    @shop.function("One", max_concurrency=1)
    def one() -> None: ...

    @shop.function("Slow", rate_limit="2/m")
    def slow() -> None:
        seen.append(tickerq.clock.now())

    tickerq.clock.set(START)
    for _ in range(3):
        one.schedule()
        slow.schedule()
    assert len(tickerq.run_due()) == 4
    [held, _] = tickerq.runs.find(status=TickerStatus.IDLE)
    assert held.held_for is HoldReason.RATE
    tickerq.clock.advance(minutes=5)
    assert len(tickerq.run_due()) == 2
    assert seen == [START, START + timedelta(seconds=30), START + timedelta(seconds=60)]


def test_a_backlog_that_is_full_is_worked_off(shop: TickerQ, request: pytest.FixtureRequest) -> None:
    shop._keywords["max_queued"] = 1

    @shop.function("Greet", queue="small")
    def greet() -> None: ...

    tickerq: TickerQTest = request.getfixturevalue("tickerq")
    tickerq.clock.set(START)
    for _ in range(3):
        greet.schedule()
    assert len(tickerq.run_due()) == 3


def test_an_occurrence_that_waits_for_its_retry_keeps_the_overlap_lock(
    shop: TickerQ, tickerq: TickerQTest
) -> None:
    @shop.function(
        "Sync", every=timedelta(minutes=1), overlap=OverlapPolicy.SKIP, retries=1, retry_intervals=[90]
    )
    def sync(context: TickerContext) -> None:
        if context.retry_count == 0:
            raise ConnectionError("no server")

    tickerq.clock.set(START)
    tickerq.clock.advance(minutes=2)
    runs = tickerq.run_due()
    assert [run.status for run in runs] == [TickerStatus.IDLE, TickerStatus.SKIPPED]


def test_paused_functions_wait_and_unknown_ones_are_held(shop: TickerQ, tickerq: TickerQTest) -> None:
    @shop.function("Greet")
    def greet() -> None: ...

    tickerq.pauses.pause(function="Greet")
    greet.schedule()
    tickerq.time_tickers.add(TimeTicker(function="Elsewhere"), allow_unknown=True)
    assert tickerq.run_due() == []
    assert {run.held_for for run in tickerq.runs.find()} == {HoldReason.PAUSED, HoldReason.FUNCTION}
    tickerq.pauses.resume(function="Greet")
    assert [run.function for run in tickerq.run_due()] == ["Greet"]


def test_the_exception_handler_is_called_and_a_failure_raises_nothing(tickerq_handler: TickerQTest) -> None:
    @tickerq_handler.own.function("Fail")
    def fail() -> None:
        raise KeyError("gone")

    fail.schedule()
    [run] = tickerq_handler.run_due()
    assert (run.status, run.exception_type) == (TickerStatus.FAILED, "KeyError")
    # The run is read from the test's store, and not from the application's.
    assert HANDLED == ["KeyError", "final of Fail"]


HANDLED: list[str] = []


class Handler:
    def handle_exception(self, exception: BaseException, ticker_id: object, ticker_type: TickerType) -> None:
        HANDLED.append(type(exception).__name__)

    def handle_canceled_exception(
        self, exception: BaseException, ticker_id: object, ticker_type: TickerType
    ) -> None: ...

    def handle_final_failure(
        self, exception: BaseException, ticker_id: object, ticker_type: TickerType, run: Run | None = None
    ) -> None:
        HANDLED.append("final" if run is None else f"final of {run.function}")


@pytest.fixture
def tickerq_handler(shop: TickerQ, request: pytest.FixtureRequest) -> TickerQTest:
    shop._keywords["exception_handler"] = Handler()
    HANDLED.clear()
    kit: TickerQTest = request.getfixturevalue("tickerq")
    return kit


def test_the_task_is_celerys_with_its_signals_and_a_timeout_is_no_obstacle(
    shop: TickerQ, tickerq: TickerQTest
) -> None:
    names = []

    @shop.function("Limited", timeout=5)
    def limited(context: TickerContext) -> None:
        context.report_progress(0.5, "half")
        context.log("a line")

    def note(task: object, **_: object) -> None:
        names.append(getattr(task, "name", None))

    signals.task_prerun.connect(note)
    try:
        limited.schedule(timeout=3)
        [run] = tickerq.run_due()
    finally:
        signals.task_prerun.disconnect(note)
    assert (names, run.status, run.progress) == (["tickerq.Limited"], TickerStatus.DONE, 0.5)
    assert [line.message for line in run.logs] == ["a line"]


def test_coroutines_run_and_a_body_may_cancel_its_own_run(shop: TickerQ, tickerq: TickerQTest) -> None:
    @shop.function("Async")
    async def asynchronous(context: TickerContext) -> None:
        shop.runs.cancel(context.id)
        context.raise_if_cancelled()

    asynchronous.schedule()
    [run] = tickerq.run_due()
    assert run.status is TickerStatus.CANCELLED


def test_celery_tasks_of_beat_entries_are_applied_in_this_process(
    namespace: str, shop: TickerQ, request: pytest.FixtureRequest
) -> None:
    seen = []

    @shop.app.task(name="shop.rebuild")
    def rebuild(what: str) -> None:
        seen.append(what)

    shop.app.conf.beat_schedule = {
        "nightly": {"task": "shop.rebuild", "schedule": timedelta(hours=1), "args": ("index",)}
    }
    tickerq: TickerQTest = request.getfixturevalue("tickerq")
    tickerq.clock.set(START)
    tickerq.clock.advance(hours=2)
    runs = tickerq.run_due()
    assert [run.status for run in runs] == [TickerStatus.DONE] * 2
    assert seen == ["index", "index"]


def test_run_due_in_the_body_of_a_run_is_refused(shop: TickerQ, tickerq: TickerQTest) -> None:
    @shop.function("Nested")
    def nested() -> None:
        tickerq.run_due()

    nested.schedule()
    [run] = tickerq.run_due()
    assert run.exception_message == "run_due was called in the body of a run"


def test_a_body_that_advances_the_clock_is_seen_to_take_that_long(
    shop: TickerQ, tickerq: TickerQTest
) -> None:
    @shop.function("Long")
    def long() -> None:
        tickerq.clock.advance(minutes=3)

    tickerq.clock.set(START)
    long.schedule()
    [run] = tickerq.run_due()
    assert run.ended_at == START + timedelta(minutes=3)
    assert tickerq.clock.now() == START + timedelta(minutes=3)


def test_an_eager_app_runs_what_is_due_at_once_with_its_children(
    shop: TickerQ, request: pytest.FixtureRequest
) -> None:
    shop.app.conf.task_always_eager = True
    seen = []

    @shop.function("Greet")
    def greet(context: TickerContext[str]) -> None:
        seen.append(context.request)

    tickerq: TickerQTest = request.getfixturevalue("tickerq")
    run = greet.schedule("Ada", children=[TimeTicker(function="Greet", request="Bob")])
    later = greet.schedule("Eve", delay=60)
    assert seen == ["Ada", "Bob"]
    assert tickerq.runs.get(run.id).status is TickerStatus.DONE
    assert tickerq.runs.get(later.id).status is TickerStatus.IDLE
    assert tickerq.run_due() == []
