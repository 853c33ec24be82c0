"""The charts, one a measure and the summary: on white, so that they can be read on light and dark pages."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from benchmarks.catalogue import MEASURES
from benchmarks.outcomes import Outcome
from benchmarks.page import ratios_of
from benchmarks.subjects import OURS, Measure
from benchmarks.summary import Figure, Key, Ratio, Spread, figures
from benchmarks.wording import named, number, value_with_unit

# Okabe and Ito's palette: distinct to all kinds of colour vision, and by lightness alone.
AHEAD, BEHIND, OTHERS = "#0072B2", "#D55E00", "#9AA0A6"
INK, GRID = "#1F2328", "#E4E7EA"
STYLE = {
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 10,
}
WIDTH, BAR_HEIGHT, MARGIN, DPI = 9.0, 0.34, 1.1, 110
# A linear axis would hide the short bars.
LOG_FROM = 20.0


def draw(outcomes: Sequence[Outcome], folder: Path) -> None:
    """Draw the chart of each measure that has figures, and the summary of all."""
    by_name = {each.measure: each for each in outcomes}
    known = [(measure, by_name[name]) for name, measure in MEASURES.items() if name in by_name]
    with mpl.rc_context(STYLE):
        for measure, outcome in known:
            found = [each for each in figures(outcome.rounds) if _is_charted(measure, each.key)]
            if found:
                _save(_measure_chart(measure, found), folder / f"{measure.name}.png")
        compared = [(measure.name, _charted(measure, outcome)) for measure, outcome in known]
        if any(ratios for _, ratios in compared):
            _save(_summary_chart(compared), folder / "summary.png")


def _charted(measure: Measure, outcome: Outcome) -> list[Ratio]:
    return [
        each
        for each in ratios_of(outcome)
        if each.other.subject not in measure.ceilings and _is_charted(measure, each.other)
    ]


def _is_charted(measure: Measure, key: Key) -> bool:
    return measure.charted in {None, key.quantity}


def _measure_chart(measure: Measure, found: Sequence[Figure]) -> plt.Figure:
    by_unit = [list(group) for _, group in groupby(sorted(found, key=_unit), key=_unit)]
    heights = [max(2, len(group)) for group in by_unit]
    size = (WIDTH, sum(heights) * BAR_HEIGHT + MARGIN * len(by_unit))
    figure, axes = plt.subplots(len(by_unit), 1, figsize=size, height_ratios=heights, squeeze=False)
    quantities = {each.key.quantity for each in found}
    for ax, group in zip(axes[:, 0], by_unit, strict=True):
        group.sort(key=lambda each: each.spread.median, reverse=not group[0].unit.more_is_better)
        labels = [_label(each, with_quantity=len(quantities) > 1) for each in group]
        colours = [AHEAD if each.key.subject == OURS else OTHERS for each in group]
        texts = [value_with_unit(each.spread.median, each.unit) for each in group]
        _bars(ax, labels, [each.spread for each in group], colours, texts)
        better = "more is better" if group[0].unit.more_is_better else "less is better"
        ax.set_xlabel(f"{group[0].unit}, {better}; the whisker is the least and the greatest of all rounds")
    axes[0, 0].set_title(measure.title, loc="left", weight="bold")
    return figure


def _summary_chart(groups: Sequence[tuple[str, Sequence[Ratio]]]) -> plt.Figure:
    labels, spreads = [], []
    for name, ratios in reversed(groups):
        for each in sorted(ratios, key=lambda one: one.spread.median):
            labels.append(f"{name}: {named(each.other)}")
            spreads.append(each.spread)
    figure, ax = plt.subplots(figsize=(WIDTH + 2, len(labels) * BAR_HEIGHT + MARGIN + 0.4))
    colours = [AHEAD if each.median >= 1 else BEHIND for each in spreads]
    _bars(ax, labels, spreads, colours, [f"{number(each.median)} ×" for each in spreads], start=1.0)
    ax.axvline(1.0, color=INK, linewidth=1)
    ax.set_xlabel("how many times as good as the peer; left of 1 the peer is ahead")
    ax.set_title(f"{OURS} beside each peer, in the same run", loc="left", weight="bold")
    return figure


def _bars(
    ax: Axes,
    labels: Sequence[str],
    spreads: Sequence[Spread],
    colours: Sequence[str],
    texts: Sequence[str],
    *,
    start: float = 0.0,
) -> None:
    values = [each.median for each in spreads]
    positive = [each for each in values if each > 0]
    is_log = start > 0 or (bool(positive) and max(positive) / min(positive) > LOG_FROM)
    rows = range(len(labels))
    below = [each.median - each.least for each in spreads]
    above = [each.most - each.median for each in spreads]
    if is_log:
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
        ax.grid(axis="x", color=GRID, linewidth=0.8)
        ax.set_axisbelow(True)
    if is_log and not start:
        # The length of a bar says nothing where the axis has no zero.
        ax.scatter(values, rows, color=colours, s=70, zorder=3)
    else:
        ax.barh(rows, [each - start for each in values], left=start, color=colours, height=0.7)
    ax.errorbar(
        values, rows, xerr=[below, above], fmt="none", ecolor=INK, elinewidth=1.2, capsize=3, zorder=4
    )
    for row, spread, text in zip(rows, spreads, texts, strict=True):
        ax.annotate(text, (max(spread.most, start), row), (7, 0), textcoords="offset points", va="center")
    ax.set_yticks(rows, labels)
    ax.set_ylim(-0.6, len(labels) - 0.4)
    ax.margins(x=0.16)


def _label(figure: Figure, *, with_quantity: bool) -> str:
    name = named(figure.key)
    return f"{name}, {figure.key.quantity}" if with_quantity else name


def _unit(figure: Figure) -> str:
    return figure.unit.value


def _save(figure: plt.Figure, path: Path) -> None:
    # Without the version of what drew it, so that the same figures make the same file.
    figure.savefig(path, dpi=DPI, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
