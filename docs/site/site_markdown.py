"""What the site makes of its pages' Markdown: their order, links out of their folder, assistants' texts."""

import posixpath
import re
from collections.abc import Iterator, Mapping

# An entry of a list that leads to a page of the same folder, or of one below it.
ENTRY = re.compile(r"^\* \[(?P<text>[^\]]+)\]\((?P<page>(?!\.\.|https?:)[^)#\s]+)\.md\)", re.MULTILINE)
LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<target>\.\./[^)\s]+)\)")
FOLDER = "docs"


def below(index: str) -> list[tuple[str, str]]:
    """Return the pages that the lists of an index name, each with the words of its entry, in their order."""
    return [(found["text"], found["page"]) for found in ENTRY.finditer(index)]


def with_order(index: str) -> str:
    """Return an index with the table of contents that its lists are."""
    entries = [f"{text} <{page}>" for text, page in below(index)]
    return "\n".join([index, "```{toctree}", ":hidden:", "", *entries, "```", ""])


def with_files_named(text: str, page: str, repository: str) -> str:
    """Return a page whose links to files of the project, which are no pages, lead into its repository.

    While the project has no address, the file's name stands behind the words of the link.
    """

    def of_project(found: re.Match[str]) -> str:
        path, _, anchor = found["target"].partition("#")
        file = posixpath.normpath(posixpath.join(FOLDER, posixpath.dirname(page), path))
        if file.startswith(f"{FOLDER}/"):
            return found[0]
        if repository:
            return f"[{found['text']}]({repository}/blob/main/{file}{anchor and f'#{anchor}'})"
        return f"{found['text']} (`{file}`)"

    return LINK.sub(of_project, text)


def in_order(pages: Mapping[str, str], index: str = "index") -> Iterator[str]:
    """Yield the pages that an index leads to, itself first, as the navigation has them."""
    yield index
    for _, entry in below(pages[index]):
        page = posixpath.normpath(posixpath.join(posixpath.dirname(index), entry))
        if posixpath.basename(page) == "index":
            yield from in_order(pages, page)
        else:
            yield page


def contents(pages: Mapping[str, str]) -> str:
    """Return ``llms.txt``: what the project is, and its pages by part, with the words of their entries."""
    head, _, _ = pages["index"].partition("\n```")
    title, _, summary = head.partition("\n")
    parts = [f"{title}\n\n> {' '.join(summary.split())}\n"]
    for name, entry in below(pages["index"]):
        listed = [f"- [{title_of(pages[page])}]({page}.html)" for page in in_order(pages, entry)]
        parts.append("\n".join([f"## {name}", "", *listed, ""]))
    return "\n".join(parts)


def whole_text(pages: Mapping[str, str]) -> str:
    """Return ``llms-full.txt``: each page's Markdown below its file's name, in their order."""
    return "\n".join(f"<!-- {FOLDER}/{page}.md -->\n\n{pages[page]}" for page in in_order(pages))


def title_of(text: str) -> str:
    """Return the heading of a page."""
    return text.partition("\n")[0].removeprefix("# ")
