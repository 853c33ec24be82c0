"""The attempts of a run on one axis of time: to scale, or with long waits cut for a short attempt."""

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerq_dashboard.show.charts.gantt import SHORTEST, WIDTH, Axis, Gantt, Span, axis_of, gantt_of
from tickerq_dashboard.show.moments import Clock

NOW = datetime(2026, 11, 26, 14, 4, 12, tzinfo=UTC)
BERLIN = Clock(now=NOW, zone=ZoneInfo("Europe/Berlin"), name="Europe/Berlin")
# In seconds: from less than any attempt takes to more than any wait lasts.
LENGTHS = st.one_of(
    st.floats(min_value=0.001, max_value=60),
    st.sampled_from([0.001, 1.0, 30.0, 60.0, 3_600.0, 36_000.0, 10 * 86_400.0]),
)
CLOSE = pytest.approx


def seconds(length: float) -> timedelta:
    return timedelta(seconds=length)


def attempts_of(*lengths: float, to_come: tuple[float, ...] = ()) -> list[Span]:
    """Attempts from the lengths of a wait, of the run after it, of the next wait, up to now."""
    pairs = list(zip(lengths[::2], lengths[1::2], strict=True))
    at = NOW - seconds(sum(lengths))
    spans = []
    for wait, ran in pairs:
        started = at + seconds(wait)
        spans.append(Span(css="failed", due=at, started=started, ended=started + seconds(ran)))
        at = started + seconds(ran)
    for wait in to_come:
        at += seconds(wait)
        spans.append(Span(css="idle", due=at, started=None, ended=None))
    return spans


def drawn(axis: Axis, begin: datetime, end: datetime) -> float:
    """How long a stretch of time is drawn."""
    return axis.at(end) - axis.at(begin)


def runs_of(axis: Axis, spans: list[Span]) -> list[tuple[float, float]]:
    """How long each attempt ran, and how long that is drawn."""
    return [
        ((each.ended - each.started).total_seconds(), drawn(axis, each.started, each.ended))
        for each in spans
        if each.started is not None and each.ended is not None
    ]


def waits_of(axis: Axis, spans: list[Span]) -> list[tuple[float, float]]:
    """How long each attempt waited, and how long that is drawn."""
    return [
        ((each.started - each.due).total_seconds(), drawn(axis, each.due, each.started))
        for each in spans
        if each.started is not None and each.started > each.due
    ]


def numbers(shares: tuple[str, ...]) -> list[float]:
    return [float(each.removesuffix("%")) for each in shares]


def test_an_attempt_that_runs_reaches_up_to_now() -> None:
    spans = [
        *attempts_of(0, 60, 60, 120)[:1],
        Span(css="in-progress", due=NOW - seconds(180), started=NOW - seconds(120), ended=None),
    ]
    rows = gantt_of(spans, BERLIN).rows
    assert [(row.x, row.width) for row in rows] == [("0%", "24.2%"), ("48.5%", "48.5%")]
    assert (rows[1].wait_from, rows[1].wait_to) == ("24.2%", "48.5%")


def test_of_waits_that_are_not_long_none_is_cut() -> None:
    spans = attempts_of(0, 30, 50, 30, 50, 30, 50, 30)
    assert gantt_of(spans, BERLIN).cuts == ()
    axis = axis_of(spans, NOW)
    assert [length for _, length in runs_of(axis, spans)] == CLOSE([30 / 270 * WIDTH] * 4)


def test_a_short_attempt_is_seen_after_a_late_retry() -> None:
    spans = attempts_of(0, 30, 60, 2, 36_000, 2)
    found = gantt_of(spans, BERLIN)
    assert numbers(tuple(row.width for row in found.rows)) == CLOSE([2.0 * 15, 2.0, 2.0], abs=0.1)
    # The wait of a minute is cut as well, but is drawn no shorter than the run that is half as long.
    assert len(found.cuts) == 2
    assert "+10\u202fh" in [each.text for each in found.labels]


def test_of_attempts_that_last_long_waits_keep_half_of_the_width() -> None:
    spans = attempts_of(0, 3_600, 86_400, 0.001)
    axis = axis_of(spans, NOW)
    assert drawn(axis, spans[0].due, spans[0].ended or NOW) == CLOSE(WIDTH / 2, abs=0.01)
    [row, last] = gantt_of(spans, BERLIN).rows
    # One of a millisecond beside one of an hour is a line.
    assert (row.width, last.width) == ("48.5%", "1.2%")


