"""Type checkers, run as users run them: over files that import the installed package."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

# A line of a file, as "tickers.py:12", with the name of the rule that refuses it.
Refusal = tuple[str, str]
_REFUSED = re.compile(r"# refused: (?P<mypy>\S+) \| (?P<pyright>\S+)$")


def mypy(paths: Sequence[Path], folder: Path) -> dict[Refusal, str]:
    """Return the errors of ``mypy --strict``, each with its message; ``folder`` keeps what it learnt."""
    arguments = ("--strict", "--config-file=", "--cache-dir=.", "--output=json", "--no-error-summary")
    output = _run("mypy", *arguments, *map(str, paths), folder=folder)
    found = [json.loads(line) for line in output.splitlines()]
    return {
        (_line(each["file"], each["line"]), each["code"]): each["message"]
        for each in found
        if each["severity"] == "error"
    }


def pyright(
    paths: Sequence[Path], folder: Path, *, mode: str = "strict", **rules: bool
) -> dict[Refusal, str]:
    """Return the errors of pyright in one of its modes, with messages; ``folder`` gets its settings."""
    (folder / "pyrightconfig.json").write_text(json.dumps({"typeCheckingMode": mode, **rules}))
    report = json.loads(_run("pyright", "--outputjson", *map(str, paths), folder=folder))
    return {
        (_line(each["file"], each["range"]["start"]["line"] + 1), each["rule"]): each["message"]
        for each in report["generalDiagnostics"]
    }


def expected(paths: Iterable[Path], checker: str) -> set[Refusal]:
    """Return what the files say that ``checker`` refuses in them."""
    return {
        (_line(path, number), rule)
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if (found := _REFUSED.search(line)) is not None
        for rule in found[checker].split(",")
    }


def differences(reported: Mapping[Refusal, str], wanted: set[Refusal]) -> list[str]:
    """Return in words what is refused and should not be, and what should be and is not."""
    surplus = {refusal: message for refusal, message in reported.items() if refusal not in wanted}
    missing = dict.fromkeys(wanted - reported.keys(), "is not refused")
    return [" ".join([*refusal, words]) for refusal, words in sorted({**surplus, **missing}.items())]


def _line(file: str | Path, number: int) -> str:
    return f"{Path(file).name}:{number}"


def _run(module: str, *arguments: str, folder: Path) -> str:
    """Return what a checker prints; in another folder, since here it would find the sources themselves."""
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


def verified_types(package: str, folder: Path) -> list[dict[str, Any]]:
    """Return what pyright reports of each symbol of an installed package, as others see it."""
    output = _run("pyright", "--verifytypes", package, "--ignoreexternal", "--outputjson", folder=folder)
    symbols: list[dict[str, Any]] = json.loads(output)["typeCompleteness"]["symbols"]
    return symbols
