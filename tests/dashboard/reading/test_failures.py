"""Failures by exception, and which of them are new."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.dashboard.conftest import Visitor
from tests.dashboard.seeds import Seeds
from tickerq_celery import TickerStatus
from tickerq_celery.views import ErrorGroup
from tickerq_dashboard.reading.failures import FirstSeen, by_exception, moments_of

NOW = datetime(2026, 11, 26, 15, 4, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def group(function: str, error_type: str | None, *counts: int, **fields: Any) -> ErrorGroup:
    values: dict[str, Any] = {
        "count": sum(counts),
        "first_seen": NOW - HOUR,
        "last_seen": NOW,
        "sample_id": None,
        "sample_head": None,
        **fields,
    }
    return ErrorGroup(function=function, error_type=error_type, counts=counts, **values)


def test_an_exception_has_one_row_whatever_functions_raise_it() -> None:
    groups = [
        group("Send", "KeyError", 0, 2, last_seen=NOW - HOUR),
        group("Bill", "KeyError", 3, 1),
        group("Bill", None, 1, 0),
        group("Send", "OSError", 0, 7),
    ]
    found = by_exception(groups, None)
    assert [(each.error_type, each.functions, each.count, each.counts) for each in found] == [
        ("OSError", ("Send",), 7, (0, 7)),
        ("KeyError", ("Bill", "Send"), 6, (3, 3)),
        (None, ("Bill",), 1, (1, 0)),
    ]
    assert found[1].last_seen == NOW


def test_an_exception_is_new_that_no_function_raised_before_a_moment() -> None:
    since = NOW - DAY
    seen = [
        group("Send", "KeyError", first_seen=since - HOUR),
        group("Bill", "KeyError", first_seen=since + HOUR),
        group("Bill", "OSError", first_seen=since),
    ]
    first = FirstSeen(since=since, moments=moments_of(seen))
    # Of what came after the reading nothing is known.
    assert [first.is_new(each) for each in ("KeyError", "OSError", "IndexError")] == [False, True, True]
    assert [first.is_new("KeyError", each) for each in ("Send", "Bill")] == [False, True]
    groups = [group("Bill", "KeyError", 1), group("Bill", "OSError", 1)]
    assert {each.error_type: each.is_new for each in by_exception(groups, first)} == {
        "KeyError": False, "OSError": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("error", "hours", "function", "is_new"),
    [
        pytest.param("KeyError", None, "Send", True, id="never before"),
        pytest.param("KeyError", 5 * 24, "Send", False, id="in the week before"),
        pytest.param("KeyError", 5 * 24, "Bill", False, id="of another function"),
        pytest.param("KeyError", 10 * 24, "Send", True, id="longer ago"),
        pytest.param("OSError", 5 * 24, "Send", True, id="another one"),
    ],
)
def test_new_is_said_where_it_is(
    seeds: Seeds, visitor: Visitor, error: str, hours: int | None, function: str, is_new: bool
) -> None:
    now = datetime.now(UTC)
    seeds.run(status=TickerStatus.DONE, ended_at=now - 30 * HOUR, execution_time=now - 30 * HOUR)
    seeds.run(function="Send", status=TickerStatus.FAILED, ended_at=now, exception_type="KeyError")
    if hours is not None:
        at = now - hours * HOUR
        seeds.run(
            function=function,
            status=TickerStatus.FAILED,
            ended_at=at,
            execution_time=at,
            exception_type=error,
        )
    assert (">new</i>" in visitor.get("/").text) is is_new
    # There functions are told apart.
    is_new_there = is_new or function != "Send"
    assert (">new</i>" in visitor.get("/errors").text) is is_new_there


def test_what_is_new_is_so_in_every_window(seeds: Seeds, visitor: Visitor) -> None:
    now = datetime.now(UTC)
    seeds.run(status=TickerStatus.DONE, ended_at=now - 30 * HOUR, execution_time=now - 30 * HOUR)
    for error, hours in (("KeyError", 1), ("KeyError", 3), ("OSError", 2), ("OSError", 40)):
        at = now - hours * HOUR + HOUR / 4
        seeds.run(status=TickerStatus.FAILED, ended_at=at, execution_time=at, exception_type=error)
    for window, kinds in (("1h", 1), ("24h", 2), ("7d", 2), ("30d", 2)):
        rows = re.findall(r'<th scope="row".*?</tr>', visitor.get(f"/?window={window}").text, re.DOTALL)
        those = [row for row in rows if 'class="exception"' in row]
        assert len(those) == kinds
        assert ["KeyError" in row for row in those if ">new</i>" in row] == [True], window


def test_nothing_is_new_in_a_store_that_is_younger_than_the_window(seeds: Seeds, visitor: Visitor) -> None:
    seeds.run(status=TickerStatus.FAILED, ended_at=datetime.now(UTC), exception_type="KeyError")
    assert [">new</i>" in visitor.get(path).text for path in ("/", "/errors")] == [False, False]
