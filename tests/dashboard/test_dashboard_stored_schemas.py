"""A dashboard that has not imported a function: what its payloads must be, workers have registered."""

import json
from typing import Annotated, Any, Literal

import pytest
from flask import Flask
from pydantic import BaseModel, Field

from tests.dashboard.access.users import SECRET, by_role
from tests.dashboard.actions.forms import Person
from tests.dashboard.api.conftest import Program, tokens
from tests.dashboard.forms.filling import error_of, fields_of, fill
from tests.dashboard.page_text import text_of
from tests.dashboard.seeds import Seeds
from tests.inner import make_function
from tests.statements import functions
from tests.tables import functions as functions_table
from tickerq_celery import TickerStatus
from tickerq_celery.functions.records import function_records
from tickerq_dashboard import create_app

NEW = "/runs/new"
CANARY = "canary-4711"


class Card(BaseModel):
    number: Annotated[str, Field(pattern=r"^\d{4}-\d{4}$")]
    card_token: str = CANARY


class Vault(BaseModel):
    opened_by: str = CANARY


class Order(BaseModel):
    customer: int
    kind: Literal["new", "old"]
    card: Card
    spare: Card = Card(number="1111-2222", card_token=CANARY)
    card_token: str = Field(default=CANARY, examples=[CANARY])
    card_token_vault: Vault = Vault()


GOOD: Any = {"customer": 4, "kind": "new", "card": {"number": "1234-5678"}}
BAD: Any = {"customer": "x", "kind": "lost", "card": {"number": "text", "card_token": "hunter2"}}
PATHS = ["request.card.number", "request.customer", "request.kind"]


def hard(code: Annotated[str, Field(json_schema_extra={"pattern": r"^(?=.*\d)(?=.*x).{9}$"})]) -> None: ...


def charge(request: Order) -> None: ...


def anything() -> None: ...


@pytest.fixture(autouse=True)
def registered(seeds: Seeds) -> None:
    """Workers have three functions, of which the dashboard has none."""
    made = [make_function(each, each.__name__) for each in (charge, hard, anything)]
    seeds.tickerq.core.write(functions.register, list(function_records(made)))


@pytest.fixture
def app(seeds: Seeds) -> Flask:
    return create_app(seeds.tickerq, auth=by_role, secret=SECRET, api_tokens=tokens())


@pytest.fixture
def admin(app: Flask) -> Person:
    return Person(app.test_client())


@pytest.fixture
def program(app: Flask) -> Program:
    return Program(app, "admin")


def filled(request: Any, function: str = "charge") -> dict[str, str]:
    return {"function": function, "request": json.dumps(request), "when": "in", "delay": "1 h"}


def test_a_form_names_all_that_does_not_fit_at_its_path(admin: Person, seeds: Seeds) -> None:
    refused = fill(admin, NEW, filled(BAD))
    assert refused.status_code == 422
    said = error_of(refused.text, "request")
    for each in (
        "customer: Input should be a valid integer.",
        "kind: Input should be",
        "card.number: String",
    ):
        assert each in said
    assert len(said.split("\n")) == 3
    reviewed = text_of(fill(admin, NEW, filled(BAD), step="review").text)
    assert reviewed.count("The payload does not fit:") == 3
    assert not seeds.tickerq.time_tickers.find()
    fits = text_of(fill(admin, NEW, filled(GOOD), step="review").text)
    assert "The payload fits the schema that the workers of charge registered." in fits
    assert fill(admin, NEW, filled(GOOD)).status_code == 303


def test_a_form_says_where_nothing_is_known(admin: Person, seeds: Seeds) -> None:
    said = text_of(fill(admin, NEW, filled([1], "anything"), step="review").text)
    assert "What anything takes is not known here: its worker checks the payload when it runs." in said
    broken = functions_table.update().values(request_schema={"$ref": "#/$defs/Gone"})
    seeds.tickerq.core.write(lambda tx: tx.execute(broken))
    said = text_of(fill(admin, NEW, filled([1]), step="review").text)
    assert (
        "The payload is not checked: the schema that the workers of charge registered cannot be used." in said
    )
    assert fill(admin, NEW, filled([1])).status_code == 303