def test_attempts_to_come_that_no_other_has_gone_before_are_to_scale() -> None:
    spans = attempts_of(to_come=(0, 60, 300))
    found = gantt_of(spans, BERLIN)
    assert [row.x for row in found.rows] == ["0%", "16.2%", "97%"]
    assert [row.is_to_come for row in found.rows] == [True] * 3
    assert found.cuts == ()


def test_one_attempt_that_took_no_time_is_drawn() -> None:
    [row] = gantt_of(attempts_of(0, 0), BERLIN).rows
    assert (row.x, row.width) == ("0%", "1.2%")


def test_clocks_that_differ_draw_no_attempt_backwards() -> None:
    late = NOW + seconds(3)
    for ended in (None, NOW):
        [row] = gantt_of([Span(css="failed", due=NOW, started=late, ended=ended)], BERLIN).rows
        assert float(row.width.removesuffix("%")) > 0


def test_labels_say_when_attempts_began_and_what_is_cut() -> None:
    found = gantt_of(attempts_of(0, 30, 36_000, 30), BERLIN)
    assert [(each.text, each.anchor) for each in found.labels] == [
        ("05:03:12", "start"),
        ("+10\u202fh", "middle"),
        ("15:03:42", "end"),
    ]


@st.composite
def histories(draw: st.DrawFn) -> list[Span]:
    made = draw(st.lists(st.tuples(LENGTHS, LENGTHS), max_size=12))
    to_come = draw(st.lists(LENGTHS, min_size=0 if made else 1, max_size=3))
    first, *others = [length for both in made for length in both] or [None]
    lengths = () if first is None else (draw(st.sampled_from([0.0, first])), *others)
    return attempts_of(*lengths, to_come=tuple(to_come))


@given(histories())
def test_what_comes_later_stands_further_right_and_all_of_it_on_the_page(spans: list[Span]) -> None:
    axis = axis_of(spans, NOW)
    assert list(axis.places) == sorted(axis.places)
    assert axis.places[0] == 0
    assert axis.places[-1] <= WIDTH + 0.001
    for row in gantt_of(spans, BERLIN).rows:
        x, width = numbers((row.x, row.width))
        assert 0 <= x <= WIDTH
        assert width > 1
        assert x + width <= 100.1


@given(histories())
def test_runs_are_drawn_to_one_scale_and_so_are_the_waits_that_are_not_cut(spans: list[Span]) -> None:
    axis = axis_of(spans, NOW)
    runs, waits = runs_of(axis, spans), waits_of(axis, spans)
    if not runs:
        return
    length, share = max(runs)
    for other, drawn_so in runs:
        assert drawn_so == CLOSE(other * share / length, rel=1e-3, abs=1e-3)
    for wait, drawn_so in waits:
        assert drawn_so <= wait * share / length * 1.001 + 1e-3


@given(histories())
def test_no_longer_wait_is_drawn_shorter_and_only_the_longest_are_cut(spans: list[Span]) -> None:
    axis = axis_of(spans, NOW)
    waits = sorted(waits_of(axis, spans))
    for (_, shorter), (_, longer) in itertools.pairwise(waits):
        assert longer >= shorter - 1e-3
    cut = {length.total_seconds() for _, length in axis.cuts}
    assert all(wait <= min(cut, default=wait) + 1e-3 for wait, _ in waits if wait not in cut)


@given(histories())
def test_the_shortest_attempt_is_seen_or_the_runs_have_half_of_the_width(spans: list[Span]) -> None:
    axis = axis_of(spans, NOW)
    runs = runs_of(axis, spans)
    has_cuts = bool(axis.cuts)
    if runs and has_cuts:
        assert min(runs)[1] >= SHORTEST - 0.01 or sum(share for _, share in runs) >= WIDTH / 2 - 0.01


@given(histories())
def test_no_label_lies_over_another(spans: list[Span]) -> None:
    found = gantt_of(spans, BERLIN)
    assert found.labels[0].css == ""
    _apart(found, "wide", letter=1.9)
    _apart(found, "", letter=4.6)


def _apart(found: Gantt, css: str, *, letter: float) -> None:
    """Assert that the labels of wide pages, or those of narrow ones, stand beside each other."""
    ends = []
    for each in found.labels:
        if css == "wide" or each.css == "":
            width = len(each.text) * letter
            left = (
                float(each.x.removesuffix("%")) - {"start": 0, "middle": width / 2, "end": width}[each.anchor]
            )
            ends.append((left, left + width))
    ends.sort()
    assert all(end <= begin + 0.1 for (_, end), (begin, _) in itertools.pairwise(ends))
