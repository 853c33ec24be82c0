"""Charts within a line: outcomes whose height tells as well as their colour, and how a number went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from tickerq_dashboard.show.charts.scale import px
from tickerq_dashboard.show.statuses import Executed, look_of

MOST = 20
_WIDTH, _GAP = 5.0, 2.0
# As the style sheet has them: a line as thick as that, dashed into outcomes.
_HEIGHTS = {
    "done": 10.0,
    "due-done": 10.0,
    "failed": 16.0,
    "cancelled": 6.0,
    "skipped": 4.0,
    "published": 8.0,
}
LOWEST = 16.0
_SPARK_WIDTH, _SPARK_HEIGHT = 44.0, 16.0
_BARS_WIDTH = 56.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """Outcomes, the newest at the right, and the sentence that says the same.

    ``paths`` has thick dashed lines for each look, one for all outcomes in a row that have it: a shape for
    each outcome would be half of a list's page.
    """

    paths: Mapping[str, str]
    said: str


def strip_of(outcomes: Sequence[Executed]) -> Strip:
    """Return the strip of up to 20 outcomes, the newest last."""
    shown = [look_of(each) for each in outcomes[-MOST:]]
    first = MOST - len(shown)
    paths: dict[str, str] = {}
    ends: dict[str, float] = {}
    for css, row in groupby(enumerate(shown, first), key=lambda each: each[1].css):
        places = [at for at, _ in row]
        start, length = places[0] * (_WIDTH + _GAP), len(places) * (_WIDTH + _GAP) - _GAP
        if css in paths:
            paths[css] += f"m{px(start - ends[css])} 0h{px(length)}"
        else:
            paths[css] = f"M{px(start)} {px(LOWEST - _HEIGHTS.get(css, 8.0) / 2)}h{px(length)}"
        ends[css] = start + length
    words = [look.word for look in shown]
    counted = ", ".join(f"{words.count(word)} {word.lower()}" for word in dict.fromkeys(words))
    return Strip(paths=paths, said=counted or "none has ended")


def spark_bars(counts: Sequence[int]) -> str:
    """Return the path of a bar for each count that is not zero, the newest at the right."""
    top = max(counts, default=0)
    step = _BARS_WIDTH / max(1, len(counts))
    return "".join(
        f"M{px((at + 0.5) * step)} {px(_SPARK_HEIGHT)}v-{px(max(2.0, count / top * _SPARK_HEIGHT))}"
        for at, count in enumerate(counts)
        if count
    )


def spark_path(values: Sequence[float]) -> str:
    """Return the path of a line through values, the newest at the right; empty of fewer than two."""
    if len(values) < 2:
        return ""
    top = max(values) or 1.0
    step = _SPARK_WIDTH / (len(values) - 1)
    points = (
        f"{px(at * step)} {px(_SPARK_HEIGHT - 1.5 - value / top * (_SPARK_HEIGHT - 3))}"
        for at, value in enumerate(values)
    )
    return "M" + "L".join(points)
