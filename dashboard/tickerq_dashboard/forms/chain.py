"""The chain of a form: fields named by their path, as ``children.0.children.2.function``."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MOST_LEVELS = 99
_FIELD = re.compile(rf"((?:children\.\d{{1,6}}\.){{1,{MOST_LEVELS}}})([a-z_]+)")
_NUMBER = re.compile(r"\d+")
Path = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A child with those below it; ``path`` is how the names of its fields begin."""

    path: str
    number: str
    children: "tuple[Branch, ...]" = ()

    @property
    def size(self) -> int:
        """How many there are, this one counted."""
        return 1 + sum(each.size for each in self.children)


def branches_of(texts: Mapping[str, str]) -> tuple[Branch, ...]:
    """Return the chain whose fields a form has."""
    return _below((), _children({path for path, _, _ in _child_fields(texts)}))


def branches_at(texts: Mapping[str, str], prefix: str) -> tuple[Branch, ...]:
    """Return the children of the parent whose fields have this prefix."""
    parent = _path_in(prefix)
    return _below(parent, _children({path for path, _, _ in _child_fields(texts)}))


def renumbered(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the same texts with the children of each parent counted from 0, without a gap."""
    fields = list(_child_fields(texts))
    children = _children({path for path, _, _ in fields})
    place = {path: at for below in children.values() for at, path in enumerate(below)}
    kept = {name: text for name, text in texts.items() if not name.startswith("children.")}
    for path, leaf, text in fields:
        now = tuple(place[path[: depth + 1]] for depth in range(len(path)))
        kept[prefix_of(now) + leaf] = text
    return kept


def with_child(texts: Mapping[str, str], below: str) -> dict[str, str]:
    """Return the texts with one more child, empty, at the end of those of the parent with this prefix."""
    parent = _path_in(below)
    at = sum(1 for path in _all_paths(texts) if path[:-1] == parent)
    return {**texts, f"{prefix_of((*parent, at))}function": ""}


def without_child(texts: Mapping[str, str], path: str) -> dict[str, str]:
    """Return the texts without a child and all below it."""
    return renumbered({name: text for name, text in texts.items() if not path or not name.startswith(path)})


def prefix_of(path: Path) -> str:
    """Return how the names of a child's fields begin."""
    return "".join(f"children.{at}." for at in path)


def _path_in(prefix: str) -> Path:
    return tuple(int(each) for each in _NUMBER.findall(prefix))


def _child_fields(texts: Mapping[str, str]) -> Iterator[tuple[Path, str, str]]:
    for name, text in texts.items():
        found = _FIELD.fullmatch(name)
        if found is not None:
            yield _path_in(found[1]), found[2], text


def _all_paths(texts: Mapping[str, str]) -> set[Path]:
    return {path[:depth] for path, _, _ in _child_fields(texts) for depth in range(1, len(path) + 1)}


def _children(paths: set[Path]) -> dict[Path, list[Path]]:
    """Return the children of each parent in their order; a parent may have no field of its own."""
    found: dict[Path, list[Path]] = {}
    for each in sorted({path[:depth] for path in paths for depth in range(1, len(path) + 1)}):
        found.setdefault(each[:-1], []).append(each)
    return found


def _below(parent: Path, children: Mapping[Path, list[Path]]) -> tuple[Branch, ...]:
    return tuple(
        Branch(
            path=prefix_of(path),
            number=".".join(str(at + 1) for at in path),
            children=_below(path, children),
        )
        for path in children.get(parent, ())
    )
