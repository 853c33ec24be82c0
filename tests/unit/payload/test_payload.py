import dataclasses
import json
import math
import sys
import traceback
import types
import typing
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import PurePosixPath
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar
from uuid import UUID

import pydantic
import pytest
import typing_extensions
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, AliasGenerator, BaseModel, ConfigDict, Field, SecretStr, TypeAdapter
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from tests.thoroughness import examples
from tickerq_celery.errors import TickerValidationError, UnreadableRequestError
from tickerq_celery.payload.plain_requests import MAX_DEPTH
from tickerq_celery.payload.requests import check_request_type, decode, encode, json_schema

LIMIT = 1024 * 1024
T = TypeVar("T")


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1


class Kind(StrEnum):
    A = "a"


class Item(BaseModel):
    name: str
    price: Decimal = Decimal(1)


class Order(BaseModel):
    id: UUID
    items: list[Item] = []
    placed_at: datetime | None = None
    color: Color = Color.RED
    note: str | None = None


class Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)
    user_id: int


class OneWayCamel(BaseModel):
    model_config = ConfigDict(alias_generator=AliasGenerator(serialization_alias=to_camel), extra="forbid")
    user_id: int

    @pydantic.computed_field
    def twice(self) -> int:
        return self.user_id * 2


class Tree(BaseModel):
    children: list["Tree"] = []


class Box(BaseModel, Generic[T]):
    content: T


class Secret(BaseModel):
    password: SecretStr


@dataclasses.dataclass
class Address:
    street: str
    since: date


@dataclasses.dataclass(frozen=True, slots=True)
class Person:
    name: str
    addresses: list[Address]


@pydantic.dataclasses.dataclass
class Parcel:
    weight: float
    to: Address


class Point(NamedTuple):
    x: int
    y: int = 0


class Named(typing_extensions.TypedDict, total=False):
    size: int
    name: "typing.Required[str]"


class Dated(Named):
    when: datetime
    note: "typing.NotRequired[str]"


class Branch(typing_extensions.TypedDict):
    label: str
    branches: "list[Branch]"


class New(typing_extensions.TypedDict):
    size: int
    inner: typing_extensions.NotRequired[Item]


class Cat(typing_extensions.TypedDict):
    kind: Literal["cat"]
    lives: int


class Dog(typing_extensions.TypedDict):
    kind: Literal["dog"]
    name: str


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]

