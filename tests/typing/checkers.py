"""Type checkers, run as users run them: over files that import the installed package."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

_REFUSED = re.compile(r"# refused: (?P<mypy>\S+) \| (?P<pyright>\S+)$")


class Refusal(NamedTuple):
    """An error that a type checker reports, or shall report: where, and under which name."""

    file: str
    line: int
    rule: str


def expected(folder: Path, checker: str) -> list[Refusal]:
    """Return what the files of ``folder`` say that ``checker`` refuses in them."""
    return sorted(
        Refusal(path.name, number, found[checker])
        for path in folder.rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if (found := _REFUSED.search(line)) is not None
    )


def reported_by_mypy(paths: Sequence[Path], cache: Path) -> list[Refusal]:
    """Return what ``mypy --strict`` reports."""
    output = _run(
        *("mypy", "--strict", "--config-file=", "--output", "json"),
        *("--cache-dir", str(cache), *map(str, paths)),
        folder=cache,
    )
    return sorted(_refusals_of_mypy(output))


def reported_by_pyright(paths: Sequence[Path], folder: Path) -> list[Refusal]:
    """Return what pyright reports in its strict mode, as errors and as warnings."""
    (folder / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}', encoding="utf-8")
    report = json.loads(_run("pyright", "--outputjson", *map(str, paths), folder=folder))
    return sorted(
        Refusal(Path(each["file"]).name, each["range"]["start"]["line"] + 1, each["rule"])
        for each in report["generalDiagnostics"]
    )


def _refusals_of_mypy(output: str) -> Iterator[Refusal]:
    for line in output.splitlines():
        found = json.loads(line)
        if found["severity"] == "error":
            yield Refusal(Path(found["file"]).name, found["line"], found["code"])


def _run(module: str, *arguments: str, folder: Path) -> str:
    """Return what a checker prints; in a folder of its own, as the sources here are not what is installed."""
    # Both look for the installed packages by the Python that is first on the path.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return done.stdout
