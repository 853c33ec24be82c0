"""A person without a mouse: keys are pressed, and after each one the focus is somewhere, and is seen."""

import re

from playwright.sync_api import Locator, Page, expect

# More than any page has of what Tab stops at.
MOST_STOPS = 200
# What is wrong with the focus, if anything. The head of a page and its content have it where reading begins,
# and need no ring; of a link in a drawing its shape is marked, and of a choice in a row the label.
FOCUS = """() => {
  const at = document.activeElement;
  if (!at || at === document.body || at === document.documentElement) return "it has fallen to the body";
  if (at.matches("main, main h1")) return "";
  const shape = at instanceof SVGElement ? at.querySelector(".edge, .hit") : null;
  const marked = shape ?? at.closest(".seg label") ?? at, style = getComputedStyle(marked);
  const edge = shape ? [style.stroke, style.strokeWidth] : [style.outlineStyle, style.outlineWidth];
  const said = `${at.outerHTML.slice(0, 120)} (${edge})`;
  if (edge[0] === "none" || parseFloat(edge[1]) < 1) return `no ring is seen on ${said}`;
  const { left, right, top, bottom } = marked.getBoundingClientRect();
  const isSeen = bottom > 0 && top < innerHeight && right > 0 && left < innerWidth;
  return isSeen ? "" : `${said} is out of sight`;
}"""
IS_FOCUSED = "node => node === document.activeElement"


class Keyboard:
    """The keys of a person, who begins at the first stop of a page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()

    def press(self, keys: str) -> None:
        """Press keys, with a space between them, none of which leads to another page."""
        for key in keys.split(" "):
            self._page.keyboard.press(key)
            assert self._page.evaluate(FOCUS) == "", (self._page.url, key)

    def lead(self, keys: str, to: str) -> None:
        """Press keys of which the last one leads to a page whose address is matched by ``to``."""
        *before, last = keys.split(" ")
        for key in before:
            self.press(key)
        with self._page.expect_navigation(url=re.compile(to)):
            self._page.keyboard.press(last)
        expect(self._page.get_by_role("main").get_by_role("heading", level=1)).to_be_focused()

    def tab_to(self, target: Locator) -> None:
        """Press Tab until the focus is where it is wanted."""
        for _ in range(MOST_STOPS):
            self.press("Tab")
            if target.evaluate(IS_FOCUSED):
                return
        raise AssertionError(f"Tab does not reach {target}")

    def write(self, text: str) -> None:
        """Write over what a field has."""
        self.press("Control+a")
        self._page.keyboard.type(text)
        assert self._page.evaluate(FOCUS) == ""