NOW = datetime(2030, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
ORDER = Order(id=UUID(int=7), items=[Item(name="ä", price=Decimal("1.50"))], placed_at=NOW, color=Color.BLUE)
ADDRESS = Address("Main", date(2020, 2, 29))

ROUND_TRIPS: list[tuple[object, object]] = [
    (Order, ORDER),
    (Camel, Camel(userId=3)),  # type: ignore[call-arg]
    (OneWayCamel, OneWayCamel(user_id=3)),
    (Tree, Tree(children=[Tree(), Tree(children=[Tree()])])),
    (Box[Item], Box[Item](content=Item(name="x"))),
    (Address, ADDRESS),
    (Person, Person("Ann", [ADDRESS, ADDRESS])),
    (Parcel, Parcel(1.5, ADDRESS)),
    (Point, Point(1, 2)),
    (list[Point], [Point(1), Point(2, 3)]),
    (New, {"size": 1, "inner": Item(name="x")}),
    (Named, {"name": "x"}),
    (Dated, {"name": "x", "size": 1, "when": NOW}),
    (Branch, {"label": "a", "branches": [{"label": "b", "branches": []}]}),
    (list[Named] | None, [{"name": "x"}]),
    (dict[str, tuple[Named, ...]], {"k": ({"name": "x"},)}),
    (Annotated[list[Named], Field(min_length=1)], [{"name": "x"}]),
    (Box[New], Box[New](content={"size": 2})),
    (Pet, {"kind": "dog", "name": "Rex"}),
    (list[Item], [Item(name="a"), Item(name="b")]),
    (Item | Address, ADDRESS),
    (Item | None, Item(name="x")),
    (dict[str, Any], {"a": [1, None, {"b": 1.5}]}),
    (dict[int, str], {1: "one"}),
    (dict[Color, int], {Color.RED: 1}),
    (dict[date, int], {date(2020, 1, 1): 1}),
    (OrderedDict[str, int], OrderedDict(b=1, a=2)),
    (deque[int], deque([1, 2])),
    (set[str], {"b", "a"}),
    (frozenset[int], frozenset({1, 2})),
    (tuple[int, str], (1, "a")),
    (Color, Color.BLUE),
    (Level, Level.LOW),
    (Kind, Kind.A),
    (Literal["a", 1], 1),
    (datetime, NOW),
    (date, NOW.date()),
    (time, time(1, 2, 3)),
    (timedelta, timedelta(days=1, microseconds=1)),
    (UUID, UUID(int=5)),
    (Decimal, Decimal("1E+5")),
    (PurePosixPath, PurePosixPath("a/b")),
    (bytes, b"text"),
    (str, "ünï\u2028 \x00"),
    (int, 10**4000),
    (float, 0.1),
    (bool, True),
    (int | str, "1"),
    (UUID | str, UUID(int=5)),
    (Annotated[int, []], 4),
]

NEED_THEIR_TYPE = [dict[int, str], dict[Color, int], dict[date, int], PurePosixPath, bytes]


@pytest.mark.parametrize(("request_type", "value"), ROUND_TRIPS)
def test_a_request_comes_back_as_it_was(request_type: object, value: object) -> None:
    data = encode(value, request_type=request_type, limit=LIMIT)
    back = decode(data, request_type=request_type)
    assert (back, type(back)) == (value, type(value))


@pytest.mark.parametrize(
    ("request_type", "value"), [pair for pair in ROUND_TRIPS if pair[0] not in NEED_THEIR_TYPE]
)
def test_bytes_written_without_the_type_are_read_with_it(request_type: object, value: object) -> None:
    data = encode(value, request_type=None, limit=LIMIT)
    assert decode(data, request_type=request_type) == value


def test_plain_data_that_fits_is_taken_for_a_model_and_checked_leniently() -> None:
    data = encode({"name": "x", "price": "2.50"}, request_type=Item, limit=LIMIT)
    assert data == b'{"name":"x","price":"2.50"}'
    assert decode(data, request_type=Item) == Item(name="x", price=Decimal("2.50"))
    assert encode("12", request_type=int, limit=LIMIT) == b"12"


def test_the_bytes_are_compact_utf8_and_do_not_depend_on_how_the_model_was_built() -> None:
    first = encode({"price": 1, "name": "ä"}, request_type=Item, limit=LIMIT)
    second = encode(Item(name="ä", price=Decimal(1)), request_type=Item, limit=LIMIT)
    assert first == second == '{"name":"ä","price":"1"}'.encode()


def test_a_model_is_read_by_field_name_and_by_alias() -> None:
    assert encode({"userId": 1}, request_type=Camel, limit=LIMIT) == b'{"user_id":1}'
    assert decode(b'{"userId":1}', request_type=Camel) == decode(b'{"user_id":1}', request_type=Camel)


@pytest.mark.parametrize(
    ("request_type", "value", "field", "reason"),
    [
        (Item, {}, "request.name", "Field required"),
        (
            Item,
            {"name": 1, "price": "x"},
            "request.name",
            "Input should be a valid string",
        ),
        (Item, None, "request", "Input should be a valid dictionary or instance of Item"),
        (Item, "text", "request", "Input should be a valid dictionary or instance of Item"),
        (Item, Address("x", NOW.date()), "request", "Input should be a valid dictionary or instance of Item"),
        (Order, {"id": "x"}, "request.id", "Input should be a valid UUID"),
        (
            Order,
            {"id": UUID(int=1), "items": [{"name": "a", "price": "?"}]},
            "request.items.0.price",
            "Input should be a valid decimal",
        ),
        (
            Person,
            {"name": "a", "addresses": [{"street": "x"}]},
            "request.addresses.0.since",
            "Field required",
        ),
        (Dated, {"when": NOW}, "request.name", "Field required"),
        (Dated, {"name": "x"}, "request.when", "Field required"),
        (list[Branch], [{"branches": []}], "request.0.label", "Field required"),
        (New, {"size": "big"}, "request.size", "Input should be a valid integer"),
        (Pet, {"kind": "cow"}, "request", "Input tag 'cow'"),
        (int, "x", "request", "Input should be a valid integer"),
        (type(None), 1, "request", "Input should be None"),
        (float, math.nan, "request", "it cannot be written as JSON: Out of range"),
        (float | None, math.inf, "request", "it cannot be written as JSON: Out of range"),
        (dict[str, Any], {"a": [0, {"b": math.nan}]}, "request.a.1.b", "JSON has no such number"),
        (list[Box[Any]], [Box[Any](content=math.inf)], "request.0.content", "JSON has no such number"),
        (deque[Any], deque([{1: 2}]), "request.0", "its keys do not survive JSON"),
        (dict[str, Any], {"a": [object()]}, "request.a.0", "it cannot be written as JSON: .*unknown type"),
        (dict[str, Any], {"a": {1: 2}}, "request.a", "its keys do not survive JSON"),
        (dict[str, str], {"a": "\ud800"}, "request.a", "surrogates not allowed"),
        (dict[str, str], {"\ud800": "a"}, "request", "its keys do not survive JSON"),
        (dict[str, int], {"\ud800": "a"}, "request.\ufffd\ufffd\ufffd", "Input should be a valid integer"),
        (bytes, b"\xff", "request", "it cannot be written as JSON: .*can't decode byte 0xff"),
        pytest.param(int, 10**5000, "request", "Exceeds the limit", id="long integer"),
        (Box[Any], Box[Any](content=Item), "request.content", "it cannot be written as JSON"),
        (Secret, Secret(password=SecretStr("x")), "request.password", "a secret is written as its mask"),
    ],
)
def test_a_request_that_does_not_fit_names_the_first_bad_field(
    request_type: object, value: object, field: str, reason: str
) -> None:
    with pytest.raises(TickerValidationError, match=reason) as caught:
        encode(value, request_type=request_type, limit=LIMIT)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("value", "field", "reason"),
    [
        (object(), "request", "it cannot be written as JSON"),
        ({"a": [1, object()]}, "request.a.1", "it cannot be written as JSON"),
        ({"a": Address(object(), NOW.date())}, "request.a.street", "it cannot be written as JSON"),  # type: ignore[arg-type]
        ({"a": {1: 2}}, "request.a", r"the keys of a JSON object are text \(got 1\)"),
        ({"a": b"x"}, "request.a", "bytes are not JSON"),
        ({"a": math.nan}, "request.a", "it cannot be written as JSON"),
        ({"a": [1, math.inf]}, "request.a.1", "it cannot be written as JSON"),
        ({"a": "\ud800"}, "request.a", "surrogates not allowed"),
        pytest.param({"a": 10**5000}, "request.a", "Exceeds the limit", id="long integer"),
        ({"\ud800": b""}, r"request.\ud800", "bytes are not JSON"),
        (deque([object()]), "request.0", "it cannot be written as JSON"),
        ({"a": {object()}}, "request.a.*", "it cannot be written as JSON"),
        (int, "request", "it cannot be written as JSON"),
        (Item, "request", "it cannot be written as JSON"),
        (Address, "request", "it cannot be written as JSON"),
    ],
)
def test_without_a_type_what_json_cannot_hold_is_named(value: object, field: str, reason: str) -> None:
    with pytest.raises(TickerValidationError, match=reason) as caught:
        encode(value, request_type=None, limit=LIMIT)
    assert caught.value.field == field


