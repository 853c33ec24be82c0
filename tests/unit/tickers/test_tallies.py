"""What is read of an end: how late it started, and whether its outcome is known."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tickerq_celery.enums import TickerKind, TickerStatus
from tickerq_celery.tickers.tallies import EndedRun, tally

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def ended(**fields: Any) -> EndedRun:
    values: dict[str, Any] = {
        "id": UUID(int=1),
        "namespace": "shop",
        "function": "Send",
        "type": 1,
        "kind": TickerKind.FUNCTION,
        "status": TickerStatus.DONE,
        "error_type": None,
        "is_late": False,
        "retry_count": 0,
        "rescue_count": 0,
        "executions": 0,
        "has_parent": False,
        "execution_time": NOON,
        "created_at": NOON - timedelta(hours=1),
        "retried_at": None,
        "started_at": NOON + 2 * SECOND,
        "ended_at": NOON + 5 * SECOND,
        "elapsed": 3 * SECOND,
        **fields,
    }
    return EndedRun(**values)


@pytest.mark.parametrize(
    ("fields", "lag"),
    [
        ({}, 2 * SECOND),
        ({"execution_time": None, "created_at": NOON + SECOND}, SECOND),
        ({"created_at": NOON + SECOND}, SECOND),
        ({"started_at": NOON - SECOND}, timedelta(0)),
        ({"executions": 1}, 2 * SECOND),
        ({"executions": 2}, None),
        ({"started_at": None}, None),
        ({"has_parent": True}, None),
        ({"retry_count": 1}, None),
        ({"rescue_count": 1}, None),
        ({"retried_at": NOON}, None),
    ],
)
def test_lag_is_known_of_a_first_attempt_without_a_parent(
    fields: dict[str, Any], lag: timedelta | None
) -> None:
    assert ended(**fields).lag == lag


@pytest.mark.parametrize(
    ("fields", "is_published"),
    [
        ({"kind": TickerKind.CELERY_TASK, "started_at": None}, True),
        ({"kind": TickerKind.CELERY_TASK}, False),
        ({"kind": TickerKind.CELERY_TASK, "started_at": None, "status": TickerStatus.CANCELLED}, False),
        ({"started_at": None}, False),
    ],
)
def test_an_end_is_published_where_no_worker_reported_a_call(
    fields: dict[str, Any], is_published: bool
) -> None:
    assert ended(**fields).is_published is is_published


def test_of_ends_at_one_moment_the_greater_id_is_the_last_one() -> None:
    first, second = tally([ended()]), tally([ended(id=UUID(int=2))])
    assert first.plus(second).last_id == second.plus(first).last_id == UUID(int=2)
