"""A filter of runs that is stored and read again asks for the same."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tickerq_celery.enums import HoldReason, Origin, TickerKind, TickerPriority, TickerStatus, TickerType
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.store.reading.filter_json import filter_as_json, filter_from_json
from tickerq_celery.tickers.criteria import RunFilter

RUN = UUID("01a21bc7-5147-77c0-acd8-8aecca82238c")
MOMENT = datetime(2026, 3, 1, 8, 0, 0, 123456, tzinfo=UTC)
VALUES = {
    "kind": TickerKind.CELERY_TASK,
    "status": (TickerStatus.FAILED, TickerStatus.SKIPPED),
    "function": ("Mail", "Send"),
    "routed": ("Mail", "Send"),
    "held_for": HoldReason.LIMIT,
    "hold_key": ("everything:", "tag:eu"),
    "type": TickerType.CRON_TICKER_OCCURRENCE,
    "priority": TickerPriority.HIGH,
    "origin": Origin.BACKFILL,
    "min_attempts": 3,
    "min_elapsed": timedelta(seconds=1.5),
    "exclude": RunFilter(status=(TickerStatus.DONE,), root_id=RUN),
}
FLAGS = {"outcome_known", "is_published", "is_late"}


def value_of(name: str) -> object:
    """Return a value of the filter that has this name."""
    if name in FLAGS:
        return False
    if name.endswith("_id") and name != "task_id":
        return RUN
    if name.endswith(("_from", "_until")):
        return MOMENT
    return VALUES.get(name, "a text")


@pytest.mark.parametrize("name", [each.name for each in fields(RunFilter)])
def test_each_filter_asks_for_the_same_when_it_is_read(name: str) -> None:
    wanted = RunFilter(**{name: value_of(name)})
    assert filter_from_json(filter_as_json(wanted)) == wanted


@pytest.mark.parametrize(
    "stored",
    [
        {"colour": "red"},
        {"status": ["asleep"]},
        {"status": "failed"},
        {"is_late": "yes"},
        {"root_id": 3},
        {"due_from": "soon"},
    ],
)
def test_what_this_version_does_not_know_is_refused(stored: dict[str, object]) -> None:
    [name] = stored
    with pytest.raises(TickerValidationError, match=name):
        filter_from_json(stored)
