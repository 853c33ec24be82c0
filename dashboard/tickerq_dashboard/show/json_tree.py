"""A request as a tree of marks, which opens and closes without script."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tickerq_dashboard.show.visible import escaped

MOST_NODES, DEEPEST, LONGEST = 500, 24, 2_000
_ONE_LINE = 72
MASKED = "•••"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value below its key: ``kind`` is str, num, lit, masked, object or array, ``size`` what is in it."""

    key: str | None
    kind: str
    text: str = ""
    size: int = 0
    children: "tuple[Node, ...]" = ()


class _Budget:
    def __init__(self, nodes: int) -> None:
        self.left = nodes


def tree_of(value: Any, *, masked: str = MASKED) -> Node:
    """Return JSON as a tree of 500 values at most, so that the page of any request stays small."""
    return _node(None, value, masked, 0, _Budget(MOST_NODES))


def editable(value: object) -> str:
    """Return JSON as one edits it: short values on one line, and what hides or turns text as escapes."""
    line = json.dumps(value, ensure_ascii=False)
    return escaped(line if len(line) <= _ONE_LINE else json.dumps(value, ensure_ascii=False, indent=2))


def _node(key: str | None, value: Any, masked: str, depth: int, budget: _Budget) -> Node:
    budget.left -= 1
    if isinstance(value, Mapping):
        return _group(
            key, "object", [(str(name), each) for name, each in value.items()], masked, depth, budget
        )
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _group(key, "array", [(str(at), each) for at, each in enumerate(value)], masked, depth, budget)
    if value == masked:
        return Node(key=key, kind="masked", text="masked")
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
        return Node(
            key=key,
            kind="str",
            text=text if len(text) <= LONGEST else f'{text[:LONGEST]}\N{HORIZONTAL ELLIPSIS}"',
        )
    if value is None or isinstance(value, bool):
        return Node(key=key, kind="lit", text=json.dumps(value))
    text = str(value)
    return Node(
        key=key, kind="num", text=text if len(text) <= LONGEST else f"{text[:LONGEST]}\N{HORIZONTAL ELLIPSIS}"
    )


def _group(
    key: str | None, kind: str, items: Iterable[tuple[str, Any]], masked: str, depth: int, budget: _Budget
) -> Node:
    listed = list(items)
    children = []
    for name, each in listed if depth < DEEPEST else []:
        if budget.left <= 0:
            break
        children.append(_node(name, each, masked, depth + 1, budget))
    return Node(key=key, kind=kind, size=len(listed), children=tuple(children))