def test_a_copy_and_a_change_are_checked_likewise(admin: Person, seeds: Seeds) -> None:
    assert fill(admin, NEW, filled(GOOD)).status_code == 303
    [run] = seeds.tickerq.time_tickers.find()
    for path in (f"/runs/{run.id}/clone", f"/runs/{run.id}/edit"):
        refused = fill(admin, path, {"request": json.dumps(BAD)})
        assert refused.status_code == 422
        assert "card.number: String" in error_of(refused.text, "request")
    [run] = seeds.tickerq.time_tickers.find()
    assert run.request == GOOD


def test_the_api_names_each_misfit_by_its_path_and_shows_none(program: Program, seeds: Seeds) -> None:
    fitting = program.send("POST", "/runs", json={"function": "charge", "request": GOOD, "delay": 3600})
    assert fitting.status_code == 201, fitting.text
    address, cron = f"/runs/{fitting.json['id']}", {"expression": "0 3 * * *"}
    version = {"If-Match": fitting.headers["ETag"]}
    answers = [
        program.send("POST", "/runs", json={"function": "charge", "request": BAD}),
        program.send("POST", "/crons", json={"function": "charge", "request": BAD, **cron}),
        program.send("POST", f"{address}/clone", json={"request": BAD}),
        program.send("PATCH", address, version, json={"request": BAD}),
    ]
    for answer in answers:
        assert answer.status_code == 422, answer.text
        assert sorted(each["path"] for each in answer.json["errors"]) == PATHS
        assert "hunter2" not in answer.text
    checked = [
        program.send("POST", "/payload/validate", json={"function": name, "payload": payload}).json
        for name, payload in (("charge", GOOD), ("charge", BAD), ("anything", 3))
    ]
    assert [(each["is_valid"], each["checked_by"]) for each in checked] == [
        (True, "schema"),
        (False, None),
        (None, "nothing"),
    ]
    assert sorted(each["path"] for each in checked[1]["errors"]) == PATHS


def test_the_page_of_a_run_that_does_not_fit_says_that_a_retry_cannot_help(
    admin: Person, program: Program, seeds: Seeds
) -> None:
    run_id = seeds.run(function="charge", status=TickerStatus.FAILED, request=json.dumps(BAD).encode())
    said = text_of(admin.get(f"/runs/{run_id}").text)
    assert "It cannot help until the code or the request changes" in said
    assert "Does not fit what charge takes now" in said
    found = program.get(f"/runs/{run_id}/explanation").json
    assert (found["needs_other_request"], sorted(found["misfits"])) == (True, PATHS)
    assert "a retry cannot help" in found["remedy"]
    fitting = seeds.run(function="charge", status=TickerStatus.FAILED, request=json.dumps(GOOD).encode())
    assert "It cannot help" not in text_of(admin.get(f"/runs/{fitting}").text)


def test_defaults_of_masked_fields_are_nowhere_and_the_example_fits(
    admin: Person, program: Program, seeds: Seeds
) -> None:
    run_id = seeds.run(function="charge", request=json.dumps(GOOD).encode(), status=TickerStatus.FAILED)
    pages = [
        admin.get(path).text
        for path in ("/functions/charge", f"/runs/{run_id}/clone", f"{NEW}?function=charge")
    ]
    answers = [
        program.get("/functions/charge"),
        program.get("/functions"),
        program.get(f"/runs/{run_id}/payload"),
    ]
    for text in (*pages, *(each.text for each in answers)):
        assert "charge" in text or "customer" in text
        assert CANARY not in text
    example = answers[0].json["request_example"]
    Order.model_validate(example)
    filled_in = fill(admin, NEW, {"function": "charge"}, step="example")
    assert json.loads(fields_of(filled_in.text)["request"]) == example


def test_where_no_example_is_found_none_is_shown(admin: Person, program: Program) -> None:
    for path in ("/functions/hard", f"{NEW}?function=hard"):
        page = admin.get(path).text
        assert "was found: its patterns or bounds are too hard" in text_of(page)
        assert "Example of a payload" not in page
        assert "Fill in an example" not in page
    assert program.get("/functions/hard").json["request_example"] is None
