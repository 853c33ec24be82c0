"""What people type into fields, and what stored values look like there."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tickerq_dashboard import texts
from tickerq_dashboard.forms.masks import restored
from tickerq_dashboard.show.clock_changes import clock_changes
from tickerq_dashboard.show.durations import exact
from tickerq_dashboard.show.json_tree import editable
from tickerq_dashboard.texts import Repeated, Unreadable

BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30 s", 30), ("30", 30), ("1.5 min", 90), ("1 h 30 min", 5400), ("2d", 172_800), ("500 ms", 0.5),
        ("1\N{NARROW NO-BREAK SPACE}h", 3600), ("5 MIN", 300),
    ],
)  # fmt: skip
def test_a_time_is_read_in_the_units_of_the_pages(text: str, seconds: float) -> None:
    assert texts.span(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "5 parsecs", "1 h later", "-5 s", "5 30", "1e400 s"])
def test_what_is_no_time_says_what_one_looks_like(text: str) -> None:
    with pytest.raises(Unreadable, match=r"such as 30 s"):
        texts.span(text)


def test_a_time_too_long_for_a_calendar_is_refused() -> None:
    with pytest.raises(Unreadable, match="too long"):
        texts.span("9" * 20 + " d")


@pytest.mark.parametrize("seconds", [0, 0.25, 1, 59, 60, 90, 3600, 5400.5, 86_400 * 3 + 61])
def test_a_stored_time_is_written_so_that_it_is_read_back(seconds: float) -> None:
    assert texts.span(exact(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


def test_lists_stand_between_commas() -> None:
    assert texts.words(" eu , , billing") == ["eu", "billing"]
    assert texts.spans("30 s, 1 min") == [timedelta(seconds=30), timedelta(minutes=1)]
    assert texts.dates("2026-12-24,2026-12-25") == [date(2026, 12, 24), date(2026, 12, 25)]
    with pytest.raises(Unreadable, match="2026-12-24"):
        texts.dates("tomorrow")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a": }', "Expecting value at line 1, column 7"),
        ('{"a": 1,\n}', "line 2"),
        ("NaN", "cannot be stored"),
        ("[" * 100_000, "very deep"),
    ],
)
def test_what_is_no_json_is_located(text: str, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        texts.json_value(text)


def test_a_kind_of_json_is_asked_for() -> None:
    assert texts.json_list("[1]") == [1]
    with pytest.raises(Unreadable, match="array"):
        texts.json_list("{}")
    with pytest.raises(Unreadable, match="object"):
        texts.json_object("[]")


def test_a_local_moment_is_that_of_its_zone() -> None:
    assert texts.moment("2026-12-01T09:30", BERLIN) == datetime(2026, 12, 1, 8, 30, tzinfo=UTC)


def test_a_moment_that_the_clocks_skip_offers_both_neighbours() -> None:
    with pytest.raises(Unreadable, match=r"skip this time. Choose 01:30 CET or 03:30 CEST"):
        texts.moment("2027-03-28T02:30", BERLIN)


def test_a_moment_that_the_clocks_repeat_must_be_chosen() -> None:
    with pytest.raises(Repeated, match="twice"):
        texts.moment("2026-10-25T02:30", BERLIN)
    assert texts.moment("2026-10-25T02:30", BERLIN, "first") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert texts.moment("2026-10-25T02:30", BERLIN, "second") == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(("text", "zone"), [("tomorrow", BERLIN), ("2026-12-01T09:30", "Mars/Olympus")])
def test_what_is_no_moment_or_zone_is_refused(text: str, zone: str) -> None:
    with pytest.raises(Unreadable):
        texts.moment(text, zone)


def test_a_mask_that_stays_where_it_was_stands_for_the_secret() -> None:
    stored = {"token": "tok_1", "user": {"password": "x", "name": "ann"}, "list": [{"secret": "y"}]}
    shown = {"token": "•••", "user": {"password": "•••", "name": "ann"}, "list": [{"secret": "•••"}]}
    given = {"token": "•••", "user": {"password": "•••", "name": "ben"}, "list": [{"secret": "•••"}]}
    assert restored(given, shown, stored) == {
        "token": "tok_1", "user": {"password": "x", "name": "ben"}, "list": [{"secret": "y"}]
    }  # fmt: skip


@pytest.mark.parametrize("given", [{"name": "•••"}, {"token": ["•••"]}, ["•••"], {"new": "•••"}])
def test_a_mask_that_was_moved_is_refused(given: object) -> None:
    with pytest.raises(Unreadable, match="stands for a secret"):
        restored(given, {"token": "•••", "name": "ann"}, {"token": "tok_1", "name": "ann"})


def test_json_is_edited_without_characters_that_hide_or_turn_it() -> None:
    assert editable({"a": "x\u202ey"}) == r'{"a": "x\u202ey"}'
    assert editable("\U000e0041") == r'"\udb40\udc41"'
    assert editable("\ud800") == r'"\ud800"'
    assert editable({"text": "ä" * 80}).count("\n") == 2


def test_the_changes_of_a_zones_clocks_are_found_to_the_second() -> None:
    zone = texts.zone("Australia/Lord_Howe")
    found = list(clock_changes(zone, datetime(2026, 11, 27, 22, 0, 0, 5, tzinfo=UTC)))
    assert found == [
        (datetime(2027, 4, 3, 15, 0, tzinfo=UTC), timedelta(minutes=-30)),
        (datetime(2027, 10, 2, 15, 30, tzinfo=UTC), timedelta(minutes=30)),
    ]
    assert list(clock_changes(texts.zone("Asia/Kolkata"), datetime(2026, 1, 1, tzinfo=UTC))) == []
