"""Where the machine keeps the programs of its servers."""

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

# Debian keeps PostgreSQL's programs per version and off the PATH, and daemons off a user's PATH.
FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/sbin", "/usr/local/sbin")
SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin")


def find_program(name: str, *, before: Iterable[str] = ()) -> str | None:
    """Return the path of a program: from the folders ``before``, the PATH or the usual folders, else None."""
    path = os.environ.get("PATH", os.defpath)
    folders = [*_expand(before), *path.split(os.pathsep), *_expand(FOLDERS)]
    return shutil.which(name, path=os.pathsep.join(filter(None, folders)))


def program(name: str, *, before: Iterable[str] = ()) -> str:
    """Return the path of a program that must be there."""
    found = find_program(name, before=before)
    if found is None:
        raise FileNotFoundError(name)
    return found


def _expand(patterns: Iterable[str]) -> list[str]:
    return [folder for pattern in patterns for folder in _newest_first(pattern)]


def _newest_first(pattern: str) -> list[str]:
    return sorted(map(str, Path("/").glob(pattern.removeprefix("/"))), key=_version, reverse=True)


def _version(folder: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", folder)]
