"""The words of enums, wherever a user passes one; and keywords that nothing takes."""

from dataclasses import replace
from typing import Any

import pytest
from celery import Celery

from tickerq_celery import (
    CronTicker,
    MisfirePolicy,
    OverlapPolicy,
    RunCondition,
    TickerPriority,
    TickerQ,
    TickerStatus,
    TimeTicker,
)
from tickerq_celery.errors import (
    ConfigError,
    TickerValidationError,
    UnknownFunctionError,
    UnknownKeywordError,
)
from tickerq_celery.views import TickerConfig

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


def test_a_time_ticker_takes_words(tickerq: TickerQ) -> None:
    child = TimeTicker(function="Send", run_condition="OnFailure", priority="LOW")
    run = tickerq.time_tickers.add(TimeTicker(function="Send", priority="high", children=[child]))
    assert run.priority is TickerPriority.HIGH
    (below,) = tickerq.runs.find(parent_id=run.id)
    assert (below.priority, below.run_condition) == (TickerPriority.LOW, RunCondition.ON_FAILURE)


def test_a_change_takes_words(tickerq: TickerQ) -> None:
    cron = tickerq.cron_tickers.add(
        CronTicker(function="Send", expression="@daily", misfire="RUN_ALL", overlap="buffer one")
    )
    assert (cron.misfire, cron.overlap) == (MisfirePolicy.RUN_ALL, OverlapPolicy.BUFFER_ONE)
    changed = tickerq.cron_tickers.update(cron.id, priority="Low", misfire="Skip")
    assert (changed.priority, changed.misfire) == (TickerPriority.LOW, MisfirePolicy.SKIP)


def test_a_function_and_a_setting_take_words(tickerq: TickerQ) -> None:
    urgent = tickerq.function("Urgent", priority="High", misfire="RUN_ALL", on_lost="FAIL")(lambda: None)
    assert urgent.definition.priority is TickerPriority.HIGH
    assert (urgent.definition.misfire, urgent.definition.on_lost) == ("run_all", "fail")
    queues: Any = {"high": "fast", "LongRunning": "slow", 3: "later"}
    assert TickerConfig(priority_queues=queues).priority_queues == {
        TickerPriority.HIGH: "fast", TickerPriority.LONG_RUNNING: "slow", TickerPriority.LOW: "later",
    }  # fmt: skip


def test_finding_takes_words(tickerq: TickerQ) -> None:
    run = tickerq.time_tickers.add(TimeTicker(function="Send"))
    assert tickerq.runs.count(status="queued") == 1
    assert tickerq.runs.count(status=["Idle", "IN_PROGRESS", TickerStatus.DONE]) == 0
    assert [each.id for each in tickerq.runs.find(type="TimeTicker")] == [run.id]
    assert not tickerq.runs.find(held_for="LIMIT", type="cron_ticker_occurrence")


def test_a_conflict_takes_its_word_in_any_case(tickerq: TickerQ) -> None:
    one = tickerq.time_tickers.add(TimeTicker(function="Send", unique_key="k"))
    again = TimeTicker(function="Send", unique_key="k")
    assert tickerq.time_tickers.add(again, on_conflict="Return_Existing").id == one.id


UNKNOWN: list[tuple[dict[str, Any], str]] = [
    ({"retires": 3}, "retires: a TimeTicker has no such field: did you mean retries? (got 3)"),
    (
        {"retires": 3, "prioriti": 1},
        "retires: a TimeTicker has no such field: did you mean retries? (got 3); "
        "prioriti: a TimeTicker has no such field: did you mean priority? (got 1)",
    ),
    ({"password": 3}, "password: a TimeTicker has no such field: there are function, task, "),
    # Half of "namespace" is no slip of it.
    ({"name": 3}, "name: a TimeTicker has no such field: there are function, task, "),
    ({"countdown": 3}, "countdown: a TimeTicker has no such field: did you mean delay? (got 3)"),
    ({"eta": 3}, "eta: a TimeTicker has no such field: did you mean execution_time? (got 3)"),
]


