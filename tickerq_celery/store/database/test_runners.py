"""Which runner of tests this process is, by what runs: production imports what tests import."""

import os
import sys
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Any

from sqlalchemy.engine import URL


class Runner(StrEnum):
    """A runner of tests."""

    PYTEST = "pytest"
    DJANGO = "Django's test runner"
    UNITTEST = "unittest"
    NOSE2 = "nose2"


# Modules and scripts, of which PyCharm has one of its own; and scripts below these folders: of VS Code, and
# as Windows starts a script.
_MAINS = {
    "unittest": Runner.UNITTEST,
    "nose2": Runner.NOSE2,
    "_jb_unittest_runner": Runner.UNITTEST,
}
_MAINS_BELOW = {"unittestadapter": Runner.UNITTEST, "nose2.exe": Runner.NOSE2}


def running() -> Runner | None:
    """Return the runner that this process is, or that the process belongs to; None where no tests run."""
    # pytest says so itself, to the processes of its tests as well.
    if "PYTEST_VERSION" in os.environ:
        return Runner.PYTEST
    return Runner.DJANGO if _is_djangos() else _main()


def is_djangos_own(url: URL) -> bool:
    """Return True if a store is in the test database of an alias of Django's, while its tests run."""
    if url.database is None or not _is_djangos():
        return False
    # Of SQLite either may be relative.
    own = {Path(name).absolute() for name in _djangos_test_databases()}
    return Path(url.database).absolute() in own


def _main() -> Runner | None:
    """Return the runner that was started as the program: a module by ``-m``, or a script of its name."""
    main = sys.modules.get("__main__")
    spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    path = PurePath(file or "")
    name = spec.name.partition(".")[0] if spec is not None else path.stem
    return _MAINS.get(name) or (None if spec is not None else _MAINS_BELOW.get(path.parent.name))


def _is_djangos() -> bool:
    # What setup_test_environment() keeps until teardown_test_environment(); SimpleJWT, among others, imports
    # django.test in production.
    utils = sys.modules.get("django.test.utils")
    return hasattr(getattr(utils, "_TestState", None), "saved_data")


def _djangos_test_databases() -> Iterator[str]:
    """Yield the names of Django's databases that are test databases: before they are made, they are not."""
    db: Any = sys.modules.get("django.db")
    aliases: Mapping[str, Mapping[str, Any]] = {} if db is None else db.connections.settings
    for settings in aliases.values():
        name, test_name = str(settings["NAME"]), settings["TEST"]["NAME"]
        # The copies for parallel processes have a suffix.
        if name.startswith("test_" if test_name is None else str(test_name)):
            yield name
