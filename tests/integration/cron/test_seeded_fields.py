"""What a function's code says of its cron ticker beside the times is seeded, and comes back at each start."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from celery import Celery
from cryptography.fernet import Fernet
from pydantic import BaseModel

from tests.inner import Core, Function, make_function
from tests.integration.conftest import send
from tests.integration.cron.firing import fire
from tests.integration.cron.seeding import DAILY, HOURLY, seeded
from tests.integration.making import crons, occurrences_of
from tests.manual_clock import ManualClock
from tickerq_celery import TickerContext, TickerQ
from tickerq_celery.errors import ConfigError, TickerValidationError

MakeCore = Callable[..., Core]


class Report(BaseModel):
    region: str
    days: int = 7


def report(**options: Any) -> Function:
    def body(context: TickerContext[Report]) -> None: ...

    return make_function(body, "Report", **options)


ALL: dict[str, Any] = {
    "misfire_limit": 5,
    "misfire_grace": timedelta(minutes=2),
    "tags": ["eu", "nightly"],
    "description": "the figures of the day",
    "request": Report(region="eu"),
}


def test_a_seeded_cron_ticker_has_what_the_code_says(make_core: MakeCore) -> None:
    core = make_core(report(cron=DAILY, **ALL))
    cron = crons(core).get(seeded(core).id)
    assert (cron.misfire_limit, cron.misfire_grace) == (5, timedelta(minutes=2))
    assert (cron.tags, cron.description) == (("eu", "nightly"), "the figures of the day")
    assert cron.request == {"region": "eu", "days": 7}


def test_its_occurrences_get_them_too_also_those_that_have_not_begun(
    make_core: MakeCore, clock: ManualClock
) -> None:
    core = make_core(send(cron=HOURLY, request={"n": 1}, tags=["a"]))
    cron_id = seeded(core).id
    clock.advance(hours=1)
    fire(core)
    seeded(make_core(send(cron=HOURLY, request={"n": 2}, tags=["b"], description="now two")))
    (occurrence,) = occurrences_of(core, cron_id)
    assert (occurrence.request, occurrence.tags, occurrence.description) == (b'{"n":2}', ["b"], "now two")


def test_an_operators_words_stay_where_the_code_has_none(make_core: MakeCore) -> None:
    core = make_core(send(cron=DAILY))
    operators = {"tags": ["eu"], "description": "theirs", "request": {"n": 1}}
    cron_id = crons(core).update(seeded(core).id, **operators).id
    seeded(core)
    cron = crons(core).get(cron_id)
    assert (cron.tags, cron.description, cron.request) == (("eu",), "theirs", {"n": 1})


def test_the_codes_words_come_back_at_the_next_start(make_core: MakeCore) -> None:
    core = make_core(send(cron=DAILY, tags=["ours"], description="ours", request={"n": 0}))
    operators = {"tags": ["eu"], "description": "theirs", "request": {"n": 1}, "misfire_limit": 9}
    cron_id = crons(core).update(seeded(core).id, **operators).id
    seeded(core)
    cron = crons(core).get(cron_id)
    assert (cron.tags, cron.description, cron.request) == (("ours",), "ours", {"n": 0})
    assert cron.misfire_limit == 100


def test_an_encrypted_request_that_is_the_same_is_not_written_again(
    make_core: MakeCore, clock: ManualClock
) -> None:
    keys = [Fernet.generate_key().decode()]
    before = seeded(make_core(report(cron=DAILY, **ALL), encryption_keys=keys))
    clock.advance(hours=1)
    assert seeded(make_core(report(cron=DAILY, **ALL), encryption_keys=keys)) == before


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"misfire_limit": 0}, "misfire_limit"),
        ({"misfire_grace": -1}, "misfire_grace"),
        ({"tags": "eu"}, "tags"),
        ({"tags": [""]}, "tags[0]"),
        ({"description": 7}, "description"),
        ({"request": {"region": 7}}, "request.region"),
        ({"request": None}, "request"),
        ({}, "request"),
    ],
    ids=str,
)
def test_what_cannot_be_stored_is_refused_where_it_is_written(options: dict[str, Any], field: str) -> None:
    with pytest.raises(TickerValidationError) as caught:
        report(**{"cron": DAILY, "request": Report(region="eu")} | options if options else {"cron": DAILY})
    assert caught.value.field == field


@pytest.mark.parametrize("option", ALL)
def test_what_is_of_the_cron_ticker_needs_one(option: str) -> None:
    with pytest.raises(TickerValidationError, match=r"pass cron= or every=") as caught:
        report(**{option: ALL[option]})
    assert caught.value.field == option


def test_a_request_in_the_code_that_is_larger_than_the_limit_is_an_error_of_the_configuration(
    namespace: str,
) -> None:
    with Celery(namespace, set_as_current=False) as app:
        tickerq = TickerQ(app, "sqlite:///unused.db", payload_limit=10)
        tickerq.register(send(cron=DAILY, request="more than ten bytes"))
        with pytest.raises(ConfigError, match="the code of function Send takes 21 bytes") as caught:
            tickerq.core  # noqa: B018 - the first use reads the settings
    assert caught.value.setting == "tickerq_payload_limit"
