"""Read the pages of the documentation: their sections, tables and blocks of code."""

import re
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
# How a block of the documentation names the file that it is.
FILE_NAME = re.compile(r"# (?P<name>\w+\.py)\n")


def text_of(document: str) -> str:
    return (ROOT / document).read_text()


def blocks(document: str) -> list[str]:
    """Return the text of each block of code, in their order."""
    return [found["text"] for found in BLOCK.finditer(text_of(document))]


def section(document: str, heading: str) -> str:
    """Return what stands below a heading, up to the next of any level."""
    _, found, rest = f"\n{text_of(document)}".partition(f"\n{heading}\n")
    assert found, f"{document} has no {heading!r}"
    return re.split(r"^#+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def table(text: str) -> list[list[str]]:
    """Return the cells of the rows of the tables in ``text``, without their heads."""
    rows = [line.strip().strip("|") for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in row.split("|")] for row in rows]
    heads = [row for row, following in pairwise(cells) if is_rule(following)]
    return [row for row in cells if not is_rule(row) and row not in heads]


def names(cells: list[str]) -> list[str]:
    """Return the names that stand in cells as code."""
    return [name for cell in cells for name in re.findall(r"`([\w.-]+)`", cell)]


def is_rule(row: list[str]) -> bool:
    return set("".join(row)) <= {"-"}
