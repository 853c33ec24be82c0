"""What a function returned, on its way to its run's children."""

from dataclasses import dataclass
from typing import Any

import pytest

from tickerq_celery.errors import ParentResultError
from tickerq_celery.payload import results

LIMIT = 1_000


@dataclass
class Invoice:
    number: int


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (None, None),
        (0, 0),
        (False, False),
        ("", ""),
        ("ä\u2028", "ä\u2028"),
        ([1, {"a": None}], [1, {"a": None}]),
        ({"refused": "no"}, {"refused": "no"}),
        (Invoice(number=7), {"number": 7}),
    ],
    ids=repr,
)
def test_a_result_comes_back_as_json_values(value: object, read: object) -> None:
    stored = results.written(value, limit=LIMIT)
    assert results.refusal(stored) is None
    assert results.read(stored) == read


def test_no_result_takes_no_room() -> None:
    assert results.written(None, limit=LIMIT) is None


def circle() -> list[Any]:
    items: list[Any] = []
    items.append(items)
    return items


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (object(), "result: it cannot be written as JSON"),
        (b"\xff", "result: bytes are not JSON"),
        ({"a": {"b": b"\xff"}}, "result.a.b: bytes are not JSON"),
        (float("nan"), "result"),
        ("x" * LIMIT, f"result: it takes {LIMIT + 2} bytes as JSON, and the limit is {LIMIT}"),
        (circle(), "result: it is nested more than 100 levels deep"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_stored_is_an_error_to_those_who_ask_for_it(value: object, reason: str) -> None:
    stored = results.written(value, limit=LIMIT)
    assert str(results.refusal(stored)).startswith(reason)
    with pytest.raises(ParentResultError) as refused:
        results.read(stored)
    assert refused.value.reason == results.refusal(stored)


def test_a_refusal_does_not_repeat_the_value() -> None:
    stored = results.written({"password": b"hunter2"}, limit=LIMIT)
    assert b"hunter2" not in (stored or b"")
