"""The walks in CONTRIBUTING.md: each call that they name exists in the file that they name."""

import ast
import re
from pathlib import Path

import pytest

import tickerq_celery

ROOT = Path(tickerq_celery.__file__).parent
PAGE = (ROOT.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
LONGEST_WALK = 12
CALL = re.compile(r"^\d+\. `(?P<file>[\w/]+\.py)`: `(?P<name>[\w.]+)`", re.MULTILINE)


def walks() -> dict[str, list[tuple[str, str]]]:
    """Return the steps of each walk, by its heading: file and qualified name."""
    section = PAGE.partition("\n## Three walks\n")[2].partition("\n## ")[0]
    parts = re.split(r"^### (.+)$", section, flags=re.MULTILINE)[1:]
    return {
        heading: [(found["file"], found["name"]) for found in CALL.finditer(text)]
        for heading, text in zip(parts[::2], parts[1::2], strict=True)
    }


WALKS = walks()
STEPS = sorted({step for steps in WALKS.values() for step in steps})


def test_there_are_three_walks_of_few_steps() -> None:
    assert len(WALKS) == 3
    assert all(0 < len(steps) <= LONGEST_WALK for steps in WALKS.values())


def test_each_line_of_a_walk_names_a_call() -> None:
    section = PAGE.partition("\n## Three walks\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if re.match(r"\d+\. ", line)]
    assert len(lines) == sum(len(steps) for steps in WALKS.values())


@pytest.mark.parametrize(("file", "name"), STEPS)
def test_each_call_of_the_walks_exists(file: str, name: str) -> None:
    scope: ast.AST = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    for part in name.split("."):
        inner = {each.name: each for each in ast.iter_child_nodes(scope) if hasattr(each, "name")}
        assert part in inner, f"{file} has no {name}"
        scope = inner[part]