def test_without_a_type_values_are_written_as_pydantic_writes_them() -> None:
    value = {
        "model": ORDER,
        "dataclass": ADDRESS,
        "point": Point(1),
        "when": NOW,
        "id": UUID(int=1),
        "price": Decimal("1.50"),
        "enum": [Color.RED, Level.LOW, Kind.A],
        "set": {"c", "a", "b"},
        "proxy": types.MappingProxyType({"a": 1}),
        Kind.A: None,
    }
    data = encode(value, request_type=None, limit=LIMIT)
    expected = TypeAdapter(object).dump_python(
        {**value, "proxy": {"a": 1}, "set": ["a", "b", "c"]}, mode="json"
    )
    assert decode(data, request_type=None) == expected


def test_no_request_and_no_type_is_nothing() -> None:
    assert encode(None, request_type=None, limit=0) is None
    assert encode(None, request_type=Item | None, limit=0) is None
    assert decode(None, request_type=None) is None
    assert decode(None, request_type=Item | None) is None


def test_a_run_without_the_request_that_its_function_needs_is_an_error() -> None:
    with pytest.raises(TickerValidationError, match=r"request: Input should be .* \(got None\)"):
        decode(None, request_type=Item)


def test_a_model_that_was_broken_after_it_was_made_is_refused() -> None:
    broken = ORDER.model_copy(deep=True)
    broken.items[0].name = 5  # type: ignore[assignment]
    for request_type in (Order, None):
        with pytest.raises(TickerValidationError, match=r"valid string \(got 5\)") as caught:
            encode(broken, request_type=request_type, limit=LIMIT)
        assert caught.value.field == "request.items.0.name"


