"""The attempts of a run on one line of time: dots waited, solid ran, dashed is not made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tickerq_dashboard.show.charts.scale import px
from tickerq_dashboard.show.moments import Clock

WIDTH = 460.0
_LEAST = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One attempt; ``ended`` None runs still, ``started`` None is to come."""

    css: str
    due: datetime
    started: datetime | None
    ended: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How an attempt is drawn: a dotted line, then a rectangle."""

    css: str
    wait_from: str
    wait_to: str
    x: str
    width: str
    is_to_come: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Gantt:
    """The rows, and the moments above them with their places in per cent."""

    rows: tuple[Row, ...]
    marks: tuple[tuple[str, str], ...]


def gantt_of(spans: Sequence[Span], clock: Clock) -> Gantt:
    """Return the rows of attempts, the first one first."""
    since = min(span.due if span.started is None else min(span.due, span.started) for span in spans)
    until = max(
        [span.ended or span.started or span.due for span in spans]
        + ([clock.now] if any(_runs(each) for each in spans) else [])
    )
    whole = max(until - since, timedelta(milliseconds=1))

    def at(moment: datetime) -> float:
        return (moment - since) / whole * (WIDTH - 16)

    rows = []
    for span in spans:
        start = span.due if span.started is None else span.started
        end = start if span.started is None else (span.ended or clock.now)
        x = at(start)
        rows.append(
            Row(
                css=span.css,
                wait_from=px(at(min(span.due, start))),
                wait_to=px(x),
                x=px(x),
                width=px(14.0 if span.started is None else max(_LEAST, at(end) - x)),
                is_to_come=span.started is None,
            )
        )
    marks = [(px(part * (WIDTH - 16) / 4), clock.short(since + whole * part / 4)) for part in range(4)]
    return Gantt(rows=tuple(rows), marks=tuple(marks))


def _runs(span: Span) -> bool:
    return span.started is not None and span.ended is None
