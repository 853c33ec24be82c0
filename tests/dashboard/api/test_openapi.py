"""The description of the API: all that is served, and nothing else."""

import json
import re
from typing import Any

from tests.dashboard.api.conftest import API, Program
from tickerq_dashboard.api.reading_routes import ROOT
from tickerq_dashboard.api.routes import API_ROUTES
from tickerq_dashboard.routes import ROUTES


def described(program: Program) -> Any:
    return program.get("/openapi.json").json


def test_every_row_of_the_api_is_described_and_nothing_else(program: Program) -> None:
    found = described(program)
    said = {(method.upper(), path) for path, methods in found["paths"].items() for method in methods}
    rows = {
        (route.method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.path).removeprefix(ROOT))
        for route in ROUTES
        if route.path.startswith(f"{ROOT}/")
    }
    assert said == rows
    assert found["servers"] == [{"url": API}]
    assert {route.name for route in ROUTES if route.path.startswith(ROOT)} == {
        route.name for route in API_ROUTES
    }


def test_each_row_of_the_api_says_what_it_answers_and_what_it_is_for() -> None:
    for route in API_ROUTES:
        assert route.is_api, route.name
        assert route.name.startswith("api_")
        assert (route.handler.__doc__ or "").partition("\n")[0].endswith(".")


def test_every_reference_leads_somewhere(program: Program) -> None:
    found = described(program)
    refs = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(found)))
    assert refs <= set(found["components"]["schemas"])
    assert "RunAnswer" in refs


def test_parameters_are_those_of_the_models(program: Program) -> None:
    found = described(program)["paths"]
    runs = {each["name"]: each for each in found["/runs"]["get"]["parameters"]}
    assert runs["limit"]["schema"]["maximum"] == 200
    assert runs["status"]["schema"]["type"] == "array"
    assert runs["cron_ticker_id"]["schema"]["format"] == "uuid"
    [part] = found["/runs/{run_id}"]["get"]["parameters"]
    assert part == {
        "name": "run_id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "format": "uuid"},
    }
    payload = found["/runs/{run_id}/payload"]["get"]
    assert payload["x-permission"] == "payload.view"