def test_a_dataclass_or_a_model_that_never_was_valid_is_refused() -> None:
    with pytest.raises(TickerValidationError, match="valid integer"):
        encode(Point("x"), request_type=Point, limit=LIMIT)  # type: ignore[arg-type]
    with pytest.raises(TickerValidationError, match="valid date"):
        encode(Address("x", "y"), request_type=Address, limit=LIMIT)  # type: ignore[arg-type]
    with pytest.raises(TickerValidationError, match=r"request.name: Field required"):
        encode(Item.model_construct(), request_type=Item, limit=LIMIT)


def test_the_limit_counts_bytes_and_is_inclusive() -> None:
    assert encode("ä", request_type=str, limit=4) == '"ä"'.encode()
    with pytest.raises(TickerValidationError, match="4 bytes as JSON, and the limit is 3") as caught:
        encode("ä", request_type=None, limit=3)
    assert caught.value.field == "request"


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_deep_and_endless_requests_are_refused_whatever_the_type() -> None:
    endless: list[Any] = []
    endless.append(endless)
    tree = Tree()
    for _ in range(3000):
        tree = Tree.model_construct(children=[tree])
    for value in (nested(MAX_DEPTH + 2), nested(300), nested(50_000), endless):
        with pytest.raises(TickerValidationError, match="nested more than 100 levels"):
            encode(value, request_type=None, limit=LIMIT)
    for value in (nested(300), nested(50_000), endless):
        for request_type in (list[Any], list[list[Any]], Any):
            with pytest.raises(TickerValidationError, match="request"):
                encode(value, request_type=request_type, limit=LIMIT)
    with pytest.raises(TickerValidationError, match="request"):
        encode(tree, request_type=Tree, limit=LIMIT)
    assert encode(nested(MAX_DEPTH + 1), request_type=None, limit=LIMIT) is not None


def test_the_path_to_a_deep_field_is_cut() -> None:
    value: dict[str, Any] = {"children": 1}
    for _ in range(50):
        value = {"children": [value]}
    with pytest.raises(TickerValidationError, match="valid list") as caught:
        encode(value, request_type=Tree, limit=LIMIT)
    assert caught.value.field == "request" + ".children.0" * 9 + ".children.…"


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff", b'"\xff"', b'"\\ud800"', b"[NaN]", b"{}{}", b"[" * 5000]
)
@pytest.mark.parametrize("request_type", [None, Item, list[str]])
def test_bytes_that_are_no_request_are_an_error(data: bytes, request_type: object) -> None:
    with pytest.raises((TickerValidationError, UnreadableRequestError), match="request"):
        decode(data, request_type=request_type)


