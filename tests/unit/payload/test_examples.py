"""Example of a payload fits the schema that it is made of, or there is none."""

from typing import Any

import pytest
from hypothesis import given
from pydantic import BaseModel, Field, TypeAdapter

from tests.thoroughness import examples
from tests.unit.payload.request_models import FIELDS, LOOSE, Node, models
from tickerq_celery.payload.examples import example_of
from tickerq_celery.payload.redaction import MASK


@given(models())
@examples(400)
def test_what_the_example_shows_a_worker_takes(model: type[BaseModel]) -> None:
    example = example_of(model.model_json_schema(by_alias=False))
    assert example is not None
    model.model_validate(example)


@pytest.mark.parametrize("kind", [*FIELDS, *LOOSE], ids=str)
def test_of_each_type_there_is_an_example(kind: Any) -> None:
    schema = TypeAdapter(kind).json_schema()
    example = example_of(schema)
    TypeAdapter(kind).validate_python(example)


@pytest.mark.parametrize(
    "hard",
    [
        {"type": "string", "pattern": r"^(?=.*\d)(?=.*[a-z]).{8,}$"},
        {"type": "string", "pattern": r"^(\w)\1x$"},
        {"type": "string", "pattern": r"^\d{5}$", "maxLength": 3},
        {"type": "string", "pattern": "^x{5000}$"},
        {"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 3, "uniqueItems": True},
        {"type": "integer", "minimum": 3, "maximum": 2},
        {"not": {}},
    ],
    ids=str,
)
def test_where_it_is_too_hard_none_is_shown_and_what_may_be_left_out_is(hard: Any) -> None:
    properties = {"hard": hard, "easy": {"type": "integer"}}
    assert example_of({"type": "object", "properties": properties, "required": ["hard"]}) is None
    assert example_of({"type": "object", "properties": properties}) == {"easy": 1}


def test_it_is_what_the_code_names_where_that_fits() -> None:
    class Request(BaseModel):
        zip: str = Field(default="1010", pattern=r"^\d+$")
        city: str = Field(examples=["Graz"])
        wrong: int = "x"  # type: ignore[assignment]

    assert example_of(Request.model_json_schema()) == {"zip": "1010", "city": "Graz", "wrong": 1}


def test_what_is_masked_is_made_up() -> None:
    schema = {"type": "object", "properties": {"token": {"type": "string", "default": MASK}}}
    assert example_of(schema) == {"token": "text"}


def test_what_refers_to_itself_ends() -> None:
    assert example_of(Node.model_json_schema()) == {"name": "text", "below": [], "parent": None}


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/Gone"},
        {"$ref": "https://example.com/schema"},
        {"type": "nonsense"},
        {"type": "string", "pattern": "("},
        {"$defs": {"A": {"$ref": "#/$defs/A"}}, "$ref": "#/$defs/A"},
        False,
        "text",
        7,
    ],
    ids=str,
)
def test_of_what_is_no_schema_there_is_none(schema: object) -> None:
    assert example_of(schema) is None


def test_bounds_that_no_float_holds_are_no_failure() -> None:
    huge = {"type": "number", "minimum": 10**400, "multipleOf": 0.5}
    assert example_of(huge) in (None, 10**400)
