"""A chain as a tree from left to right: a box for each run, a line from its parent to each."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from tickerq_dashboard.show.charts.scale import px

# Four levels fit beside the side bar at 1280.
WIDTH, HEIGHT = 208, 78
MOST_DRAWN = 60
_ASIDE, _BELOW = 32.0, 16.0
# Room for the second edge of the box that is "here".
_MARGIN = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A run of a chain, ``depth`` levels below the head; the head has no ``parent_id``."""

    id: UUID
    parent_id: UUID | None
    depth: int
    has_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Where the upper left corner of a run's box lies."""

    x: str
    y: str
    is_dashed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What joins a box to that of its parent."""

    path: str
    is_dashed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainChart:
    """The boxes in the order of their nodes, and the lines between them."""

    width: str
    height: str
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    box_width: int = WIDTH
    box_height: int = HEIGHT


def chain_chart(nodes: Sequence[Node]) -> ChainChart | None:
    """Return the drawing of a chain whose every node stands after its parent, and before its next sibling.

    None of more than ``MOST_DRAWN`` nodes: a list is read faster.
    """
    if not 0 < len(nodes) <= MOST_DRAWN:
        return None
    tops = _tops(nodes)
    lefts = {each.id: _MARGIN + each.depth * (WIDTH + _ASIDE) for each in nodes}
    lines = [
        Line(
            path=_path(lefts[each.parent_id] + WIDTH, tops[each.parent_id], lefts[each.id], tops[each.id]),
            is_dashed=not each.has_run,
        )
        for each in nodes
        if each.parent_id in tops
    ]
    return ChainChart(
        width=px(max(lefts.values()) + WIDTH + _MARGIN),
        height=px(max(tops.values()) + HEIGHT + _MARGIN),
        boxes=tuple(
            Box(x=px(lefts[each.id]), y=px(tops[each.id]), is_dashed=not each.has_run) for each in nodes
        ),
        lines=tuple(lines),
    )


def _tops(nodes: Sequence[Node]) -> dict[UUID, float]:
    """Return the upper edges: the ends of branches one below the other, a parent amid its children."""
    parents = {each.parent_id for each in nodes}
    below: dict[UUID | None, list[float]] = {}
    tops: dict[UUID, float] = {}
    free = _MARGIN
    for each in nodes:
        if each.id not in parents:
            tops[each.id] = free
            free += HEIGHT + _BELOW
    for each in reversed(nodes):
        if each.id in below:
            tops[each.id] = (below[each.id][0] + below[each.id][-1]) / 2
        below.setdefault(each.parent_id, []).append(tops[each.id])
    return tops


def _path(from_x: float, from_top: float, to_x: float, to_top: float) -> str:
    """Return a line with right angles between the middles of two boxes."""
    start, end, turn = from_top + HEIGHT / 2, to_top + HEIGHT / 2, (from_x + to_x) / 2
    return f"M{px(from_x)} {px(start)}H{px(turn)}V{px(end)}H{px(to_x)}"
