"""How values look: spans, moments, marks, frames, trees and charts."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerq_celery.wording import exactly, in_units
from tickerq_dashboard.show.charts.bars import Step, bar_chart
from tickerq_dashboard.show.charts.scale import round_top
from tickerq_dashboard.show.charts.strip import spark_path
from tickerq_dashboard.show.durations import age, duration, exact
from tickerq_dashboard.show.frames import frames_in, own_frames
from tickerq_dashboard.show.json_tree import MOST_NODES, Node, tree_of
from tickerq_dashboard.show.moments import Clock, machine, zone_named
from tickerq_dashboard.show.visible import one_line, plain, visible
from tickerq_dashboard.show.words import intervals, name_of

NOW = datetime(2026, 11, 26, 14, 4, 12, tzinfo=UTC)
BERLIN = Clock(now=NOW, zone=ZoneInfo("Europe/Berlin"), name="Europe/Berlin")
THIN = "\u202f"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (0.0004, "< 1 ms"),
        (0.088, "88 ms"),
        (0.4, "400 ms"),
        (0.9996, "1 s"),
        (18.2, "18.2 s"),
        (59.96, "1 min"),
        (84, "1 min 24 s"),
        (10_080, "2 h 48 min"),
        (86_700, "1 d"),
        (90_000, "1 d 1 h"),
    ],
)
def test_a_span_has_two_units_at_most(seconds: float, text: str) -> None:
    assert duration(timedelta(seconds=seconds)).replace(THIN, " ") == text


@given(st.timedeltas(min_value=timedelta(seconds=-1), max_value=timedelta(days=9_999)))
def test_pages_write_spans_as_the_core_does(span: timedelta) -> None:
    assert duration(span).replace(THIN, " ") == in_units(span)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=9_999)))
def test_pages_write_what_was_set_as_the_core_does(span: timedelta) -> None:
    assert exact(span) == exactly(span)


def test_nothing_of_what_was_set_is_rounded_off() -> None:
    every = timedelta(days=1, hours=2, minutes=30, milliseconds=40)
    assert exactly(every) == intervals([every]) == "1 d 2 h 30 min 0.04 s"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.9, "0 s"), (119, "1 min 59 s"), (179, "2 min"), (5400, "1 h 30 min"), (8808, "2 h 26 min")],
)
def test_an_age_is_without_seconds_from_two_minutes_on(seconds: float, text: str) -> None:
    assert age(timedelta(seconds=seconds)).replace(THIN, " ") == text


@pytest.mark.parametrize(
    ("ago", "short", "cell"),
    [
        (timedelta(seconds=26), "15:03:46", "15:03:46"),
        (timedelta(days=1, hours=21), "Tue 18:04", "Tue 18:04"),
        (timedelta(days=14), "2026-11-12 15:04", "2026-11-12"),
    ],
)
def test_a_moment_is_shown_by_how_far_off_it_is(ago: timedelta, short: str, cell: str) -> None:
    assert BERLIN.short(NOW - ago) == short
    assert BERLIN.cell(NOW - ago) == cell
    assert machine(NOW - ago).endswith("Z")


def test_the_clock_tells_its_zone_also_over_a_change_of_the_clocks() -> None:
    summer = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert BERLIN.whole(summer) == "2026-07-01 14:00:00 CEST"
    assert BERLIN.whole(NOW) == "2026-11-26 15:04:12 CET"
    assert (
        BERLIN.localised("silent since 2026-11-26 14:02:48Z, by ann") == "silent since 15:02:48 CET, by ann"
    )
    assert zone_named("../../etc/passwd") == (UTC, "UTC")


def test_characters_that_turn_or_hide_text_are_marks() -> None:
    shown = visible("pay\u202ereversed\u200b<b>")
    assert shown == (
        'pay<span class="odd" title="right-to-left override">U+202E</span>reversed'
        '<span class="odd" title="zero width space">U+200B</span>&lt;b&gt;'
    )
    assert one_line("a\nb\r\nc") == "a \u21b5 b \u21b5 c"
    assert plain("x\u202ey") == "x<U+202E>y"
    assert visible("\ud800") == "\\ud800"
    assert visible("abcdef", 3) == "abc\u2026"
    assert visible("Müller 日本 🎉") == "Müller 日本 🎉"


def test_frames_are_the_application_s_where_there_are_some() -> None:
    trace = (
        "Traceback (most recent call last):\n"
        '  File "/srv/a.py", line 1, in first\n    one()\n'
        "ValueError: x\n\nDuring handling of the above exception, another exception occurred:\n\n"
        "Traceback (most recent call last):\n"
        '  File "/usr/lib/python3/site-packages/celery/trace.py", line 9, in trace\n    fun()\n'
        '  File "/srv/shop/b.py", line 2, in second\n    two()\n    ^^^^^\n'
        "KeyError: y\n"
    )
    assert [each.name for each in frames_in(trace)] == ["trace", "second"]
    assert [(each.place, each.code) for each in own_frames(trace)] == [("shop/b.py:2", "two()")]
    assert own_frames("no traceback at all") == []


def test_a_tree_of_json_is_bounded_and_keeps_what_is_masked() -> None:
    tree = tree_of({"a": [1, None, "x"], "token": "•••"})
    assert [(each.key, each.kind) for each in tree.children] == [("a", "array"), ("token", "masked")]
    assert [each.kind for each in tree.children[0].children] == ["num", "lit", "str"]
    many = tree_of([[0] * 100 for _ in range(100)])

    def count(node: Node) -> int:
        return 1 + sum(map(count, node.children))

    assert count(many) <= MOST_NODES + 1
    assert many.size == 100
    deep: object = 0
    for _ in range(200):
        deep = [deep]
    assert count(tree_of(deep)) < 30


@pytest.mark.parametrize(
    ("value", "top"),
    [(0, 2), (2, 2), (3, 4), (7, 8), (31, 40), (99, 100), (133, 200), (386, 400), (4001, 5000)],
)
def test_an_axis_ends_at_a_round_number_that_divides_by_two(value: int, top: int) -> None:
    assert round_top(value) == top


def test_one_failure_among_ten_thousand_is_seen() -> None:
    steps = [
        Step(
            since=NOW - timedelta(hours=2 - at),
            until=NOW - timedelta(hours=1 - at),
            counts={"done": 10_000, "failed": at},
        )
        for at in range(2)
    ]
    chart = bar_chart("wide", steps, BERLIN, width=1000, height=160)
    failed = [bar for column in chart.columns for bar in column.bars if bar.css == "failed"]
    assert len(failed) == 1
    assert float(failed[0].height) >= 2
    assert float(failed[0].y) > float(chart.zero)
    assert chart.columns[1].title == "14:04 to 15:04: 10,000 done, 1 failed"
    assert chart.labels[-1].text == "now 15:04"


def test_a_sparkline_needs_two_values() -> None:
    assert spark_path([1]) == ""
    assert spark_path([0, 1]) == "M0 14.5L44 1.5"


def test_the_last_part_of_a_name_stays_whole() -> None:
    assert name_of("billing.cards.charge_card") == ("billing.cards.", "charge_card")
    assert name_of("Send") == ("", "Send")
    assert name_of("odd.") == ("", "odd.")
