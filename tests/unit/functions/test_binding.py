"""Plain parameters: bound as Python binds them, kept by name, and passed as they were declared."""

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Unpack
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from tests.inner import Function, make_function
from tickerq_celery import TickerContext
from tickerq_celery.errors import CallError, TickerValidationError, UnknownKeywordError
from tickerq_celery.functions.binding import by_name, passed

CONTEXT: Any = object()


class Line(BaseModel):
    name: str
    count: int = 1


class Letter(TypedDict, total=False):
    pages: int


def read(function: Function, stored: bytes | None) -> tuple[list[object], dict[str, object]]:
    return passed(function.signature, CONTEXT, function.expected_request.decode(stored))


def kept(body: Callable[..., object], *args: object, **kwargs: object) -> bytes | None:
    function = make_function(body, "Send")
    given = by_name("Send", function.signature, args, kwargs)
    return function.expected_request.encode(given, limit=10_000)


def send(user_id: int, subject: str = "Hi") -> tuple[object, ...]:
    return user_id, subject


def positional(user_id: int, subject: str = "Hi", /, *, times: int = 1) -> tuple[object, ...]:
    return user_id, subject, times


def typed(
    context: TickerContext,
    lines: list[Line],
    *,
    day: date | None = None,
    price: Annotated[Decimal, Field(ge=0)] = Decimal(0),
    **notes: int,
) -> tuple[object, ...]:
    return context, lines, day, price, notes


def default_none(user_id: int = None) -> tuple[object, ...]:  # type: ignore[assignment]  # noqa: RUF013
    return (user_id,)


def unannotated(first, second=None):  # type: ignore[no-untyped-def]
    return first, second


def unpacked(**letter: Unpack[Letter]) -> dict[str, object]:
    return dict(letter)


@pytest.mark.parametrize(
    ("body", "args", "kwargs", "stored", "seen"),
    [
        (send, (3,), {}, {"user_id": 3}, (3, "Hi")),
        (send, ("3",), {"subject": "Yo"}, {"user_id": 3, "subject": "Yo"}, (3, "Yo")),
        (positional, (3,), {"times": 2}, {"user_id": 3, "times": 2}, (3, "Hi", 2)),
        (positional, (3, "Yo"), {}, {"user_id": 3, "subject": "Yo"}, (3, "Yo", 1)),
        (
            typed,
            ([Line(name="tea"), {"name": "milk"}],),
            {"day": date(2026, 1, 2), "price": "2.50", "extra": "4"},
            {
                "lines": [{"name": "tea", "count": 1}, {"name": "milk", "count": 1}],
                "day": "2026-01-02",
                "price": "2.50",
                "extra": 4,
            },
            (
                CONTEXT,
                [Line(name="tea"), Line(name="milk")],
                date(2026, 1, 2),
                Decimal("2.50"),
                {"extra": 4},
            ),
        ),
        (default_none, (None,), {}, {"user_id": None}, (None,)),
        (unannotated, ([1, {"a": None}],), {}, {"first": [1, {"a": None}]}, ([1, {"a": None}], None)),
        (unpacked, (), {"pages": 3}, {"pages": 3}, {"pages": 3}),
    ],
)
def test_arguments_are_kept_by_name_and_passed_as_they_were_declared(
    body: Callable[..., object],
    args: tuple[object, ...],
    kwargs: dict[str, object],
    stored: object,
    seen: object,
) -> None:
    data = kept(body, *args, **kwargs)
    assert data is not None
    assert json.loads(data) == stored
    positional_, named = read(make_function(body, "Send"), data)
    assert body(*positional_, **named) == seen


