"""The archive: a file to which what is pruned is appended before it is deleted."""

import os
from collections.abc import Iterable
from pathlib import Path

from tickerq_celery.errors import ConfigError


class Archive:
    """A file that gets a line for each run and each row of the audit; ``setting`` names it in errors."""

    def __init__(self, path: Path, *, setting: str = "tickerq_prune_archive") -> None:
        self._path = path
        self._setting = setting

    def is_writable(self) -> bool:
        """Return True if lines could be appended; the file is not made."""
        nearest = self._path if self._path.exists() else self._path.parent
        return nearest.is_dir() is not self._path.exists() and os.access(nearest, os.W_OK)

    def append(self, lines: Iterable[str]) -> None:
        """Write lines, and return once they are on the disk.

        Raises:
            ConfigError: The file cannot be written.
        """
        data = "".join(f"{line}\n" for line in lines).encode()
        if not data:
            return
        try:
            with self._path.open("a+b", buffering=0) as file:
                # At once, so that what several processes append does not mix.
                _write_all(file.fileno(), _line_end(file.fileno()) + data)
                os.fsync(file.fileno())
        except OSError as error:
            raise ConfigError(self._setting, f"{self._path} cannot be written: {error}") from error


def _line_end(file: int) -> bytes:
    """Return what ends a line that a crash has cut off."""
    size = os.fstat(file).st_size
    return b"" if size == 0 or os.pread(file, 1, size - 1) == b"\n" else b"\n"


def _write_all(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
