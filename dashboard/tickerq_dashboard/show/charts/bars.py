"""Bars of what ended: done or published above the line, the rest below it, on a scale of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tickerq_dashboard.show.charts.scale import px, round_top, ticks
from tickerq_dashboard.show.moments import Clock

UP = ("done", "due-done", "published")
DOWN = ("failed", "cancelled", "skipped")
KINDS = (*UP, *DOWN)
_GAP, _LEAST = 3.0, 2.0
_LEFT, _TOP = 40.0, 6.0
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_LENGTHS = ((_DAY, "day"), (_HOUR, "hour"), (timedelta(minutes=1), "minute"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What ended from one moment up to another, by the ``css`` of its status."""

    since: datetime
    until: datetime
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A rectangle."""

    css: str
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """The bars of one step, the area that a pointer hits, and what they say."""

    step: Step
    x: str
    width: str
    bars: tuple[Bar, ...]
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A text; ``anchor`` is that of SVG. ``line`` draws a dotted line above it."""

    x: str
    y: str
    text: str
    anchor: str = "middle"
    css: str = ""
    line: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BarChart:
    """All that the template draws; ``each`` says how long a step is: "each half hour"."""

    name: str
    each: str
    width: int
    height: int
    left: str
    right: str
    top: str
    bottom: str
    columns: tuple[Column, ...]
    grid: tuple[str, ...]
    zero: str
    labels: tuple[Label, ...]


def bar_chart(name: str, steps: Sequence[Step], clock: Clock, *, width: int, height: int) -> BarChart:
    """Return the chart of steps that follow one another, drawn for a width in pixels."""
    up = round_top(max((sum(each.counts.get(kind, 0) for kind in UP) for each in steps), default=0))
    down = round_top(max((sum(each.counts.get(kind, 0) for kind in DOWN) for each in steps), default=0))
    # A quarter of the height is for what is below the line.
    above = (height - _TOP - 24) * 0.72
    zero, bottom = _TOP + above, height - 20.0
    below = bottom - zero - 4
    wide = (width - _LEFT - 1) / max(1, len(steps))
    columns = _columns(steps, clock, wide, (zero, above / up, below / down))
    half = zero - above / 2
    labels = [
        Label(x=px(_LEFT - 8), y=px(_TOP + 4), text=f"{up:,}", anchor="end"),
        Label(x=px(_LEFT - 8), y=px(half + 4), text=f"{up // 2:,}", anchor="end"),
        Label(x=px(_LEFT - 8), y=px(zero + 4), text="0", anchor="end"),
        Label(x=px(_LEFT - 8), y=px(bottom + 4), text=f"{down:,}", anchor="end"),
        *_times(steps, clock, wide, width, height),
    ]
    return BarChart(
        name=name,
        each=each_words(steps[0].until - steps[0].since) if steps else "",
        width=width,
        height=height,
        left=px(_LEFT),
        right=px(width - 1),
        top=px(_TOP),
        bottom=px(bottom),
        columns=tuple(columns),
        grid=(px(_TOP), px(half), px(bottom)),
        zero=px(zero),
        labels=tuple(labels),
    )


def each_words(step: timedelta) -> str:
    """Return how long the steps of a series are: "each half hour", "each 4 hours", "each day of UTC"."""
    if step == _HOUR / 2:
        return "each half hour"
    size, noun = next(each for each in _LENGTHS if step >= each[0])
    count = step // size
    words = f"each {noun}" if count == 1 else f"each {count} {noun}s"
    return f"{words} of UTC" if size == _DAY else words


def _columns(
    steps: Sequence[Step], clock: Clock, wide: float, scale: tuple[float, float, float]
) -> list[Column]:
    return [
        Column(
            step=step,
            x=px(_LEFT + at * wide),
            width=px(wide),
            bars=tuple(_bars(step, _LEFT + at * wide + _GAP / 2, max(1.0, wide - _GAP), scale)),
            title=title_of(step, clock),
        )
        for at, step in enumerate(steps)
    ]


def title_of(step: Step, clock: Clock) -> str:
    """Return what a column says: its window, and what ended in it."""
    since, until = clock.local(step.since), clock.local(step.until)
    window = (
        f"{since:%H:%M} to {until:%H:%M}"
        if step.until - step.since < timedelta(days=1)
        else f"{since:%a %d %b}"
    )
    said = ", ".join(
        f"{step.counts[kind]:,} {kind.replace('-', ' ').replace('due done', 'done late')}"
        for kind in KINDS
        if step.counts.get(kind)
    )
    return f"{window}: {said or 'nothing ended'}"


def _bars(step: Step, x: float, wide: float, scale: tuple[float, float, float]) -> list[Bar]:
    zero, up, down = scale
    drawn, y = [], zero
    for kind in UP:
        count = step.counts.get(kind, 0)
        if count:
            height = max(1.5, count * up)
            y -= height
            drawn.append(Bar(css=kind, x=px(x), y=px(y), width=px(wide), height=px(height)))
    y = zero + 4
    for kind in DOWN:
        count = step.counts.get(kind, 0)
        if count:
            height = max(_LEAST, count * down)
            drawn.append(Bar(css=kind, x=px(x), y=px(y), width=px(wide), height=px(height)))
            y += height
    return drawn


def _times(steps: Sequence[Step], clock: Clock, wide: float, width: int, height: int) -> list[Label]:
    if not steps:
        return []
    since, until = clock.local(steps[0].since), clock.local(steps[-1].until)
    scale = (width - _LEFT - 1) / (until - since).total_seconds()
    labels = []
    for at in ticks(since, until, 8 if width > 600 else 4):
        x = _LEFT + (at - since).total_seconds() * scale
        is_day = (at.hour, at.minute) == (0, 0)
        if x < width - 92 and x > _LEFT + 12:
            labels.append(
                Label(
                    x=px(x), y=px(height - 4), text=f"{at:%a %d %b}" if is_day else f"{at:%H:%M}", line=is_day
                )
            )
    return [
        *labels,
        Label(
            x=px(width - 1),
            y=px(height - 4),
            text=f"now {clock.local(clock.now):%H:%M}",
            anchor="end",
            css="now",
        ),
    ]
