"""A request too many, a forgotten one, and one that does not fit."""

from dataclasses import dataclass
from typing import Annotated, Any, Optional, TypedDict

import pytest
from pydantic import BaseModel, Field

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.payload.expected_request import ExpectedRequest
from tickerq_celery.payload.parameters import Parameters


class Invoice(BaseModel):
    number: int
    due: int
    email: str


@dataclass
class Parcel:
    weight: float


class Letter(TypedDict, total=False):
    pages: int


NOTHING = Parameters()


def encode(request: object, **expected: Any) -> bytes | None:
    return ExpectedRequest(function="Send", **expected).encode(request, limit=1_000)


@pytest.mark.parametrize(
    ("expected", "request_", "written"),
    [
        ({}, None, None),
        ({}, [1], b"[1]"),
        ({"type": NOTHING.hint, "parameters": NOTHING}, None, None),
        ({"type": float}, 2, b"2.0"),
        ({"type": int | None}, None, None),
    ],
)
def test_what_a_function_takes_is_encoded(
    expected: dict[str, Any], request_: object, written: bytes | None
) -> None:
    assert encode(request_, **expected) == written


def test_a_request_for_a_function_that_takes_none_is_refused_without_its_secrets() -> None:
    with pytest.raises(TickerValidationError) as caught:
        encode({"token": "t"}, type=NOTHING.hint, parameters=NOTHING)
    assert str(caught.value) == "request: function Send takes none (got {'token': '•••'})"


@pytest.mark.parametrize(
    ("type_", "shown"),
    [(float, "float"), (Invoice, "Invoice"), (list[int], "list[int]"), (int | str, "int | str")],
)
def test_a_forgotten_request_is_refused_by_the_name_of_its_type(type_: object, shown: str) -> None:
    with pytest.raises(TickerValidationError) as caught:
        encode(None, type=type_)
    assert (
        str(caught.value)
        == f"request: function Send needs one of type {shown}, and none was given (got None)"
    )


def test_each_field_that_does_not_fit_is_named_with_its_value() -> None:
    with pytest.raises(TickerValidationError) as caught:
        encode({"number": "x", "due": "y", "email": "e"}, type=Invoice)
    number, due = str(caught.value).split("; ")
    assert number.startswith("request.number: Input should be a valid integer")
    assert number.endswith("(got 'x')")
    assert due.startswith("request.due: Input should be a valid integer")
    assert due.endswith("(got 'y')")
    assert [other.field for other in caught.value.others] == ["request.due"]


def test_of_many_that_do_not_fit_twenty_are_named() -> None:
    with pytest.raises(TickerValidationError, match=r"\(3 more misfits are not named\)") as caught:
        encode(["x"] * 23, type=list[int])
    assert [other.field for other in caught.value.others] == [f"request.{number}" for number in range(1, 20)]


@pytest.mark.parametrize(
    ("hint", "names"),
    [
        (None, ""),
        (int, ""),
        (list[Invoice], ""),
        (Invoice, "number due email"),
        (Parcel, "weight"),
        (Letter, "pages"),
        (Optional[Letter], "pages"),  # noqa: UP045  # what a parameter that defaults to None becomes
        (Parcel | Letter, "weight pages"),
        (Annotated[Parcel, Field(title="a parcel")], "weight"),
    ],
    ids=str,
)
def test_the_fields_of_a_request_are_known(hint: object, names: str) -> None:
    assert ExpectedRequest(function="Send", type=hint).field_names == set(names.split())