def test_at_run_time_too_the_bad_field_is_named() -> None:
    with pytest.raises(TickerValidationError, match=r"^request\.items\.0\.name: Field required") as caught:
        decode(b'{"id":"00000000-0000-0000-0000-000000000001","items":[{}]}', request_type=Order)
    assert (caught.value.field, caught.value.value) == ("request.items.0.name", dict)


def refuse_secrets(value: str) -> str:
    raise ValueError(f"{value} is unknown")


def refuse_in_own_words(value: str) -> str:
    raise PydanticCustomError("unknown_customer", "{who} is unknown", {"who": value})


@pytest.mark.parametrize(
    ("request_type", "value", "field"),
    [
        (int, '"s3cret"', "request"),
        (Order, '{"id":"s3cret"}', "request.id"),
        (Item, '{"name":"x","price":"s3cret"}', "request.price"),
        (Item, '{"title":"s3cret"}', "request.name"),
        (Pet, '{"kind":"s3cret"}', "request"),
        (Annotated[str, AfterValidator(refuse_secrets)], '"s3cret"', "request"),
        (Annotated[str, AfterValidator(refuse_in_own_words)], '"s3cret"', "request"),
    ],
)
def test_an_error_at_run_time_shows_no_value_of_the_request(
    request_type: object, value: str, field: str
) -> None:
    with pytest.raises(TickerValidationError) as caught:
        decode(value.encode(), request_type=request_type)
    assert caught.value.field == field
    assert "s3cret" not in "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


class Plain:
    pass


class Unfinished(BaseModel):
    later: "NeverDefined"  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize("request_type", [Plain, Iterator[Plain], Unfinished, list["NeverDefined"], 5])  # type: ignore[name-defined]  # noqa: F821
def test_a_type_that_pydantic_cannot_check_is_refused(request_type: object) -> None:
    with pytest.raises(TickerValidationError, match="requests cannot be checked against this type") as caught:
        check_request_type(request_type)
    assert (caught.value.field, caught.value.value) == ("function", request_type)
    with pytest.raises(TickerValidationError, match="requests cannot be checked"):
        encode({}, request_type=request_type, limit=LIMIT)


def test_types_that_pydantic_can_check_are_accepted() -> None:
    for request_type, _ in [*ROUND_TRIPS, (None, None)]:
        check_request_type(request_type)


class OfTyping(typing.TypedDict):
    size: int


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="pydantic takes typing.TypedDict there")
@pytest.mark.parametrize(
    "of", [lambda old: old, lambda old: dataclasses.make_dataclass("D", [("inner", old)])]
)
def test_a_typed_dict_of_typing_is_an_error_that_names_the_one_to_use(of: Callable[[Any], object]) -> None:
    with pytest.raises(TickerValidationError, match=r"use `typing_extensions\.TypedDict` instead"):
        check_request_type(of(OfTyping))


def test_a_typed_dict_keeps_its_pydantic_settings() -> None:
    class Strict(typing_extensions.TypedDict):
        size: int

    Strict.__pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[attr-defined]
    with pytest.raises(TickerValidationError, match=r"request\.more: Extra inputs"):
        encode({"size": 1, "more": 2}, request_type=Strict, limit=LIMIT)


def test_unions_that_compare_equal_are_not_confused() -> None:
    when = "2030-01-01T00:00:00"
    for request_type, expected in ((str | datetime, str), (datetime | str, datetime)):
        assert type(decode(f'"{when}"'.encode(), request_type=request_type)) is expected


def test_the_schema_has_the_fields_as_they_are_stored() -> None:
    schema = json_schema(Camel)
    assert schema is not None
    assert (schema["title"], schema["required"]) == ("Camel", ["user_id"])
    named = json_schema(Named)
    assert named is not None
    assert (named["title"], named["required"]) == ("Named", ["name"])


