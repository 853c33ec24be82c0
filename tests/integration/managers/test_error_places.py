"""Which ticker and which field of a call an error names, and what it shows of the value."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.integration.apps import published
from tests.manual_clock import START
from tickerq_celery import CronTicker, TickerQ, TimeTicker
from tickerq_celery.errors import (
    DuplicateTickerError,
    InvalidCronError,
    TickerStateError,
    TickerValidationError,
    UnknownFunctionError,
)
from tickerq_celery.payload.redaction import MASK

# All of it is decided before the database is asked.
pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
GOOD = TimeTicker(function="Send", execution_time=START + timedelta(hours=1))
UNKNOWN = TimeTicker(function="Unknown")


def parent(*children: TimeTicker) -> TimeTicker:
    return TimeTicker(function="Send", children=children)


def cron(expression: str = "@daily", **fields: Any) -> CronTicker:
    return CronTicker(function="Send", expression=expression, **fields)


BAD = TimeTicker(function="Send", retries=-1)
TIME_BATCHES = [
    ([BAD], "retries"),
    ([GOOD, BAD], "[1].retries"),
    ([TimeTicker(function="Send", retries=1), TimeTicker(function="Send", retries=True)], "[1].retries"),
    ([TimeTicker(function="Send", tags=[]), TimeTicker(function="Send", tags={})], "[1].tags"),  # type: ignore[arg-type]
    ([GOOD, TimeTicker(function="Send", description="")] * 2 + [BAD], "[4].retries"),
    ([GOOD, parent(BAD)], "[1].children[0].retries"),
    ([parent(GOOD, parent(BAD))], "children[1].children[0].retries"),
    ([GOOD, "x"], "[1]"),
    (["x"], "ticker"),
    ([GOOD, TimeTicker(function="Send", run_condition=0)], "[1].run_condition"),  # type: ignore[arg-type]
    ([GOOD, TimeTicker(function="")], "[1].function"),
    ([GOOD, TimeTicker(function="Send", tags=["eu", ""])], "[1].tags[1]"),
    ([GOOD, TimeTicker(function="Send", children="x")], "[1].children"),  # type: ignore[arg-type]
    ([GOOD, parent(TimeTicker(function="Send", namespace="other"))], "[1].children[0].namespace"),
]  # fmt: skip


@pytest.mark.parametrize(("batch", "field"), TIME_BATCHES, ids=[field for _, field in TIME_BATCHES])
def test_of_several_time_tickers_an_error_names_the_bad_one(
    tickerq: TickerQ, batch: list[TimeTicker], field: str
) -> None:
    with pytest.raises(TickerValidationError) as caught:
        tickerq.time_tickers.add_batch(batch)
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")


CRON_BATCHES = [
    ([cron(retries=-1)], TickerValidationError, "retries"),
    ([cron(), cron(retries=-1)], TickerValidationError, "[1].retries"),
    ([cron(), cron("* *")], InvalidCronError, "[1].expression"),
    ([cron(), cron(children=[BAD])], TickerValidationError, "[1].children[0].retries"),
    ([cron(), cron(children=[GOOD])], TickerValidationError, "[1].children[0].execution_time"),
    ([cron(), cron(children=[UNKNOWN])], UnknownFunctionError, "[1].children[0].function"),
    ([cron(), "x"], TickerValidationError, "[1]"),
]


@pytest.mark.parametrize(("batch", "kind", "field"), CRON_BATCHES, ids=[field for *_, field in CRON_BATCHES])
def test_of_several_cron_tickers_an_error_names_the_bad_one(
    tickerq: TickerQ, batch: list[CronTicker], kind: type[TickerValidationError], field: str
) -> None:
    with pytest.raises(kind) as caught:
        tickerq.cron_tickers.add_batch(batch)
    assert caught.value.field == field


def test_a_chain_that_is_too_large_is_named_with_its_position(tickerq: TickerQ) -> None:
    limit = tickerq.core.config.payload_limit
    incompressible = random.Random(1).randbytes(limit // 4).hex()
    children = [TimeTicker(function="Send", request=incompressible)] * 4
    with pytest.raises(TickerValidationError, match=r"^\[1\]\.children: "):
        tickerq.cron_tickers.add_batch([cron(), cron(children=children)])


@pytest.mark.parametrize(
    ("batch", "field"),
    [
        ([UNKNOWN], "function"),
        ([GOOD, UNKNOWN, UNKNOWN], "[1].function"),
        ([parent(UNKNOWN)], "children[0].function"),
    ],
)
def test_an_unknown_function_is_named_with_its_position(
    tickerq: TickerQ, batch: list[TimeTicker], field: str
) -> None:
    with pytest.raises(UnknownFunctionError, match="no such function is registered") as caught:
        tickerq.time_tickers.add_batch(batch)
    assert (caught.value.field, caught.value.function) == (field, "Unknown")


def test_of_several_changes_an_error_names_the_tickers_id(tickerq: TickerQ) -> None:
    first, second = tickerq.time_tickers.add_batch([GOOD] * 2)
    crons = tickerq.cron_tickers.add_batch([cron()] * 2)
    for manager, ids in (
        (tickerq.time_tickers, [first.id, second.id]),
        (tickerq.cron_tickers, [each.id for each in crons]),
    ):
        for bad in ({"retries": -1}, {"colour": "red"}):
            [name] = bad
            with pytest.raises(TickerValidationError) as caught:
                manager.update_batch({ids[0]: {"retries": 1}, str(ids[1]): bad})  # type: ignore[attr-defined]
            assert caught.value.field == f"changes[{ids[1]}].{name}"
            with pytest.raises(TickerValidationError) as caught:
                manager.update(ids[1], **bad)  # type: ignore[attr-defined]
            assert caught.value.field == name


@pytest.mark.parametrize("batch", [GOOD, "abc", 7])
def test_what_is_no_list_of_tickers_is_refused(tickerq: TickerQ, batch: Any) -> None:
    with pytest.raises(TickerValidationError, match="batch: pass a list of TimeTicker"):
        tickerq.time_tickers.add_batch(batch)
    with pytest.raises(TickerValidationError, match="batch: pass a list of CronTicker"):
        tickerq.cron_tickers.add_batch(batch)


def test_a_key_that_is_twice_in_one_call_differs_from_one_that_is_taken(tickerq: TickerQ) -> None:
    keyed = TimeTicker(function="Send", unique_key="k")
    with pytest.raises(DuplicateTickerError, match="'k' is there twice in one call"):
        tickerq.time_tickers.add_batch([keyed, keyed])
    tickerq.time_tickers.add(keyed)
    with pytest.raises(DuplicateTickerError, match="'k' is still active"):
        tickerq.time_tickers.add(keyed)


@pytest.mark.parametrize("field", ["unique_key", "run_condition", "children", "namespace"])
def test_a_field_that_is_fixed_is_no_unknown_field(tickerq: TickerQ, field: str) -> None:
    run = tickerq.time_tickers.add(GOOD)
    with pytest.raises(TickerValidationError, match=f"{field}: it cannot be changed"):
        tickerq.time_tickers.update(run.id, **{field: None})
    with pytest.raises(TickerValidationError, match="colour: a TimeTicker has no such field"):
        tickerq.time_tickers.update(run.id, colour=None)


def test_a_run_that_cannot_be_run_now_is_refused(tickerq: TickerQ) -> None:
    run = tickerq.time_tickers.add(TimeTicker(function="Send"))
    assert published(tickerq) == [run.id]
    with pytest.raises(TickerStateError, match="is Queued: it cannot be run now"):
        tickerq.time_tickers.run_now(run.id)


def clone(tickerq: TickerQ, fields: dict[str, Any]) -> object:
    return tickerq.time_tickers.clone(tickerq.time_tickers.add(GOOD).id, **fields)


def update(tickerq: TickerQ, fields: dict[str, Any]) -> object:
    return tickerq.time_tickers.update(tickerq.time_tickers.add(GOOD).id, **fields)


def update_cron(tickerq: TickerQ, fields: dict[str, Any]) -> object:
    return tickerq.cron_tickers.update(tickerq.cron_tickers.add(cron()).id, **fields)


@pytest.mark.parametrize("verb", [clone, update, update_cron])
@pytest.mark.parametrize("fields", [{"api_key": "sesame"}, {"requst": {"password": "sesame"}}], ids=str)
def test_an_unknown_field_shows_no_secret(
    tickerq: TickerQ, verb: Callable[[TickerQ, dict[str, Any]], object], fields: dict[str, Any]
) -> None:
    with pytest.raises(TickerValidationError, match=MASK) as caught:
        verb(tickerq, fields)
    assert "sesame" not in f"{caught.value}{vars(caught.value)}"
