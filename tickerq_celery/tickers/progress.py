"""What a running function reports: kept in memory until it is written, so that a report costs little."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from tickerq_celery.validation import storable

# What one attempt may leave: about as much as a long traceback.
MOST_LINES = 1_000
MOST_CHARACTERS = 256 * 1024
LONGEST_LINE = 2_000
LONGEST_MESSAGE = 200
FULL = "… further lines of this attempt are not kept"


@dataclass(frozen=True, slots=True)
class Line:
    """One line that a function logged; ``at`` is aware UTC, ``level`` a name of ``logging``."""

    at: datetime
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lines that are written together, under the number of the first: writing them twice changes nothing."""

    first: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Pending:
    """What a report holds that may not be in the store yet."""

    fraction: float | None = None
    message: str | None = None
    chunks: tuple[Chunk, ...] = ()

    def without_texts(self) -> "Pending":
        """Return what remains for a database that refused a text of it."""
        return Pending(self.fraction)


class Report:
    """The progress and the log lines of one attempt; ``changed`` is called when one is added.

    What ``redact`` returns is kept of their texts.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        changed: Callable[["Report"], None],
        *,
        redact: Callable[[str], str],
    ) -> None:
        self._now = now
        self._redact = redact
        self._changed = changed
        self._mutex = threading.Lock()
        self._fraction: float | None = None
        self._message: str | None = None
        self._open: list[Line] = []
        self._sealed: list[Chunk] = []
        self._lines = 0
        self._next_first = 0
        self._characters = 0
        self._is_closed = False

    def progress(self, fraction: float, message: str | None) -> None:
        """Take note of how far the function is; the last word counts."""
        kept = None if message is None else self._kept(message, LONGEST_MESSAGE)
        with self._mutex:
            self._fraction, self._message = fraction, kept
        self._notify()

    def log(self, text: str, level: str) -> None:
        """Keep one line, while the attempt has not had too many."""
        line = Line(self._now(), level, self._kept(text, LONGEST_LINE))
        with self._mutex:
            if self._lines > MOST_LINES:
                return
            self._characters += len(line.text)
            if self._lines >= MOST_LINES or self._characters > MOST_CHARACTERS:
                line = Line(line.at, "WARNING", FULL)
                self._lines = MOST_LINES
            self._open.append(line)
            self._lines += 1
        self._notify()

    def pending(self) -> Pending:
        """Return what is to be written; its chunks stay as they are until they ``have been written``."""
        with self._mutex:
            if self._open:
                self._sealed.append(Chunk(self._next_first, tuple(self._open)))
                # Not the count of lines: the last of them may stand for many that were not kept.
                self._next_first += len(self._open)
                self._open = []
            return Pending(self._fraction, self._message, tuple(self._sealed))

    def forget_written(self, written: Pending) -> None:
        """Forget the chunks that the store has."""
        with self._mutex:
            self._sealed = [chunk for chunk in self._sealed if chunk not in written.chunks]

    def close(self) -> None:
        """Call ``changed`` no more: the end of the attempt writes the rest."""
        self._is_closed = True

    def _kept(self, text: str, limit: int) -> str:
        # Before it is cut: of half a secret nothing can be found.
        return storable(self._redact(text), limit)

    def _notify(self) -> None:
        if not self._is_closed:
            self._changed(self)
