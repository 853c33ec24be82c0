"""The order in which the processes of one run import the test files."""

from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest


def import_own_part_first(config: pytest.Config) -> None:
    """Import the files of a run, in each of its processes another part first.

    In a new clone pytest has to rewrite the assertions of each file, which takes as long as all else of the
    collection. Processes that go through the files in one order would each rewrite all of them at the same
    time; so each rewrites its part, and reads what the others have written.
    """
    worker = getattr(config, "workerinput", None)
    if worker is None:
        return
    files = list(_files(config.args))
    begin = int(worker["workerid"].removeprefix("gw")) * len(files) // worker["workercount"]
    for file in (*files[begin:], *files[:begin]):
        name = ".".join(file.relative_to(config.rootpath).with_suffix("").parts)
        # What cannot be imported is for the collection to report.
        with suppress(Exception):
            import_module(name)


def _files(arguments: Iterable[str]) -> Iterable[Path]:
    for argument in arguments:
        path = Path(argument.partition("::")[0]).resolve()
        yield from sorted(path.rglob("test_*.py")) if path.is_dir() else [path]
