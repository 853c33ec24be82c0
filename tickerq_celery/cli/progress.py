"""How far work is, on a terminal, once it takes over a second."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

_QUIET_FOR = 1.0
_PAUSE = 0.1


class Progress:
    """Counts what is done, and shows it on a terminal's standard error."""

    def __init__(self, label: str, total: int | None) -> None:
        self.done = 0
        self._label = label
        self._total = total
        self._is_watched = sys.stderr.isatty()
        self._next = time.monotonic() + _QUIET_FOR
        self._is_shown = False

    def advance(self, count: int = 1) -> None:
        """Count so many more."""
        self.done += count
        if self._is_watched and time.monotonic() >= self._next:
            self._show()
            self._next = time.monotonic() + _PAUSE

    def clear(self) -> None:
        """Take the line away."""
        if self._is_shown:
            click.echo("\r\033[K", nl=False, err=True)

    def _show(self) -> None:
        self._is_shown = True
        click.echo(f"\r\033[K{self._label}: {self._figures()}", nl=False, err=True)

    def _figures(self) -> str:
        if not self._total:
            return f"{self.done:,}"
        share = min(1.0, self.done / self._total)
        bar = "#" * round(share * 30)
        return f"[{bar:<30}] {share:>4.0%}  {self.done:,} of {self._total:,}"


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[Progress]:
    """Show how far the work in the body is; nothing where standard error is no terminal."""
    shown = Progress(label, total)
    try:
        yield shown
    finally:
        shown.clear()
