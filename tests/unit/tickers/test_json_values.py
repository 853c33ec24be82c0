"""Values as JSON has them."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from tickerq_celery.enums import HoldReason, TickerPriority, TickerStatus
from tickerq_celery.tickers.json_values import as_json
from tickerq_celery.views import Page

ID = UUID("01a21cb8-b72c-7183-bf46-944a84edac62")


@dataclass(frozen=True, slots=True)
class View:
    """What has one of each."""

    id: UUID
    stored_request: bytes = b"unshown"
    at: datetime | None = None


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, None),
        (True, True),
        ("a", "a"),
        (1.5, 1.5),
        (TickerStatus.DUE_DONE, "due_done"),
        (TickerPriority.LONG_RUNNING, "long_running"),
        (HoldReason.OVERLAP, "overlap"),
        (datetime(2026, 1, 2, 3, tzinfo=UTC), "2026-01-02T03:00:00+00:00"),
        (date(2026, 1, 2), "2026-01-02"),
        (timedelta(milliseconds=1500), 1.5),
        (ID, str(ID)),
        (View(ID), {"id": str(ID), "at": None}),
        (Page((View(ID),), next_cursor=None), [{"id": str(ID), "at": None}]),
        ({TickerStatus.DONE: (1, 2)}, {"done": [1, 2]}),
    ],
)
def test_a_value_is_written_as_the_page_says(value: object, written: object) -> None:
    assert as_json(value) == written
    assert json.loads(json.dumps(as_json(value))) == written


def test_what_has_no_form_is_refused() -> None:
    with pytest.raises(TypeError, match="no JSON for object"):
        as_json(object())
