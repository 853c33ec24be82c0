"""Cron tickers as entries of a ``beat_schedule``: Celery's beat fires when they would, or they are left."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from celery.schedules import crontab
from hypothesis import given
from hypothesis import strategies as st

from tickerq_celery.beat.as_beat_schedule import BeatSchedule, as_beat_schedule
from tickerq_celery.beat.celery_schedules import expression_of
from tickerq_celery.enums import OverlapPolicy, PauseKind, TickerKind
from tickerq_celery.errors import InvalidCronError, UnreadableRequestError
from tickerq_celery.payload.celery_call import CeleryCall
from tickerq_celery.schedule.timetable import make_timetable
from tickerq_celery.tickers.cron_rows import CronRow, new_cron_row
from tickerq_celery.tickers.pauses import Pause
from tickerq_celery.tickers.work import Work

NOW = datetime(2026, 1, 15, 12, 0, 10, tzinfo=UTC)


def row(expression: str, *, day_or: bool = False, zone: str = "UTC", **fields: Any) -> CronRow:
    made = new_cron_row(
        Work(namespace="shop", function="shop.bill", kind=TickerKind.CELERY_TASK),
        expression=expression, time_zone=zone, day_or=day_or, now=NOW,
    )  # fmt: skip
    return replace(made, **fields)


def schedule_of(cron: CronRow, call: CeleryCall = CeleryCall(), *pauses: Pause) -> BeatSchedule:  # noqa: B008 - frozen
    return as_beat_schedule([cron], lambda row: call, zone="UTC", pauses=pauses)


def entry_of(cron: CronRow, call: CeleryCall = CeleryCall()) -> dict[str, Any]:  # noqa: B008 - frozen
    """Execute the printed module, and return its only entry."""
    names: dict[str, Any] = {}
    exec(schedule_of(cron, call).as_text(), names)
    [entry] = names["beat_schedule"].values()
    return dict(entry)


def why_left(cron: CronRow, *pauses: Pause) -> str:
    [left] = schedule_of(cron, CeleryCall(), *pauses).left
    return left.why


TERMS = st.sampled_from(["*", "*/7", "3", "1-5", "2,4", "5-9/2"])
DAYS = st.sampled_from(["*", "?", "13", "L", "LW", "15W", "*/2"])
WEEKDAYS = st.sampled_from(["*", "?", "MON-FRI", "7", "FRI#2", "5L", "0-7", "SAT-MON"])
MONTHS = st.sampled_from(["*", "JAN,JUL", "2-4", "*/5"])


@given(minute=TERMS, hour=TERMS, day=DAYS, month=MONTHS, weekday=WEEKDAYS, day_or=st.booleans())
def test_an_entry_has_the_instants_of_its_cron_ticker(
    minute: str, hour: str, day: str, month: str, weekday: str, day_or: bool
) -> None:
    try:
        cron = row(f"{minute} {hour} {day} {month} {weekday}", day_or=day_or)
    except InvalidCronError:
        return
    made = schedule_of(cron)
    if made.left:
        assert {"L", "LW", "15W", "FRI#2", "5L"} & {day, weekday} or day_or
        return
    printed = entry_of(cron)["schedule"]
    assert isinstance(printed, crontab)
    ours, celerys = cron.timetable(), make_timetable(expression_of(printed), time_zone="UTC", now=NOW)
    moment: datetime | None = NOW
    for _ in range(20):
        assert moment is not None
        assert ours.next_after(moment) == celerys.next_after(moment)
        moment = ours.next_after(moment)


def test_an_entry_has_the_call_and_its_queue() -> None:
    call = CeleryCall(args=(1, "a"), kwargs={"deep": {"x": [1, None]}}, options={"priority": 3})
    assert entry_of(row("0 9 * * *", queue="mail"), call) == {
        "task": "shop.bill",
        "schedule": crontab(minute="0", hour="9"),
        "args": [1, "a"],
        "kwargs": {"deep": {"x": [1, None]}},
        "options": {"priority": 3, "queue": "mail"},
    }


def test_an_interval_is_a_timedelta_from_wherever_it_counts() -> None:
    assert entry_of(row("@every 90s", zone="Asia/Tokyo"))["schedule"] == timedelta(seconds=90)


@pytest.mark.parametrize(
    ("expression", "fields", "why"),
    [
        ("15 0 9 * * *", {}, "has seconds"),
        ("0 9 * * *", {"is_enabled": False}, "paused"),
        ("0 9 * * *", {"end_at": NOW}, "has end_at"),
        ("0 9 * * *", {"max_runs": 3}, "has max_runs"),
        ("0 9 * * *", {"start_at": NOW}, "has start_at"),
        ("0 9 * * *", {"exclude": (NOW.date(),)}, "has exclude"),
        ("0 9 * * *", {"overlap": OverlapPolicy.SKIP}, "has overlap=skip"),
        ("0 9 L * *", {}, "Celery's crontab has no such rule"),
    ],
)
def test_what_celerys_beat_cannot_hold_is_left(expression: str, fields: dict[str, Any], why: str) -> None:
    assert why_left(row(expression, **fields)) == why


def test_another_zone_is_left_with_both_names() -> None:
    assert why_left(row("0 9 * * *", zone="Asia/Tokyo")) == "in Asia/Tokyo, and Celery's beat reads it in UTC"


def test_days_of_which_one_is_enough_are_left() -> None:
    assert why_left(row("0 9 13 * FRI", day_or=True)) == "Celery's crontab has no such rule"
    assert entry_of(row("0 9 13 * FRI"))["schedule"] == crontab(
        minute="0", hour="9", day_of_month="13", day_of_week="FRI"
    )


def test_a_functions_cron_ticker_is_left() -> None:
    assert why_left(row("0 9 * * *", kind=TickerKind.FUNCTION)) == "of a ticker function"


@pytest.mark.parametrize(
    "pause", [(PauseKind.FUNCTION, "shop.bill"), (PauseKind.TAG, "money"), (PauseKind.EVERYTHING, "")]
)
def test_what_a_pause_of_another_kind_holds_is_left(pause: tuple[PauseKind, str]) -> None:
    kind, name = pause
    held = Pause(kind=kind, name=name, reason=None, paused_by=None, paused_at=NOW)
    assert why_left(row("0 9 * * *", tags=("money",)), held) == "paused"


def test_a_call_that_cannot_be_read_leaves_its_cron_ticker_and_no_other() -> None:
    unreadable, readable = row("0 9 * * *"), row("0 8 * * *")

    def call_of(cron: CronRow) -> CeleryCall:
        if cron is unreadable:
            raise UnreadableRequestError("no key fits")
        return CeleryCall()

    found = as_beat_schedule([unreadable, readable], call_of, zone="UTC")
    assert ([each.why for each in found.left], len(found.entries)) == (["its call cannot be read"], 1)


def test_values_of_celerys_json_are_printed_as_what_they_are() -> None:
    moment, key = datetime(2026, 3, 1, 8, tzinfo=UTC), UUID(int=3)
    call = CeleryCall(args=(moment, Decimal("1.20")), kwargs={"key": key}, options={"expires": moment})
    entry = entry_of(row("0 9 * * *"), call)
    assert (entry["args"], entry["kwargs"]) == ([moment, Decimal("1.20")], {"key": key})
    assert entry["options"] == {"expires": moment}


def test_what_beat_schedule_defines_itself_is_no_entry() -> None:
    assert schedule_of(row("0 9 * * *").seeded("beat_schedule:bill")) == BeatSchedule(entries=[], left=[])


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"is_enabled": False}, "paused, and beat_schedule defines it"),
        ({"expression": "0 10 * * *"}, "changed from 0 9 * * *, which beat_schedule says"),
    ],
)
def test_an_entry_that_fires_otherwise_than_its_code_says_is_left(changed: dict[str, Any], why: str) -> None:
    assert why_left(replace(row("0 9 * * *").seeded("beat_schedule:bill"), **changed)) == why
