"""A request is checked against the schema that workers registered, where the function is not imported."""

import json
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import UUID4, AnyUrl, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tests.thoroughness import examples
from tests.unit.payload.request_models import models
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.payload.examples import example_of
from tickerq_celery.payload.expected_request import ExpectedRequest


class Address(BaseModel):
    zip: Annotated[str, Field(pattern=r"^\d{5}$")]
    street: Annotated[str, Field(min_length=3)]


class Card(BaseModel):
    kind: Literal["card"]
    number: str


class Cash(BaseModel):
    kind: Literal["cash"]
    till: int


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    customer: Annotated[int, Field(ge=1)]
    address: Address | None = None
    items: list[Address] = []
    pay: Annotated[Card | Cash, Field(discriminator="kind")] | None = None


def schema_of(kind: Any) -> Any:
    return json.loads(json.dumps(TypeAdapter(kind).json_schema(by_alias=False)))


def misfits(request: object, schema: object) -> Mapping[str, str]:
    expected = ExpectedRequest(function="shop.Order", registered=schema)
    try:
        assert expected.check_registered(expected.encode(request, limit=100_000)) is None
    except TickerValidationError as error:
        return {each.field: each.reason for each in (error, *error.others)}
    return {}


def problem(request: object, schema: object) -> str | None:
    expected = ExpectedRequest(function="shop.Order", registered=schema)
    return expected.check_registered(expected.encode(request, limit=100_000))


def test_all_that_does_not_fit_is_named_at_its_path() -> None:
    request = {
        "customer": 0,
        "address": {"zip": "text", "street": "a"},
        "items": [{"zip": "10101", "street": "Main"}, {"zip": 10101}],
        "pay": {"kind": "cash", "till": "x"},
        "more": True,
    }
    assert misfits(request, schema_of(Order)) == {
        "request.customer": "Input should be greater than or equal to 1",
        "request.address.zip": r"String should match pattern '^\d{5}$'",
        "request.address.street": "String should have at least 3 characters",
        "request.items.1.zip": "Input should be a valid string",
        "request.items.1.street": "Field required",
        "request.pay.till": "Input should be a valid integer",
        "request.more": "Extra inputs are not permitted",
    }


def test_of_a_union_the_alternative_that_was_meant_is_named_or_all_are() -> None:
    schema = schema_of(Order)
    assert misfits({"customer": 1, "address": 3}, schema) == {
        "request.address": "Input should be Address or null"
    }
    assert misfits({"customer": 1, "pay": {"kind": "swap"}}, schema) == {
        "request.pay": "Input should be Card or Cash"
    }


@pytest.mark.parametrize(
    ("kind", "wrong", "right"),
    [
        (datetime, "yesterday", "2026-01-31T09:00:00+02:00"),
        (date, "2026-02-30", "2026-02-28"),
        (time, "25:00", "09:00"),
        (timedelta, "soon", "PT30S"),
        (UUID, "4", "00000000-0000-4000-8000-000000000000"),
        (UUID4, "00000000-0000-1000-8000-000000000000", "00000000-0000-4000-8000-000000000000"),
        (AnyUrl, "example", "https://example.com"),
        (IPv4Address, "300.1.1.1", "192.0.2.1"),
        (Annotated[str, Field(json_schema_extra={"format": "email"})], "ann", "ann@example.com"),
        (Annotated[str, Field(pattern=r"^\p{Lu}$")], "é", "É"),
        (Annotated[float, Field(multiple_of=0.1)], 0.35, 0.3),
        (Annotated[int, Field(multiple_of=3)], 4, 10**30 * 3),
        (set[int], [1, 1], [1, 2]),
        (Literal["a", 2], "b", 2),
        (Annotated[float, Field(gt=1, lt=2)], 2, 1.5),
        (Annotated[list[int], Field(max_length=1)], [1, 2], [1]),
        (dict[Annotated[str, Field(pattern="^a+$")], int], {"a": "x"}, {"a": 1}),
        (tuple[int, str], [1], [1, "x"]),
    ],
    ids=str,
)
def test_formats_patterns_bounds_and_choices_are_checked(kind: Any, wrong: object, right: object) -> None:
    schema = schema_of(kind)
    assert misfits(right, schema) == {}
    assert len(misfits(wrong, schema)) == 1


