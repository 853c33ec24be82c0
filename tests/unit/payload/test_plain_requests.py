"""What is written and read without pydantic is what pydantic would write and read."""

import math
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from tests.thoroughness import examples
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.payload.parameters import Parameter, Parameters
from tickerq_celery.payload.plain_requests import NotPlainError, plain_type, read, written
from tickerq_celery.payload.pydantic_requests import converted, validated

LIMIT = 1024 * 1024


@dataclass(frozen=True)
class Mail:
    user_id: int
    address: str
    weight: float
    is_urgent: bool = False
    note: str | None = None


@dataclass(slots=True, kw_only=True)
class Alone:
    number: int = 3


PARAMETERS = Parameters(
    named=(
        Parameter(name="user_id", type=int),
        Parameter(name="anything"),
        Parameter(name="note", type=str | None, default=None),
    )
)
TYPES = [None, Mail, Alone, PARAMETERS.hint, dict, dict[str, Any]]
texts = st.text(max_size=5)
atoms = st.none() | st.booleans() | st.integers() | st.floats() | texts
json_values = st.recursive(
    atoms, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)
mails = st.builds(Mail, atoms, atoms, atoms, atoms, atoms)  # type: ignore[arg-type]  # also what fits none
objects = st.dictionaries(
    st.sampled_from(["user_id", "anything", "note", "address", "weight", "is_urgent", "number"]), atoms
)


@examples(300)
@given(st.sampled_from(TYPES), json_values | mails | objects | st.builds(Alone, number=atoms))  # type: ignore[arg-type]
def test_what_is_written_as_it_is_is_what_pydantic_writes(hint: object, value: object) -> None:
    kind = plain_type(hint)
    assert kind is not None
    try:
        data = written(value, kind)
    except NotPlainError:
        return
    assert data == (b"null" if value is None else converted(value, request_type=hint, limit=LIMIT))
    back = read(data, kind) if b"\\u" not in data else validated(data, request_type=hint)
    wanted = validated(data, request_type=hint)
    assert (back, type(back)) == (wanted, type(wanted))


@examples(200)
@given(
    st.sampled_from(TYPES),
    st.sampled_from(
        [
            b"{}", b"[]", b"null", b'{"number":1}', b'{"number":1.0}', b'{"number":true}', b'{"number":"1"}',
            b'{"number":1,"more":2}', b'{"user_id":1,"anything":[1]}', b'{"user_id":1,"anything":NaN}',
            b'{"user_id":1,"anything":"\\ud800"}', b'{"user_id":1,"address":"a","weight":1,"note":null}',
            b'{"user_id":1,"address":"a","weight":1.5,"note":"\\u00e4"}', b'"\xff"', b"[1", b"",
            b'{"user_id":1,"address":"a","weight":1.5}',
        ]
    ),
)  # fmt: skip
def test_what_is_read_as_it_is_is_what_pydantic_reads(hint: object, data: bytes) -> None:
    kind = plain_type(hint)
    assert kind is not None
    try:
        found = read(data, kind)
    except NotPlainError:
        return
    wanted = validated(data, request_type=hint)
    assert (found, type(found)) == (wanted, type(wanted))


@pytest.mark.parametrize(
    ("hint", "value", "data"),
    [
        (
            Mail,
            Mail(3, "ä@b", 1.5),
            '{"user_id":3,"address":"ä@b","weight":1.5,"is_urgent":false,"note":null}',
        ),
        (Alone, Alone(number=4), '{"number":4}'),
        (PARAMETERS.hint, {"anything": "x", "user_id": 3}, '{"user_id":3,"anything":"x"}'),
        (None, {"b": [1, None], "a": True}, '{"b":[1,null],"a":true}'),
        (dict[str, Any], {"b": 1}, '{"b":1}'),
    ],
)
def test_most_requests_are_plain(hint: object, value: object, data: str) -> None:
    kind = plain_type(hint)
    assert kind is not None
    assert written(value, kind) == data.encode()
    assert read(data.encode(), kind) == value


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (Mail, Mail("3", "a", 1.5)),  # type: ignore[arg-type]
        (Mail, Mail(True, "a", 1.5)),
        (Mail, Mail(3, "a", 1)),
        (Mail, Mail(3, "a", math.nan)),
        (Mail, Mail(3, "\ud800", 1.5)),
        (Mail, {"user_id": 3, "address": "a", "weight": 1.5}),
        (PARAMETERS.hint, {"anything": 1}),
        (PARAMETERS.hint, {"user_id": 3, "anything": 1, "more": 1}),
        (None, (1, 2)),
        (None, {1: 2}),
        (dict, [1]),
    ],
)
def test_what_pydantic_converts_or_refuses_is_left_to_it(hint: object, value: object) -> None:
    kind = plain_type(hint)
    assert kind is not None
    with pytest.raises(NotPlainError):
        written(value, kind)


@dataclass
class Checked:
    number: int

    def __post_init__(self) -> None:
        raise TickerValidationError("number", self.number, "never")


@dataclass
class Made:
    number: int = field(init=False, default=3)


@dataclass
class Described:
    number: int = field(metadata={"unit": "m"})


@dataclass
class Bounded:
    number: Annotated[int, Field(gt=3)]


@dataclass
class WithDefault:
    number: int = Field(gt=3)


@dataclass
class WithClassVar:
    most: ClassVar[int] = 3
    number: int = 1


class Undecorated(Alone):
    pass


class Model(BaseModel):
    number: int


@pytest.mark.parametrize(
    "hint",
    [
        Checked, Made, Described, Bounded, WithDefault, WithClassVar, Undecorated, Model, int, str, list[int],
        int | str, dict[str, int], Literal["a"], Annotated[int, Field(gt=3)],
        Parameters(named=(Parameter(name="either", type=int | float),)).hint,
        Parameters(named=(Parameter(name="many", type=list[int]),)).hint,
        Parameters(takes_extra=True).hint,
    ],
)  # fmt: skip
def test_types_that_need_pydantic_are_left_to_it(hint: object) -> None:
    assert plain_type(hint) is None
