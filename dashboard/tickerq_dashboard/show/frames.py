"""Tracebacks: their frames, and which of them are the application's own."""

import re
from dataclasses import dataclass

_FRAME = re.compile(r'^  File "(?P<file>[^"\n]+)", line (?P<line>\d+), in (?P<name>[^\n]+)$')
_LIBRARIES = ("/site-packages/", "/dist-packages/", "/lib/python", "/tickerq_celery/", "<frozen ")
MOST_SHOWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A frame of a traceback; ``code`` is empty where it has none."""

    file: str
    line: int
    name: str
    code: str

    @property
    def is_own(self) -> bool:
        """Whether it is the application's, and no library's."""
        return not any(part in self.file for part in _LIBRARIES)

    @property
    def place(self) -> str:
        """Where it is, by the last two parts of its path."""
        return f"{'/'.join(self.file.rsplit('/', 2)[-2:])}:{self.line}"


def frames_in(traceback: str) -> list[Frame]:
    """Return the frames of the last exception in a traceback, the innermost last."""
    lines = traceback.splitlines()
    starts = [at for at, line in enumerate(lines) if line.startswith("Traceback (most recent call last)")]
    found = []
    for at in range(starts[-1] if starts else 0, len(lines)):
        match = _FRAME.match(lines[at])
        if match is None:
            continue
        following = lines[at + 1] if at + 1 < len(lines) else ""
        code = following.strip() if following.startswith("    ") else ""
        found.append(Frame(file=match["file"], line=int(match["line"]), name=match["name"], code=code))
    return found


def own_frames(traceback: str) -> list[Frame]:
    """Return the innermost frames that are the application's; of all where none is."""
    frames = frames_in(traceback)
    own = [each for each in frames if each.is_own]
    return (own or frames)[-MOST_SHOWN:]