@given(models(), st.data())
@examples(400)
def test_what_fits_the_schema_a_worker_takes(model: type[BaseModel], data: st.DataObject) -> None:
    schema = schema_of(model)
    request = example_of(schema)
    changed = data.draw(st.sampled_from(sorted(request)))
    values = st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(-1e6, 1e6),
        st.sampled_from(["", "x", "12", "AT-a_", "card", "2026-01-31", "1.5"]), st.just([]), st.just({}),
        st.just([None, 3]), st.just({"kind": "card", "number": "1"}),
    )  # fmt: skip
    request[changed] = data.draw(values)
    if not misfits(request, schema):
        try:
            model.model_validate(request)
        except ValidationError as error:
            # Of a decimal some versions of pydantic say only that it is a text.
            if {each["type"] for each in error.errors()} != {"decimal_parsing"}:
                raise AssertionError(f"{request} fits {schema}") from error


@pytest.mark.parametrize(
    ("schema", "is_refused"),
    [
        ({"type": "object", "properties": {"a": {"type": "integer", "default": 1}}}, False),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, False),
        ({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}, True),
        ({"type": "integer"}, True),
    ],
)
def test_a_request_that_is_needed_and_not_given_is_refused(schema: object, is_refused: bool) -> None:
    needed = {"request": "function shop.Order needs one, and none was given"}
    assert misfits(None, schema) == (needed if is_refused else {})


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"$ref": "#/$defs/Gone"}, "/$defs/Gone"),
        ({"$ref": "https://example.com/schema"}, "https://example.com/schema"),
        ({"type": "nonsense"}, "nonsense"),
        ({"type": "string", "pattern": "("}, "cannot be read"),
        ({"$defs": {"A": {"$ref": "#/$defs/A"}}, "$ref": "#/$defs/A"}, "nested too deeply"),
        ("text", "text"),
    ],
)
def test_a_schema_that_cannot_be_used_refuses_nothing_and_says_why(schema: object, why: str) -> None:
    assert why in (problem("x", schema) or "")


def test_a_secret_that_does_not_fit_is_not_shown() -> None:
    schema = {"type": "object", "properties": {"password": {"type": "integer"}}}
    expected = ExpectedRequest(function="shop.Order", registered=schema)
    with pytest.raises(TickerValidationError) as refused:
        expected.check_registered(b'{"password":"hunter2"}')
    assert "hunter2" not in str(refused.value)


def test_a_pattern_takes_no_longer_than_the_worker_takes() -> None:
    schema = {"type": "string", "pattern": "^(a+)+$"}
    assert misfits("a" * 40 + "b", schema) == {"request": "String should match pattern '^(a+)+$'"}


def test_many_items_that_are_to_differ_are_compared_at_once() -> None:
    schema = {"type": "array", "uniqueItems": True}
    assert misfits([{"number": number} for number in range(5_000)], schema) == {}


def test_of_very_many_misfits_some_are_named() -> None:
    found = misfits(["x"] * 10_000, {"type": "array", "items": {"type": "integer"}})
    assert len(found) == 20
    assert "are not named" in found["request.0"]


class And(BaseModel):
    kind: Literal["and"]
    all: list["And | Or"]


class Or(BaseModel):
    kind: Literal["or"]
    all: list["And | Or"]


def test_alternatives_within_alternatives_end_and_nothing_is_refused_for_them() -> None:
    request: Any = {"kind": "or", "all": []}
    for _ in range(3):
        request = {"kind": "or", "all": [request]}
    schema = schema_of(And)
    assert misfits({"kind": "and", "all": [request]}, schema) == {}
    for _ in range(25):
        request = {"kind": "or", "all": [request]}
    assert "too many alternatives" in (problem({"kind": "and", "all": [request]}, schema) or "")
