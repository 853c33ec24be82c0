"""What the site adds to its pages, which are plain Markdown: their order, and what docstrings say.

A code host shows the same pages without it.
"""

import importlib
import inspect
import re
from pathlib import Path

from site_markdown import contents, whole_text, with_files_named, with_order
from sphinx.application import Sphinx

MODULE = re.compile(r"^# `(?P<name>[\w.]+)`$", re.MULTILINE)
API = "reference/api/"


def setup(app: Sphinx) -> dict[str, object]:
    """Register what becomes of a page when it is read."""
    app.add_config_value("repository", "", "env", str)
    app.connect("source-read", prepare)
    app.connect("build-finished", write_texts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def prepare(app: Sphinx, page: str, source: list[str]) -> None:
    """Change a page's Markdown into what Sphinx reads."""
    text = with_files_named(source[0], page, app.config.repository)
    if page.rpartition("/")[2] == "index":
        text = with_order(text)
    if page.startswith(API):
        text = with_docstrings(text)
    source[0] = text


def write_texts(app: Sphinx, exception: Exception | None) -> None:
    """Write what an assistant reads in place of the pages."""
    if exception is None:
        pages = {page: Path(app.env.doc2path(page)).read_text() for page in app.env.found_docs}
        (Path(app.outdir) / "llms.txt").write_text(contents(pages))
        (Path(app.outdir) / "llms-full.txt").write_text(whole_text(pages))


def with_docstrings(text: str) -> str:
    """Return the page of a module with what the docstrings of its names say."""
    found = MODULE.search(text)
    if not found:
        return text
    module = importlib.import_module(found["name"])
    root = importlib.import_module(found["name"].partition(".")[0])
    # What the package itself has as well is described on its own page.
    own = [name for name in module.__all__ if module is root or name not in root.__all__]
    entries = [directive(found["name"], name, getattr(module, name)) for name in own]
    return "\n".join([text, "## From the docstrings", "", "```{eval-rst}", *entries, "```", ""])


def directive(module: str, name: str, value: object) -> str:
    """Return how Sphinx is told to render a public name."""
    if not inspect.isclass(value):
        kind = "autofunction" if inspect.isroutine(value) else "autodata"
        return f".. {kind}:: {module}.{name}\n"
    kind = "autoexception" if issubclass(value, BaseException) else "autoclass"
    return f".. {kind}:: {module}.{name}\n   :members:\n"