def test_there_is_no_schema_without_a_type_or_where_pydantic_has_none() -> None:
    assert json_schema(None) is None
    assert json_schema(Plain) is None
    assert json_schema(typing.Callable[[], int]) is None


def test_a_default_that_json_cannot_hold_does_not_spoil_the_schema() -> None:
    model = pydantic.create_model("Odd", limit=(Any, object()))
    schema = json_schema(model)
    assert schema is not None
    assert json.loads(json.dumps(schema))["properties"] == {"limit": {"title": "Limit"}}


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
json_leaves = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
)
json_values = st.recursive(
    json_leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=15,
)
items = st.builds(Item, name=texts, price=st.decimals(allow_nan=False, allow_infinity=False))
aware = st.datetimes(timezones=st.just(UTC))
orders = st.builds(
    Order,
    id=st.uuids(),
    items=st.lists(items, max_size=3),
    placed_at=st.none() | aware,
    color=st.sampled_from(Color),
    note=st.none() | texts,
)
people = st.builds(Person, texts, st.lists(st.builds(Address, texts, st.dates()), max_size=3))
old_children = st.fixed_dictionaries(
    {"name": texts, "when": aware}, optional={"size": st.integers(), "note": texts}
)
typed_values = st.one_of(
    st.tuples(st.just(Order), orders),
    st.tuples(st.just(Person), people),
    st.tuples(st.just(Dated), old_children),
    st.tuples(st.just(list[Item] | None), st.lists(items, max_size=3)),
    st.tuples(st.just(Item | Person), items | people),
    st.tuples(st.just(dict[str, Any]), st.dictionaries(texts, json_values, max_size=4)),
    st.tuples(st.just(tuple[int, ...]), st.lists(st.integers(), max_size=4).map(tuple)),
)
anything = st.recursive(
    json_leaves
    | st.text(max_size=5)
    | st.floats()
    | st.binary(max_size=5)
    | st.decimals()
    | st.datetimes()
    | st.timedeltas()
    | st.complex_numbers()
    | st.sampled_from([object(), Color.RED, Item, ORDER, Item.model_construct(name=3), ADDRESS]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=3) | st.integers() | st.none() | st.floats(), inner, max_size=4)
        | st.tuples(inner, inner)
        | st.builds(lambda value: Box[Any].model_construct(content=value), inner)
        | st.builds(lambda value: Person(value, []), inner)
    ),
    max_leaves=12,
)


@examples(100)
@given(typed_values)
def test_every_valid_request_comes_back_equal(pair: tuple[object, object]) -> None:
    request_type, value = pair
    data = encode(value, request_type=request_type, limit=LIMIT)
    assert decode(data, request_type=request_type) == value


@examples(100)
@given(json_values)
def test_every_json_value_comes_back_equal_without_a_type(value: object) -> None:
    assert decode(encode(value, request_type=None, limit=LIMIT), request_type=None) == value


def refusal(call: Callable[[], object]) -> TickerValidationError | None:
    try:
        call()
    except TickerValidationError as error:
        return error
    return None


@examples(200)
@given(
    anything,
    st.sampled_from(
        [None, Any, Order, Person, Dated, Box[Any], dict[str, Any], list[Item], str | datetime, float]
    ),
)
def test_whatever_is_passed_is_written_readably_or_refused(value: object, request_type: object) -> None:
    written: list[bytes | None] = []
    error = refusal(lambda: written.append(encode(value, request_type=request_type, limit=LIMIT)))
    if error is None:
        decode(written[0], request_type=request_type)
        assert written[0] is None or json.loads(written[0]) is not ...
    else:
        assert error.field.split(".")[0] == "request"
        assert str(error).encode()


@examples(100)
@given(st.binary(max_size=20), st.sampled_from([None, Order, Dated, list[int], dict[str, Any]]))
def test_whatever_bytes_are_read_only_our_errors_come_out(data: bytes, request_type: object) -> None:
    try:
        error = refusal(lambda: decode(data, request_type=request_type))
    except UnreadableRequestError:
        return
    assert error is None or error.field.split(".")[0] == "request"