@pytest.mark.parametrize(("fields", "error"), UNKNOWN, ids=str)
def test_an_unknown_field_is_refused_with_the_one_that_may_be_meant(
    tickerq: TickerQ, fields: dict[str, Any], error: str
) -> None:
    run = tickerq.time_tickers.add(TimeTicker(function="Send"))
    calls = (
        lambda: TimeTicker(function="Send", **fields),
        lambda: replace(TimeTicker(function="Send"), **fields),
        lambda: tickerq.time_tickers.update(run.id, **fields),
    )
    for call in calls:
        with pytest.raises(UnknownKeywordError) as caught:
            call()
        assert str(caught.value).startswith(error)
        assert isinstance(caught.value, TypeError)


def test_an_unknown_field_of_a_cron_ticker_and_an_unknown_filter_are_refused_alike(tickerq: TickerQ) -> None:
    with pytest.raises(UnknownKeywordError, match="a CronTicker has no such field: did you mean time_zone"):
        CronTicker(function="Send", timezone="UTC")  # type: ignore[call-arg]
    with pytest.raises(
        UnknownKeywordError, match=r"a CronTicker has no such field: did you mean expression\?"
    ):
        CronTicker(function="Send", cron="@daily")  # type: ignore[call-arg]
    with pytest.raises(UnknownKeywordError, match="there is no such filter: did you mean status"):
        tickerq.runs.find(stauts=3)  # type: ignore[call-arg]


def test_a_request_too_many_and_one_that_is_forgotten_are_refused(tickerq: TickerQ) -> None:
    boom = tickerq.function("Boom")(lambda: None)

    @tickerq.function("Sleep")
    def sleep(request: float) -> None: ...

    with pytest.raises(TickerValidationError, match="request: function Boom takes none"):
        boom.schedule({"x": 1})
    with pytest.raises(TickerValidationError, match="request: function Sleep needs one of type float"):
        sleep.schedule()
    cron = tickerq.cron_tickers.add(CronTicker(function="Boom", expression="@daily"))
    with pytest.raises(TickerValidationError, match="request: function Boom takes none"):
        tickerq.cron_tickers.run_now(cron.id, request=[1])


def test_each_bad_field_of_a_ticker_is_named_its_request_too(tickerq: TickerQ) -> None:
    @tickerq.function("Sleep")
    def sleep(request: float) -> None: ...

    bad = TimeTicker(function="Sleep", request="long", retries=-1, priority="urgent", tags=[""])
    fields = ["request", "retries", "priority", "tags[0]"]
    with pytest.raises(TickerValidationError) as caught:
        tickerq.time_tickers.add(bad)
    assert [each.partition(":")[0] for each in str(caught.value).split("; ")] == fields
    with pytest.raises(TickerValidationError) as caught:
        tickerq.time_tickers.add_batch([TimeTicker(function="Send"), bad])
    error = caught.value
    assert [each.field for each in (error, *error.others)] == [f"[1].{field}" for field in fields]
    with pytest.raises(TickerValidationError) as caught:
        tickerq.cron_tickers.add(CronTicker(function="Send", expression="@daily", retries=-1, queue=""))
    assert (caught.value.field, [each.field for each in caught.value.others]) == ("retries", ["queue"])


def test_an_unknown_function_is_refused_with_the_one_that_may_be_meant(tickerq: TickerQ) -> None:
    with pytest.raises(UnknownFunctionError, match=r"did you mean Send\?"):
        tickerq.time_tickers.add(TimeTicker(function="Sned"))


def test_a_function_of_another_namespace_is_not_suggested_under_the_name_that_was_given(
    tickerq: TickerQ,
) -> None:
    clean = tickerq.function("Clean")(lambda: None)
    with pytest.raises(UnknownFunctionError, match="registered in namespace 'other' by any worker; start"):
        clean.schedule(namespace="other")


def test_a_pause_takes_the_name_of_a_function(tickerq: TickerQ) -> None:
    clean: Any = tickerq.function("Clean")(lambda: None)
    with pytest.raises(TickerValidationError, match="function: pass its name, 'Clean'"):
        tickerq.pauses.pause(function=clean)


@pytest.mark.parametrize("app", ["shop", None, Celery])
def test_what_is_no_celery_app_gets_no_tickerq(store_url: str, app: Any) -> None:
    with pytest.raises(ConfigError, match="app: pass a Celery app") as caught:
        TickerQ(app, store_url)
    assert caught.value.setting == "app"
