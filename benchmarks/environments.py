"""Environments below ``benchmarks/.peers``, one a peer, with the versions that its requirements pin."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
REQUIREMENTS = HERE / "peers" / "requirements"
FOLDER = HERE / ".peers"
MOST_SECONDS = 600


def python_of(environment: str | None) -> str:
    """Return the interpreter of a peer's environment, or this one; raises OSError where there is none."""
    if environment is None:
        return sys.executable
    python = FOLDER / environment / "bin" / "python"
    if not python.exists():
        raise FileNotFoundError(f"{environment} is not installed")
    return str(python)


def is_installed(environment: str) -> bool:
    """Return True if the environment has what its requirement file pins now."""
    stamp = FOLDER / environment / "installed.txt"
    return stamp.exists() and stamp.read_text() == wanted(environment)


def install(environment: str) -> None:
    """Make the environment anew; raises CalledProcessError or TimeoutExpired with pip's words."""
    folder = FOLDER / environment
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(folder)])
    requirements = str(REQUIREMENTS / f"{environment}.txt")
    _run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--requirement", requirements])
    (folder / "installed.txt").write_text(wanted(environment))


def wanted(environment: str) -> str:
    """Return the requirement file, with the Python that it is installed for."""
    python = f"# Python {sys.version_info.major}.{sys.version_info.minor}\n"
    return python + (REQUIREMENTS / f"{environment}.txt").read_text()


def pinned(environment: str, package: str) -> str:
    """Return the version of a package that a requirement file pins."""
    for line in (REQUIREMENTS / f"{environment}.txt").read_text().splitlines():
        name, _, version = line.partition("==")
        if name.replace("_", "-").lower() == package:
            return version
    raise KeyError(package)


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=MOST_SECONDS)
