"""A file of lines to which several processes append."""

import os
from pathlib import Path


def append(path: Path, text: str) -> None:
    """Append one line, whole even where several processes write at once."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(descriptor, f"{text}\n".encode())
    os.close(descriptor)
