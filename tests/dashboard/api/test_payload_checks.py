"""A payload is checked before anything is stored."""

from typing import Any

import pytest
from flask import Flask
from pydantic import BaseModel

from tests.dashboard.api.conftest import Program
from tests.dashboard.seeds import Seeds
from tickerq_celery.managers import functions as managers_functions
from tickerq_celery.views import CheckedBy


class Order(BaseModel):
    customer: int


@pytest.fixture
def functions(seeds: Seeds) -> None:
    @seeds.tickerq.function("charge_card")
    def charge_card(request: Order) -> None: ...


@pytest.mark.usefixtures("functions")
@pytest.mark.parametrize(
    ("payload", "is_valid", "paths"),
    [
        ({"customer": 4}, True, []),
        ({"customer": "secret-canary"}, False, ["request.customer"]),
        (None, False, ["request"]),
    ],
)
def test_it_says_whether_a_payload_fits_and_where_not(
    program: Program, payload: Any, paths: list[str], *, is_valid: bool
) -> None:
    response = program.send("POST", "/payload/validate", json={"function": "charge_card", "payload": payload})
    assert response.status_code == 200
    assert response.json["is_valid"] is is_valid
    assert [each["path"] for each in response.json["errors"]] == paths
    assert "secret-canary" not in response.text


@pytest.mark.usefixtures("functions")
def test_it_stores_nothing_and_anyone_who_may_read_may_ask(api_app: Flask, seeds: Seeds) -> None:
    viewer = Program(api_app, "viewer")
    asked = {"function": "charge_card", "payload": {"customer": 4}}
    assert viewer.send("POST", "/payload/validate", json=asked).json["is_valid"] is True
    assert not seeds.tickerq.runs.find()
    assert not seeds.tickerq.audit.find()


@pytest.mark.usefixtures("functions")
def test_what_only_a_worker_knows_is_not_decided(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    for checked_by in (CheckedBy.NOTHING, CheckedBy.UNUSABLE):
        monkeypatch.setattr(managers_functions.FunctionManager, "check_request", lambda *_, by=checked_by: by)
        response = program.send("POST", "/payload/validate", json={"function": "charge_card"})
        assert response.json == {"is_valid": None, "checked_by": checked_by.value, "errors": []}


def test_a_function_that_nothing_knows_is_refused(program: Program) -> None:
    response = program.send("POST", "/payload/validate", json={"function": "nope"})
    assert response.status_code == 422
    assert [each["path"] for each in response.json["errors"]] == ["function"]


@pytest.mark.usefixtures("functions")
def test_a_stored_payload_is_said_to_fit_or_not(program: Program, seeds: Seeds) -> None:
    fitting = seeds.run(function="charge_card", request=b'{"customer":4}')
    other = seeds.run(function="charge_card", request=b'{"customer":"secret-canary"}')
    unknown = seeds.run(function="elsewhere", request=b"1")
    found = [program.get(f"/runs/{each}/payload").json for each in (fitting, other, unknown)]
    assert [(each["is_valid"], each["misfits"]) for each in found] == [
        (True, []),
        (False, ["request.customer"]),
        (None, []),
    ]
