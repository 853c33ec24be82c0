"""Which messages a ticker's worker lets in: those that a publisher of ours makes, and no others."""

from typing import Any

import pytest

from tickerq_celery.broker.message_schema import flaw_in_call, flaw_in_headers, flaw_in_lost_call
from tickerq_celery.enums import TickerStatus

ID = "01a2103e-3d01-7221-9bcd-0423ee3e6d78"
NOTHING: dict[str, Any] = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
SOUND: dict[str, Any] = {
    "task": "tickerq.Send",
    "id": f"{ID}:1",
    "timelimit": [None, None],
    "retries": 0,
    "root_id": f"{ID}:1",
    "stamps": {},
}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"ticker": [ID, 1], "traceparent": "00-1-2-01", "anything": object()},
        {"timelimit": [30, 2.5]},
        {"timelimit": None},
        {"stamped_headers": ["tenant"], "stamps": {"tenant": "a"}},
        {"shadow": "another name", "group": ID, "parent_id": None},
    ],
)
def test_a_message_as_publishers_make_it_is_let_in(more: dict[str, Any]) -> None:
    assert flaw_in_headers(SOUND | more) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("task", None), ("task", 5), ("task", ["tickerq.Send"]), ("task", "tickerq." + "x" * 1_000),
        ("id", None), ("id", 5), ("id", [ID]), ("id", "x" * 1_001),
        ("shadow", ["x"]), ("root_id", {"a": 1}), ("parent_id", 5), ("group", ["x"]),
        ("eta", "2999-01-01T00:00:00+00:00"), ("expires", "2000-01-01T00:00:00+00:00"), ("eta", "x"),
        ("retries", "many"), ("retries", -1), ("retries", float("nan")),
        ("timelimit", "x"), ("timelimit", 5), ("timelimit", [1]), ("timelimit", ["a", "b"]),
        ("timelimit", [-1, None]), ("timelimit", [float("inf"), None]), ("timelimit", [1, 2, 3]),
        ("stamped_headers", 5), ("stamped_headers", [[1]]), ("stamps", [1]),
    ],
)  # fmt: skip
def test_a_header_that_celery_would_not_survive_is_named(name: str, value: object) -> None:
    flaw = flaw_in_headers(SOUND | {name: value})
    assert flaw is not None
    assert flaw.startswith(f"its header {name!r} is ")
    assert len(flaw) < 200


@pytest.mark.parametrize("call", [[[], {}, NOTHING], [[], {}, None], [[1, "a"], {"b": 2}, {}], ((), {}, {})])
def test_a_call_is_let_in(call: object) -> None:
    assert flaw_in_call(call) is None


@pytest.mark.parametrize(
    "call",
    [
        None, 7, "abc", b"abc", {}, {"args": [], "kwargs": {}}, [], [[]], [[], {}], [[], {}, {}, {}],
        [5, {}, {}], ["ab", {}, {}], [[], 5, {}], [[], {}, 5], [[], {}, NOTHING | {"callbacks": 5}],
        [[], {}, NOTHING | {"chain": [{"task": "their.task"}]}],
    ],
)  # fmt: skip
def test_what_is_no_call_is_not_shown_since_it_may_be_a_users_data(call: object) -> None:
    assert flaw_in_call(call) == f"its body is no call without callbacks ({type(call).__name__})"


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize("status", [TickerStatus.IDLE, TickerStatus.FAILED, TickerStatus.CANCELLED])
def test_a_call_for_the_exception_handler_is_let_in(kind: int, status: TickerStatus) -> None:
    assert flaw_in_lost_call([ID, kind, "worker lost: gone", int(status)]) is None


@pytest.mark.parametrize(
    "args",
    [
        [], [ID], ["x", 1, "lost", 0], [ID, 2, "lost", 0], [ID, "1", "lost", 0], [ID, 1, None, 0],
        [ID, 1, "lost", "0"], [ID, 1, "lost", 3], [5, 1, "lost", 0], [ID, 1, "lost", 0, 5],
    ],
)  # fmt: skip
def test_a_call_for_the_exception_handler_with_other_arguments_is_not(args: list[object]) -> None:
    assert flaw_in_lost_call(args) is not None
