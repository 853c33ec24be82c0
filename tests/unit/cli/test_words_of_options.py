"""What options take, and how tables write durations."""

from datetime import UTC, datetime, timedelta

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerq_celery.cli import cells
from tickerq_celery.cli.words import Moment, Span, Word, span_in
from tickerq_celery.clock import SystemClock
from tickerq_celery.enums import TickerStatus

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SystemClock, "now", lambda self: NOW)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2h", NOW - timedelta(hours=2)),
        ("1h30m", NOW - timedelta(hours=1, minutes=30)),
        ("90", NOW - timedelta(seconds=90)),
        ("1.5d", NOW - timedelta(hours=36)),
        ("+2w", NOW + timedelta(weeks=2)),
        ("2026-01-14", datetime(2026, 1, 14, tzinfo=UTC)),
        ("2026-01-14T10:00", datetime(2026, 1, 14, 10, tzinfo=UTC)),
        ("2026-01-14T10:00Z", datetime(2026, 1, 14, 10, tzinfo=UTC)),
        ("2026-01-14T10:00+02:00", datetime(2026, 1, 14, 8, tzinfo=UTC)),
    ],
)
def test_a_moment_is_written_as_such_or_by_how_long_ago_it_was(text: str, moment: datetime) -> None:
    assert Moment().convert(text, None, None) == moment


@pytest.mark.parametrize("text", ["99999999d", "+99999999d"])
def test_a_duration_beyond_the_calendar_is_no_moment(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Moment().convert(text, None, None)


@pytest.mark.parametrize("text", ["", "soon", "2 h", "h", "1h-", "-2h", "2026-13-01", "²h", "9" * 400 + "d"])
def test_what_is_neither_a_moment_nor_a_duration_is_refused(text: str) -> None:
    for kind in (Moment(), Span()):
        with pytest.raises(click.BadParameter):
            kind.convert(text, None, None)


@given(st.text(alphabet="0123456789.smhdw +-:TZ", max_size=20))
def test_no_text_breaks_what_reads_moments(text: str) -> None:
    span = span_in(text)
    assert span is None or span >= timedelta(0)
    for kind in (Moment(), Span()):
        try:
            kind.convert(text, None, None)
        except click.BadParameter:
            continue


def test_a_word_is_taken_in_any_case_and_a_mistyped_one_is_guessed() -> None:
    statuses = Word(TickerStatus)
    for text in ("failed", "FAILED", "Failed"):
        assert statuses.convert(text, None, None) is TickerStatus.FAILED
    assert statuses.convert("InProgress", None, None) is TickerStatus.IN_PROGRESS
    with pytest.raises(click.BadParameter, match=r"'faild' is none of idle, .*: did you mean failed\?"):
        statuses.convert("faild", None, None)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (0, "0 s"),
        (0.0004, "< 1 ms"),
        (0.0314, "31 ms"),
        (0.9996, "1 s"),
        (2.44, "2.4 s"),
        (59.99, "1 min"),
        (60, "1 min"),
        (310, "5 min 10 s"),
        (3600, "1 h"),
        (12_000, "3 h 20 min"),
        (187_200, "2 d 4 h"),
        (172_800, "2 d"),
    ],
)
def test_a_duration_is_written_with_two_units_at_most(seconds: float, text: str) -> None:
    assert cells.duration(timedelta(seconds=seconds)) == text


def test_a_text_of_a_run_shows_its_moments_as_tables_do() -> None:
    recorded = "Missed: 2 instants from 2026-01-15T13:00:00+00:00 to 2026-01-15T14:00:00.500000+00:00"
    assert cells.reason(recorded) == "Missed: 2 instants from 2026-01-15 13:00:00Z to 2026-01-15 14:00:00Z"
    assert cells.reason(None) == ""
