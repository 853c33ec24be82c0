"""Drawings as SVG, for light and dark pages: boxes, arrows, and words for who does not see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

STYLE = """
svg { font: 15px system-ui, sans-serif; --ground: #ffffff; --ink: #1f2933; --soft: #52606d; --line: #2563a8;
      --side: #9a4d00; --box: #e8f1fb; --end: #eceff3 }
@media (prefers-color-scheme: dark) {
  svg { --ground: #16191d; --ink: #e6e9ed; --soft: #aab4bf; --line: #7db4ee; --side: #f0ab5c; --box: #1d3248;
        --end: #2a2f36 } }
.ground { fill: var(--ground) } text { fill: var(--ink) } .soft { fill: var(--soft); font-size: 13px;
  paint-order: stroke; stroke: var(--ground); stroke-width: 4px }
.mono { font-family: ui-monospace, monospace; font-size: 13px } .strong { font-weight: 600 }
.box { fill: var(--box); stroke: var(--line) } .end { fill: var(--end); stroke: var(--soft) }
.line { fill: none; stroke: var(--line); stroke-width: 1.6 } .side { stroke: var(--side) }
.of-line { fill: var(--line); font-size: 13px } .of-side { fill: var(--side); font-size: 13px }
.head { fill: var(--line) } .side-head { fill: var(--side) } .dashed { stroke-dasharray: 5 4 }
.faint { opacity: .5 }
"""
HEAD = (
    '<marker id="{id}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path class="{style}" d="M0 0 8 4 0 8Z"/></marker>'
)
HEADS = HEAD.format(id="head", style="head") + HEAD.format(id="side-head", style="side-head")
OF_DRAWINGS = f"<style>{STYLE}</style><defs>{HEADS}</defs>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rounded box with a line of text in its middle, by its centre."""

    x: int
    y: int
    text: str
    width: int = 150
    height: int = 44
    style: str = "box"

    def __str__(self) -> str:
        left, top = self.x - self.width // 2, self.y - self.height // 2
        size = f'width="{self.width}" height="{self.height}" rx="8"'
        words = Text(x=self.x, y=self.y + 5, text=self.text, style="strong", anchor="middle")
        return f'<rect class="{self.style}" x="{left}" y="{top}" {size}/>{words}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A line of text."""

    x: int
    y: int
    text: str
    style: str = ""
    anchor: str = "start"

    def __str__(self) -> str:
        place = f'x="{self.x}" y="{self.y}" text-anchor="{self.anchor}"'
        return f'<text class="{self.style}" {place}>{escape(self.text)}</text>'


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """A line through points, with a head at its end; one that is ``side`` is what happens now and then."""

    points: Sequence[tuple[int, int]]
    side: bool = False
    dashed: bool = False
    faint: bool = False
    head: bool = True

    def __str__(self) -> str:
        styles = ["line", *(name for name in ("side", "dashed", "faint") if getattr(self, name))]
        end = f' marker-end="url(#{"side-head" if self.side else "head"})"' if self.head else ""
        path = " ".join(f"{x},{y}" for x, y in self.points)
        return f'<polyline class="{" ".join(styles)}" points="{path}"{end}/>'


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What stands on a ground of its own; ``words`` say all of it to who does not see it.

    ``parts`` are SVG as text, and ``styles`` what stands before them.
    """

    width: int
    height: int
    title: str
    words: str
    parts: Sequence[object]
    styles: str = OF_DRAWINGS

    def __str__(self) -> str:
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
                f'width="{self.width}" height="{self.height}" role="img" aria-labelledby="title words">',
                f'<title id="title">{escape(self.title)}</title>',
                f'<desc id="words">{escape(self.words)}</desc>',
                self.styles,
                f'<rect class="ground" width="{self.width}" height="{self.height}" rx="10"/>',
                *map(str, self.parts),
                "</svg>\n",
            ]
        )
