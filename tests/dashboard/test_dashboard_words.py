"""The words of the pages: said as a person says them, and a label that several pages have stands once."""

import ast
from collections.abc import Iterator
from pathlib import Path

import tickerq_dashboard

ROOM = Path(tickerq_dashboard.__file__).parent
# Each was on a page, and sounded as if it had been translated.
TRANSLATED = (
    "Those that ", "Of those that", "those that are ticked", "To, without it", "a batch at a time",
    "begin so", "is not there any more", "What passed in the pause", "nothing of it run", "None names it",
    "What a request must be", "What it must be", "Your role does not show", "is no filter", "This is no JSON",
    "of both", "as you have seen", "What is to run was", "looked for by its kind", "nothing as a whole",
)  # fmt: skip
OF_SEVERAL_PAGES = (
    "kept in the audit", "shown wherever the pause is", "No example of a payload", "Done late",
)  # fmt: skip


def texts() -> Iterator[str]:
    """Give the templates, and the texts that code has, without what is said to who reads it."""
    yield from (each.read_text("utf-8") for each in (ROOM / "templates").rglob("*.html"))
    for room in (ROOM, ROOM / "actions", ROOM / "forms", ROOM / "pages", ROOM / "reading", ROOM / "show"):
        for each in room.glob("*.py"):
            yield from _said_in(ast.parse(each.read_text("utf-8")))


def _said_in(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if (
            isinstance(child, ast.Constant)
            and isinstance(child.value, str)
            and not isinstance(node, ast.Expr)
        ):
            yield child.value
        yield from _said_in(child)


def test_no_page_says_what_sounds_translated_and_a_label_of_several_pages_stands_once() -> None:
    said = "\n".join(texts())
    assert [each for each in TRANSLATED if each in said] == []
    assert {each: said.count(each) for each in OF_SEVERAL_PAGES} == dict.fromkeys(OF_SEVERAL_PAGES, 1)
