"""The page of a run or a cron ticker says whether the payload that is stored fits what its function takes."""

import json
from typing import Any

import pytest
from pydantic import BaseModel, field_validator

from tests.dashboard.conftest import BASE, LOGIN, USERS
from tests.dashboard.page_text import text_of
from tests.dashboard.seeds import Seeds
from tickerq_celery.enums import TickerKind
from tickerq_dashboard import create_app

FITS = "Fits what charge_card takes."


class Order(BaseModel):
    customer: int
    token: int

    @field_validator("token")
    @classmethod
    def known(cls, token: int) -> int:
        if token == 404:
            raise KeyError(token)
        return token


@pytest.fixture
def functions(seeds: Seeds) -> None:
    @seeds.tickerq.function("charge_card")
    def charge_card(request: Order) -> None: ...


def charge(request: Any) -> dict[str, Any]:
    return {"function": "charge_card", "request": None if request is None else json.dumps(request).encode()}


def page(seeds: Seeds, path: str) -> str:
    client = create_app(seeds.tickerq, users=USERS).test_client()
    return text_of(client.get(BASE + path, headers=LOGIN).text)


@pytest.mark.usefixtures("functions")
def test_a_payload_that_fits_is_said_to(seeds: Seeds) -> None:
    order = charge({"customer": 4, "token": 5})
    assert FITS in page(seeds, f"/runs/{seeds.run(**order)}")
    assert FITS in page(seeds, f"/crons/{seeds.cron(**order)}")


@pytest.mark.usefixtures("functions")
def test_fields_that_do_not_fit_are_named_without_their_values(seeds: Seeds) -> None:
    order = charge({"customer": "canary-1", "token": "canary-2"})
    said = page(seeds, f"/runs/{seeds.run(**order)}")
    assert "Does not fit what charge_card takes now: request.customer , request.token ." in said
    assert "canary-2" not in said


@pytest.mark.usefixtures("functions")
def test_a_payload_that_is_missing_does_not_fit(seeds: Seeds) -> None:
    assert "Does not fit what charge_card takes now: request" in page(
        seeds, f"/runs/{seeds.run(**charge(None))}"
    )


@pytest.mark.usefixtures("functions")
def test_nothing_is_said_of_what_this_process_cannot_check(seeds: Seeds) -> None:
    unknown = seeds.run(function="Elsewhere", request=b"[1]")
    closed = seeds.run(function="charge_card", request=b"sealed", encoding=2)
    call = seeds.run(function="charge_card", kind=TickerKind.CELERY_TASK.value, request=b'{"kwargs":{}}')
    for run_id in (unknown, closed, call):
        said = page(seeds, f"/runs/{run_id}")
        assert "charge_card takes" not in said
        assert "Elsewhere takes" not in said


@pytest.mark.usefixtures("functions")
def test_a_validator_that_fails_in_its_own_way_leaves_the_page(seeds: Seeds) -> None:
    said = page(seeds, f"/runs/{seeds.run(**charge({'customer': 4, 'token': 404}))}")
    assert "customer: 4" in said
    assert "charge_card takes" not in said
