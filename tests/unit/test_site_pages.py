"""What the site makes of its pages: their order from the lists of indexes, links to what is no page."""

import posixpath
import re
from collections import Counter

import pytest
from site_markdown import below, contents, in_order, whole_text, with_files_named, with_order

from tests.pages import ROOT, text_of
from tests.public_names import public_names

DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md"))
INDEXES = [page for page in PAGES if posixpath.basename(page) == "index"]
INDEX = """# Start

Not in the order: [a word in a sentence](elsewhere.md).

* [What it is](what-it-is.md): two sentences, and [a link](cron.md) in them
* [Five minutes](how/five.md#begin)
* [A page of another folder](../concepts.md)
* [A site](https://example.com/page.md)

## Later

* [Last](last.md)
"""


def test_each_page_has_one_place_in_the_navigation() -> None:
    named = Counter(
        posixpath.normpath(posixpath.join(posixpath.dirname(index), page))
        for index in INDEXES
        for _, page in below(text_of(f"docs/{index}.md"))
    )
    assert named == Counter(page for page in PAGES if page != "index")


def test_each_public_module_has_a_page_of_what_its_docstrings_say() -> None:
    pages = [text_of(f"docs/{page}.md") for page in PAGES if page.startswith("reference/api/")]
    headings = [page.partition("\n")[0] for page in pages]
    assert {f"# `{module}`" for module in public_names()} <= {*headings}


def test_the_order_is_that_of_the_lists() -> None:
    assert below(INDEX) == [("What it is", "what-it-is"), ("Last", "last")]
    added = "```{toctree}\n:hidden:\n\nWhat it is <what-it-is>\nLast <last>\n```\n"
    assert with_order(INDEX) == f"{INDEX}\n{added}"


@pytest.mark.parametrize(
    ("repository", "named"),
    [
        ("", "The example (`examples/shop/README.md`), [cron](../cron.md)."),
        (
            "https://host/shop",
            "[The example](https://host/shop/blob/main/examples/shop/README.md#run), [cron](../cron.md).",
        ),
    ],
)
def test_a_file_that_is_no_page_is_named_or_looked_up_in_the_repository(repository: str, named: str) -> None:
    text = "[The example](../../examples/shop/README.md#run), [cron](../cron.md)."
    assert with_files_named(text, "start/what-it-is", repository) == named


def test_the_texts_for_assistants_have_each_page_once_and_in_order() -> None:
    pages = {page: text_of(f"docs/{page}.md") for page in PAGES}
    ordered = [*in_order(pages)]
    assert sorted(ordered) == PAGES
    assert re.findall(r"^<!-- docs/(.+)\.md -->$", whole_text(pages), re.MULTILINE) == ordered
    listed = re.findall(r"^- \[.+\]\((.+)\.html\)$", contents(pages), re.MULTILINE)
    assert ["index", *listed] == ordered


def test_the_contents_say_first_what_the_project_is() -> None:
    pages = {"index": "# Shop\n\nIt sells\ntea.\n\n```python\nbuy()\n```\n\n* [Start](start/index.md)\n"}
    pages |= {"start/index": "# Start\n\n* [First](first.md)\n", "start/first": "# The first cup\n"}
    assert contents(pages) == (
        "# Shop\n\n> It sells tea.\n\n"
        "## Start\n\n- [Start](start/index.html)\n- [The first cup](start/first.html)\n"
    )
