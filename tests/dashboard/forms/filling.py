"""A browser without script that fills in a form: it sends what the page holds, with some fields changed."""

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

from tests.dashboard.actions.forms import Person


class _Fields(HTMLParser):
    """Collects what a browser would send of the form with the id ``ticker``."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self._is_inside = False
        self._area: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._is_inside = given.get("id") == "ticker"
        if not self._is_inside:
            return
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "input" and (given.get("type") not in {"checkbox", "radio"} or "checked" in given):
            self.texts[name] = value
        elif tag == "textarea":
            self._area = name
            self.texts[name] = ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in given or self._select not in self.texts):
            self.texts[self._select] = value

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
        elif tag == "textarea":
            self._area = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self.texts[self._area] += data


def fields_of(page: str) -> dict[str, str]:
    """Return the texts of a form as its page has them."""
    reader = _Fields()
    reader.feed(page)
    # The line break after the tag of a textarea is none of its text.
    return {name: text.removeprefix("\n") for name, text in reader.texts.items()}


def fill(person: Person, path: str, texts: Mapping[str, str], *, step: str = "store") -> Any:
    """Open a form, change some of its fields, and press a button."""
    return press(person, path, {**fields_of(person.get(path).text), **texts}, step=step)


def press(person: Person, path: str, texts: Mapping[str, str], *, step: str = "store") -> Any:
    """Send the texts of a form by one of its buttons."""
    return person.send(path, {**texts, "step": step})


def error_of(page: str, name: str) -> str:
    """Return what stands beside a field as its error."""
    _, _, after = page.partition(f'id="e-{name}">')
    return after.partition("<span>")[2].partition("</span>")[0]
