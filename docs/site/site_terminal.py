"""Record ``make demo`` as a terminal in SVG: what it prints, when, from its start to the mail that arrives.

Its lines appear in their recorded time, once; who wants less motion sees all of them at once.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from http.client import HTTPConnection
from pathlib import Path

from site_svg import Drawing

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "pictures" / "demo.svg"
PORT = os.environ.get("PORT", "8000")
PATH = "/api/users/register"
USER = {"email": "user@example.com", "name": "John Doe"}
COLUMNS, LINE_HEIGHT, CHARACTER, MARGIN = 98, 19, 7.83, 16
# What is left of a pause in which nothing is printed, such as that in which processes start.
LONGEST_PAUSE = 3.0
# What the demo says once for each process that reads its settings, and what a second terminal says here.
LEFT_OUT = re.compile(r"\[\w+\] +tickers: store|Everything is kept in|\[(?:mail|web)\] +listening")
INVITES, SENT = "Ctrl-C stops everything", "ended DONE"
WORDS = (
    "A terminal: make demo starts a web app, a worker, a beat and a mail server. A user registers; five "
    "seconds later the welcome email is due, and the mail server refuses it. Three seconds after that the "
    "retry arrives."
)
STYLE = """
text { font: 13px ui-monospace, 'DejaVu Sans Mono', monospace; white-space: pre; fill: #d7dce2 }
.ground { fill: #16191d } .typed { fill: #7db4ee } .refused { fill: #f0ab5c } .arrived { fill: #7fd18b }
.line { opacity: 0; animation: shown 1ms forwards }
@keyframes shown { to { opacity: 1 } }
@media (prefers-reduced-motion: reduce) { .line { opacity: 1; animation: none } }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What was printed, and how many seconds after the start."""

    at: float
    text: str

    @property
    def style(self) -> str:
        """Return what colours it: what was typed, what failed, what arrived."""
        if self.text.startswith("$ "):
            return "typed"
        if re.search(r"refused the first|failed", self.text):
            return "refused"
        return "arrived" if re.search(r"delivered|ended DONE|email sent", self.text) else ""


def register() -> str:
    """Register a user at the demo, as its invitation says; return what it answered."""
    demo = HTTPConnection("localhost", int(PORT), timeout=30)
    demo.request("POST", PATH, json.dumps(USER), {"Content-Type": "application/json"})
    return demo.getresponse().read().decode().strip()


def recorded() -> Iterator[Line]:
    """Run the demo in a folder of its own and yield what it prints, until the mail has arrived."""
    begun = time.monotonic()
    yield Line(at=0.0, text="$ make demo")
    with tempfile.TemporaryDirectory() as folder:
        demo = subprocess.Popen(
            [sys.executable, "-m", "examples.notifications.demo"],
            cwd=ROOT,
            env={**os.environ, "DEMO_FOLDER": folder, "PORT": PORT},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            for text in demo.stdout or ():
                yield Line(at=time.monotonic() - begun, text=text.rstrip())
                if INVITES in text:
                    typed = f"$ curl -X POST http://localhost:{PORT}{PATH} …"
                    yield Line(at=time.monotonic() - begun, text=typed)
                    yield Line(at=time.monotonic() - begun, text=register())
                if SENT in text:
                    break
        finally:
            demo.send_signal(signal.SIGINT)
            demo.communicate(timeout=60)


def shown(lines: Iterable[Line]) -> Iterator[Line]:
    """Yield the lines that the picture has, as wide as it is, with long pauses cut."""
    cut, last = 0.0, 0.0
    for line in lines:
        cut += max(0.0, line.at - last - LONGEST_PAUSE)
        last = line.at
        if line.text and not LEFT_OUT.match(line.text):
            for part in textwrap.wrap(line.text, COLUMNS, subsequent_indent=" " * 9, drop_whitespace=False):
                yield Line(at=line.at - cut, text=part)


def drawn(lines: Sequence[Line]) -> str:
    """Return the picture of a terminal in which the lines appear."""
    width = round(COLUMNS * CHARACTER) + 2 * MARGIN
    height = LINE_HEIGHT * len(lines) + 2 * MARGIN
    texts = []
    style = ""
    for number, line in enumerate(lines):
        style = style if line.text.startswith(" " * 9) else line.style
        y = MARGIN + LINE_HEIGHT * (number + 1) - 5
        texts.append(
            f'<text class="line {style}" style="animation-delay: {line.at:.1f}s" x="{MARGIN}" y="{y}">'
            f"{escape(line.text)}</text>"
        )
    styles = f"<style>{STYLE}</style>"
    return str(
        Drawing(width=width, height=height, title="make demo", words=WORDS, parts=texts, styles=styles)
    )


def main() -> None:
    """Record the demo anew."""
    PICTURE.write_text(drawn(list(shown(recorded()))))


if __name__ == "__main__":
    main()
