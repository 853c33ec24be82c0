"""The page that describes the API to people: the same as openapi.json."""

import re
from html import unescape
from typing import Any

import pytest

from tests.dashboard.api.conftest import Program
from tests.dashboard.conftest import Visitor
from tests.dashboard.page_text import text_of
from tickerq_dashboard.api.reference import kind_of

OPERATION = re.compile(r"<summary>.*?<code>(\w+ /[^<]*)</code>.*?</summary>(.*?)</details>", re.DOTALL)


@pytest.fixture
def page(visitor: Visitor) -> str:
    return unescape(visitor.get("/api").text)


def test_it_has_every_operation_with_all_that_it_takes(page: str, program: Program) -> None:
    described = program.get("/openapi.json").json
    shown = dict(OPERATION.findall(page))
    wanted = {
        f"{method.upper()} {path}": told
        for path, methods in described["paths"].items()
        for method, told in methods.items()
    }
    assert shown.keys() == wanted.keys()
    for name, told in wanted.items():
        assert f"<code>{told['x-permission']}</code>" in shown[name]
        for each in told["parameters"]:
            assert f"<dt><code>{each['name']}</code>" in shown[name], name
    schemas = described["components"]["schemas"]
    for model, name in (("NewTimeTicker", "POST /runs"), ("NewCron", "POST /crons")):
        for field in schemas[model]["properties"]:
            assert f"<dt><code>{field}</code>" in shown[name], field


def test_it_says_what_a_role_may_and_what_is_returned(page: str) -> None:
    said = text_of(page)
    assert "POST /crons Store a cron ticker. Needs crons.create : admin." in said
    assert "in the query" in said
    assert re.search(r"Returns id , namespace , type", said)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 2000}, "integer, 1 to 2,000"),
        ({"anyOf": [{"type": "string", "format": "uuid"}, {"type": "null"}]}, "uuid"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Child"}}, "list of Child"),
        ({"enum": ["csv", "jsonl"], "type": "string"}, "one of csv, jsonl"),
        ({}, "any JSON"),
    ],
)
def test_a_kind_is_said_in_words(schema: dict[str, Any], words: str) -> None:
    assert kind_of(schema) == words