@pytest.mark.parametrize(
    ("body", "args", "kwargs", "kind", "message"),
    [
        (
            send,
            (),
            {},
            CallError,
            r"missing a required argument: 'user_id' of function Send, which takes \(user_id=…, ",
        ),
        (send, (1, "a", 2), {}, CallError, "too many positional arguments of function Send"),
        (send, (1,), {"user_id": 2}, CallError, "multiple values for argument 'user_id'"),
        (
            send,
            (),
            {"user": 2},
            UnknownKeywordError,
            r"user: function Send has no such parameter.* \(got 2\)",
        ),
        (send, (), {"userid": 2}, UnknownKeywordError, "did you mean user_id?"),
        (send, (), {"password": 2}, UnknownKeywordError, r"there are user_id, subject \(got '•••'\)"),
        (positional, (), {"user_id": 1}, CallError, "user_id"),
        (send, ("three",), {}, TickerValidationError, r"request\.user_id: .* valid integer"),
        (typed, ([{}],), {}, TickerValidationError, r"request\.lines\.0\.name: Field required"),
        (
            typed,
            ([],),
            {"price": -1},
            TickerValidationError,
            r"request\.price: .* greater than or equal to 0",
        ),
        (typed, ([],), {"note": "x"}, TickerValidationError, r"request\.note: .* valid integer"),
        (unpacked, (), {"page": 1}, UnknownKeywordError, "did you mean pages?"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_name(
    body: Callable[..., object],
    args: tuple[object, ...],
    kwargs: dict[str, object],
    kind: type[TickerValidationError],
    message: str,
) -> None:
    with pytest.raises(kind, match=message):
        kept(body, *args, **kwargs)


def test_no_argument_of_a_call_is_the_context() -> None:
    def extra(context: TickerContext, **more: int) -> None: ...

    with pytest.raises(CallError, match="context: function Send is given its context when it runs"):
        kept(extra, context=1)


def test_an_argument_that_two_parameters_would_get_is_refused() -> None:
    def both(user_id: int, /, **more: int) -> None: ...

    with pytest.raises(CallError, match="user_id: function Send is given it twice"):
        kept(both, 1, user_id=2)


def test_a_parameter_that_came_later_with_a_default_reads_what_was_stored() -> None:
    def before(user_id: int) -> None: ...

    stored = kept(before, 3)
    args, kwargs = read(make_function(send, "Send"), stored)
    assert send(*args, **kwargs) == (3, "Hi")


@pytest.mark.parametrize("body", [lambda: None, lambda user_id=3: None], ids=["none", "another"])
def test_a_stored_name_that_is_gone_is_named_and_no_value_is_shown(body: Callable[..., object]) -> None:
    with pytest.raises(TickerValidationError) as caught:
        read(make_function(body, "Send"), b'{"subject":"of a secret"}')
    assert str(caught.value) == "request.subject: the function has no such parameter (got <class 'str'>)"


def test_a_stored_name_that_is_gone_is_passed_to_a_function_that_takes_any() -> None:
    args, kwargs = read(make_function(lambda **more: more, "Send"), b'{"subject":"Hi"}')
    assert (args, kwargs) == ([], {"subject": "Hi"})


def test_what_has_defaults_only_reads_a_row_without_a_request() -> None:
    assert read(make_function(lambda days=30: days, "Send"), None) == ([], {})


def test_the_schema_is_that_of_the_object() -> None:
    assert make_function(send, "Send").expected_request.schema == {
        "type": "object",
        "properties": {
            "user_id": {"title": "User Id", "type": "integer"},
            "subject": {"title": "Subject", "type": "string", "default": "Hi"},
        },
        "required": ["user_id"],
        "additionalProperties": False,
    }
    schema = make_function(typed, "Send").expected_request.schema
    assert schema is not None
    assert schema.get("additionalProperties") is not False
    assert make_function(lambda: None, "Send").expected_request.schema is None


KINDS = ["positional", "either", "keyword"]
VALUES: dict[str, st.SearchStrategy[object]] = {
    "int": st.integers(-(2**40), 2**40),
    "str": st.text(st.characters(codec="utf-8"), max_size=5),
    "UUID": st.uuids(),
    "list[date]": st.lists(st.dates(), max_size=3),
    "dict[str, Line]": st.dictionaries(st.sampled_from("ab"), st.builds(Line, name=st.just("x"))),
    "Line | None": st.none() | st.builds(Line, name=st.just("tea"), count=st.integers(0, 9)),
}
SCOPE = {"UUID": UUID, "date": date, "Line": Line}


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, list[tuple[str, str, object, bool]]]:
    """Draw the text of a function, and of each parameter its name, kind, value and whether it is given."""
    kinds = sorted(draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=5)), key=KINDS.index)
    # Python wants no parameter without a default behind one with, but for keywords.
    defaults_from = draw(st.integers(0, len(kinds)))
    declared: list[str] = []
    parameters: list[tuple[str, str, object, bool]] = []
    for index, kind in enumerate(kinds):
        # One parameter that is a JSON object as a whole would be the request.
        annotation = draw(st.sampled_from(sorted(VALUES) if len(kinds) > 1 else ["int", "str"]))
        has_default = index >= defaults_from if kind != "keyword" else draw(st.booleans())
        name = f"p{index}"
        if kind == "keyword" and "*" not in declared:
            declared.append("*")
        declared.append(f"{name}: {annotation}" + (" = DEFAULT" if has_default else ""))
        if kind == "positional" and "positional" not in kinds[index + 1 :]:
            declared.append("/")
        parameters.append((name, kind, draw(VALUES[annotation]), not has_default or draw(st.booleans())))
    return f"def body({', '.join(declared)}): return locals()", parameters


@given(calls(), st.booleans())
def test_any_call_that_python_takes_comes_back_as_it_was(
    call: tuple[str, list[tuple[str, str, object, bool]]], has_context: bool
) -> None:
    text, parameters = call
    default = object()
    scope: dict[str, Any] = {**SCOPE, "DEFAULT": default}
    if has_context:
        text = text.replace("(", "(context, ", 1)
    exec(text, scope)
    args: list[object] = []
    kwargs: dict[str, object] = {}
    expected: dict[str, object] = {}
    is_cut = False  # what follows a positional one that is left out cannot be given
    for name, kind, value, is_given in parameters:
        is_cut = is_cut or (kind == "positional" and not is_given)
        if not is_given or (kind == "positional" and is_cut):
            expected[name] = default
            continue
        expected[name] = value
        if kind == "positional":
            args.append(value)
        else:
            kwargs[name] = value
    function = make_function(scope["body"], "Send")
    stored = kept(scope["body"], *args, **kwargs)
    positional_, named = read(function, stored)
    found = scope["body"](*positional_, **named)
    assert found.pop("context", CONTEXT) is CONTEXT
    assert found == expected
