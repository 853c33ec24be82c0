"""Celery's schedules as expressions: the same instants, or a refusal that says why."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery import Celery
from celery.schedules import crontab, schedule, solar

from tickerq_celery.beat.celery_schedules import expression_of, zone_name
from tickerq_celery.schedule.timetable import make_timetable

START = datetime(2026, 1, 15, 12, 0, 10, tzinfo=UTC)
ODD = f"{','.join(map(str, range(1, 60, 2)))} {','.join(map(str, range(1, 24, 2)))} " + (
    f"{','.join(map(str, range(1, 32, 2)))} 1,3,5,7,9,11 *"
)
CRONTABS = [
    (crontab(), "* * * * *"),
    (crontab(minute=0, hour=4), "0 4 * * *"),
    (crontab(minute="*/15"), "*/15 * * * *"),
    (crontab(minute="*/7,30", hour="22-2"), "0,7,14,21,28,30,35,42,49,56 0-2,22,23 * * *"),
    (crontab(minute=0, hour=9, day_of_week="mon-fri"), "0 9 * * 1-5"),
    (crontab(minute="0-58", hour="8-18", day_of_week="mon-fri"), "0-58 8-18 * * 1-5"),
    (crontab(minute="0-59", hour="*/5,1-4", day_of_week="sat-mon"), "* 0-5,10,15,20 * * 0,1,6"),
    (crontab(minute="1-59/2", hour="1-23/2", day_of_month="1-31/2", month_of_year="1-12/2"), ODD),
    (crontab(minute=0, hour=9, day_of_week="fri", day_of_month=13), "0 9 13 * 5"),
    (crontab(minute={0, 30}, hour=[1, 2], month_of_year="jan,*/6"), "0,30 1,2 * 1,7 *"),
    (crontab(minute="*/90", hour=5), "0 5 * * *"),
]


@pytest.mark.parametrize(("given", "expected"), CRONTABS)
def test_a_crontab_keeps_its_numbers(given: crontab, expected: str) -> None:
    assert expression_of(given) == expected


@pytest.mark.parametrize("given", [given for given, _ in CRONTABS])
def test_a_crontab_has_the_next_instants_that_celery_would_find(given: Any) -> None:
    app = Celery(set_as_current=False)
    given.app = app
    moment = START
    timetable = make_timetable(expression_of(given), time_zone="UTC", now=START)
    for _ in range(12):
        given.nowfun = lambda at=moment: at
        expected = moment + given.remaining_estimate(moment)
        given.nowfun = None
        found = timetable.next_after(moment)
        assert found == expected
        moment = found


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (schedule(timedelta(seconds=30)), "@every 30s"),
        (schedule(90.0), "@every 1m30s"),
        (schedule(timedelta(days=1), relative=True), "0 0 * * *"),
        (schedule(timedelta(hours=1), relative=True), "0 * * * *"),
        (schedule(timedelta(hours=6), relative=True), "0 */6 * * *"),
        (schedule(timedelta(minutes=90), relative=True), "0 * * * *"),
        (schedule(timedelta(minutes=20), relative=True), "*/20 * * * *"),
        (schedule(timedelta(seconds=20), relative=True), "@every 20s"),
    ],
)
def test_an_interval_counts_and_a_relative_one_is_rounded_as_celery_rounds(
    given: schedule, expected: str
) -> None:
    assert expression_of(given) == expected


class Odd(crontab):
    """A crontab that might be due at any time."""


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (solar.__new__(solar), "class solar"),
        (Odd(), "class Odd"),
        (None, "class NoneType"),
        (crontab(nowfun=lambda: START), "nowfun"),
        (schedule(timedelta(seconds=0.5)), "whole seconds"),
        (schedule(timedelta(seconds=-1)), "whole seconds"),
        (schedule(timedelta(hours=5), relative=True), "write a crontab"),
        (schedule(timedelta(days=2), relative=True), "write a crontab"),
    ],
)
def test_what_has_no_expression_is_refused_with_the_reason(given: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        expression_of(given)


def test_the_zone_is_that_of_the_app_and_one_without_a_name_is_refused() -> None:
    app = Celery(set_as_current=False)
    assert zone_name(app.timezone) == "UTC"
    assert zone_name(ZoneInfo("Europe/Berlin")) == "Europe/Berlin"
    with pytest.raises(ValueError, match=r"set app\.conf\.timezone"):
        zone_name(timezone(timedelta(hours=1)))
