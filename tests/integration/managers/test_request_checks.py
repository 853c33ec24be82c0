"""A process that has not imported a function checks its requests by the schema that workers registered."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, model_validator
from sqlalchemy import update

from tests.integration.apps import change_row, enrol_worker, ticker_app
from tests.manual_clock import START
from tests.tables import functions
from tickerq_celery import CronTicker, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.errors import QueryTooWideError, TickerValidationError
from tickerq_celery.managers import request_checks
from tickerq_celery.views import CheckedBy

CANARY = "canary-4711"


class Address(BaseModel):
    zip: Annotated[str, Field(pattern=r"^\d{5}$")]


class Order(BaseModel):
    customer: int
    address: Address = Address(zip="12345")
    card_token: str = CANARY


class Raising(BaseModel):
    @model_validator(mode="before")
    @classmethod
    def fail(cls, _: Any) -> Any:
        raise ZeroDivisionError


def raising(request: Raising) -> None: ...


GOOD: Any = {"customer": 4, "address": {"zip": "10101"}}
BAD: Any = {"customer": "x", "address": {"zip": "text"}}


@pytest.fixture
def worker(store_url: str, namespace: str) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace) as made:

        @made.function("shop.Order")
        def order(request: Order) -> None: ...

        @made.function("shop.Greet")
        def greet(name: str, times: int = 1) -> None: ...

        @made.function("shop.Tidy")
        def tidy(days: int = 3) -> None: ...

        @made.function("shop.Any")
        def anything() -> None: ...

        enrol_worker(made)
        yield made


@pytest.fixture
def producer(worker: TickerQ, store_url: str, namespace: str) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, redact=["card_token"]) as made:
        yield made


def stored(producer: TickerQ) -> UUID:
    return producer.time_tickers.add(TimeTicker("shop.Order", request=GOOD, delay=timedelta(hours=1))).id


def cron(producer: TickerQ, **fields: Any) -> UUID:
    return producer.cron_tickers.add(
        CronTicker("shop.Order", expression="0 3 * * *", request=GOOD, **fields)
    ).id


WAYS: Mapping[str, Callable[[TickerQ], object]] = {
    "add": lambda it: it.time_tickers.add(TimeTicker("shop.Order", request=BAD)),
    "unknown": lambda it: it.time_tickers.add(TimeTicker("shop.Order", request=BAD), allow_unknown=True),
    "batch": lambda it: it.time_tickers.add_batch([TimeTicker("shop.Order", request=BAD)]),
    "clone": lambda it: it.time_tickers.clone(stored(it), request=BAD),
    "update": lambda it: it.time_tickers.update(stored(it), request=BAD),
    "cron": lambda it: it.cron_tickers.add(CronTicker("shop.Order", expression="0 3 * * *", request=BAD)),
    "cron update": lambda it: it.cron_tickers.update(cron(it), request=BAD),
    "cron now": lambda it: it.cron_tickers.run_now(cron(it), request=BAD),
    "child": lambda it: it.time_tickers.add(
        TimeTicker("shop.Any", children=[TimeTicker("shop.Order", request=BAD)])
    ),
    "cron child": lambda it: cron(it, children=[TimeTicker("shop.Order", request=BAD)]),
    "check": lambda it: it.functions.check_request("shop.Order", BAD),
    "async": lambda it: asyncio.run(it.aio.time_tickers.add(TimeTicker("shop.Order", request=BAD))),
}


@pytest.mark.usefixtures("worker")
def test_wherever_a_request_comes_in_all_that_does_not_fit_is_refused(producer: TickerQ) -> None:
    for way, send in WAYS.items():
        with pytest.raises(TickerValidationError) as error:
            send(producer)
        fields = [each.field.partition("request")[2] for each in (error.value, *error.value.others)]
        assert sorted(fields) == [".address.zip", ".customer"], way


def test_what_fits_is_stored_as_it_is(producer: TickerQ) -> None:
    assert producer.time_tickers.get(stored(producer)).request == GOOD
    run = producer.time_tickers.add(TimeTicker("shop.Greet", request={"name": "Ada"}))
    assert producer.time_tickers.get(run.id).request == {"name": "Ada"}


def test_a_forgotten_request_is_refused_and_one_that_is_not_needed_is_not(producer: TickerQ) -> None:
    for name in ("shop.Order", "shop.Greet"):
        with pytest.raises(TickerValidationError, match=f"function {name} needs one, and none was given"):
            producer.time_tickers.add(TimeTicker(name))
    producer.time_tickers.add(TimeTicker("shop.Tidy"))
    producer.time_tickers.add(TimeTicker("shop.Any"))


def test_the_function_decides_where_it_is_imported(worker: TickerQ, producer: TickerQ) -> None:
    lax = {"customer": "4"}
    assert worker.functions.check_request("shop.Order", lax) is CheckedBy.FUNCTION
    with pytest.raises(TickerValidationError, match="valid integer"):
        producer.functions.check_request("shop.Order", lax)
    assert producer.functions.check_request("shop.Order", GOOD) is CheckedBy.SCHEMA
    assert producer.functions.check_request("shop.Any", [1]) is CheckedBy.NOTHING
    assert producer.functions.check_request("shop.Unknown", [1]) is CheckedBy.NOTHING


def test_a_schema_that_cannot_be_used_stores_the_request_and_says_so(
    producer: TickerQ, caplog: pytest.LogCaptureFixture
) -> None:
    broken = update(functions).values(request_schema={"$ref": "#/$defs/Gone"})
    producer.core.write(lambda tx: tx.execute(broken))
    with caplog.at_level(logging.WARNING):
        producer.time_tickers.add(TimeTicker("shop.Order", request=BAD))
    assert "a request of function shop.Order is stored unchecked" in caplog.text
    assert "/$defs/Gone" in caplog.text
    assert producer.functions.check_request("shop.Order", BAD) is CheckedBy.UNUSABLE
    assert producer.functions.get("shop.Order").request_example is None


def test_a_change_that_leaves_the_request_does_not_look_at_it(producer: TickerQ) -> None:
    run_id = stored(producer)
    change_row(producer, run_id, request=b'{"customer":"x"}')
    assert producer.time_tickers.update(run_id, description="later").description == "later"


@pytest.mark.parametrize("is_imported", [True, False])
def test_of_a_failed_run_it_is_said_that_a_retry_cannot_help(
    worker: TickerQ, producer: TickerQ, is_imported: bool
) -> None:
    asked = worker if is_imported else producer
    run_id = stored(producer)
    ended: Any = {"status": TickerStatus.FAILED, "due_at": None, "ended_at": START}
    change_row(producer, run_id, request=b'{"customer":"x"}', **ended)
    found = asked.runs.explain(run_id)
    assert (found.needs_other_request, found.misfits) == (True, ("request.customer",))
    assert "a retry cannot help until the code or the request changes" in str(found)
    assert "- Does not fit: request.customer" in str(found)
    change_row(producer, run_id, request=b'{"customer":5}')
    found = asked.runs.explain(run_id)
    assert (found.needs_other_request, found.misfits) == (False, ())
    change_row(producer, run_id, function="shop.Unknown")
    found = asked.runs.explain(run_id)
    assert (found.needs_other_request, found.misfits) == (False, None)


@pytest.mark.parametrize("is_imported", [True, False])
def test_of_what_is_stored_the_fields_that_do_not_fit_are_named(
    worker: TickerQ, producer: TickerQ, is_imported: bool
) -> None:
    asked = worker if is_imported else producer
    run_id, cron_id = stored(producer), cron(producer)
    unknown = producer.time_tickers.add(TimeTicker("shop.Unknown", request=1), allow_unknown=True)
    assert asked.functions.misfits(producer.cron_tickers.get(cron_id)) == ()
    assert asked.functions.misfits(unknown) is None
    change_row(producer, run_id, request=b'{"customer":"x"}')
    assert asked.functions.misfits(producer.runs.get(run_id)) == ("request.customer",)
    # Its own request is none of the function's.
    change_row(producer, run_id, origin="misfire")
    assert asked.functions.misfits(producer.runs.get(run_id)) is None


def test_a_schema_that_is_not_read_in_time_is_no_fault_of_the_request(
    producer: TickerQ, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run_id = stored(producer)
    ended: Any = {"status": TickerStatus.FAILED, "due_at": None, "ended_at": START}
    change_row(producer, run_id, request=b'{"customer":"x"}', **ended)
    run = producer.runs.get(run_id)

    def too_slow(*_: object) -> None:
        raise QueryTooWideError(2.0)

    monkeypatch.setattr(request_checks.functions, "find", too_slow)
    with pytest.raises(QueryTooWideError):
        producer.functions.misfits(run)
    # What explains a run reads its function with it, in one time.
    assert producer.runs.explain(run_id).misfits == ("request.customer",)
    assert "could not be checked" not in caplog.text


def test_a_validator_that_raises_what_is_no_value_error_is_logged(
    worker: TickerQ, caplog: pytest.LogCaptureFixture
) -> None:
    run = worker.time_tickers.add(TimeTicker("shop.Raises", request={}), allow_unknown=True)
    worker.function("shop.Raises")(raising)
    assert worker.functions.misfits(worker.runs.get(run.id)) is None
    assert f"the request of {run.id} of function shop.Raises could not be checked" in caplog.text


def test_the_schema_is_shown_without_its_secrets_and_an_example_fits(producer: TickerQ) -> None:
    found = producer.functions.get("shop.Order")
    assert CANARY not in str(found) + str(producer.functions.find(prefix="shop.O"))
    assert found.request_schema["properties"]["card_token"]["default"] == "•••"
    assert Order.model_validate(found.request_example).customer == 1
    assert producer.functions.check_request("shop.Order", found.request_example) is CheckedBy.SCHEMA


def test_the_example_of_the_documentation_is_refused_as_it_says(
    worker: TickerQ, store_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (
        (Path(__file__).parents[3] / "docs" / "reference" / "payloads.md")
        .read_text()
        .partition("## Checks")[2]
    )
    code, said = text.split("```")[1:5:2]
    monkeypatch.setenv("STORE_URL", store_url)
    namespace = worker.config.namespace
    code = code.removeprefix("python\n").replace(
        'os.environ["STORE_URL"])', f'os.environ["STORE_URL"], namespace={namespace!r})'
    )
    names: dict[str, Any] = {}
    exec(code, names)
    names["tickerq"].close()
    assert capsys.readouterr().out.split() == said.split()
