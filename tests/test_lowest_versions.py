"""The lowest version of each dependency that is declared, all of them together: a floor is a tested one."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.nested import ROOT, environment

# Each test is a run of tests of its own.
pytestmark = [pytest.mark.verify, pytest.mark.timeout(1200)]

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = [name for name in PROJECT["optional-dependencies"] if name not in ("dev", "docs")]
OLDEST_PYTHON = PROJECT["requires-python"].removeprefix(">=")
# Of the development tools, what the tests that run here need. They stay at the locked versions.
TOOLS = (
    "aiosqlite",
    "cronsim",
    "hypothesis",
    "pytest",
    "pytest-timeout",
    "pytest-xdist",
    "pyyaml",
)
# What needs other tools, or reads the clone alone and has nothing of a dependency's version in it.
NEEDS_MORE = (
    "tests/unit/benchmarks",
    "tests/unit/test_chosen_tests.py",
)
# They evaluate annotations that are quoted, since Celery 5.6 is generic for type checkers only.
EVALUATE_QUOTED = (
    "tests/unit/test_public_names.py::test_each_type_that_a_user_meets_is_importable_from_a_public_module",
    "tests/unit/test_public_names.py::test_what_users_meet_is_found",
)
SAME_SCHEMA = "tests/integration/store/test_schema.py::test_migrations_and_models_make_the_same_schema"
RUNS = "tests/integration/runs"
SLICES: Mapping[str, Iterable[str]] = {
    "databases": [f"{SAME_SCHEMA}[{kind}]" for kind in ("sqlite", "postgres", "mariadb")],
    "integration": [
        f"{RUNS}/test_claims.py",
        f"{RUNS}/test_starts_and_finishes.py",
        f"{RUNS}/test_rescues.py",
        "tests/kit/test_task_retries.py",
    ],
}


@pytest.fixture(scope="module")
def lowest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the project, its users' extras and the lowest versions of both."""
    made = tmp_path_factory.mktemp("lowest") / "venv"
    uv(made.parent, "venv", "--python", sys.executable, str(made))
    wanted = ["--editable", f"{ROOT}[{','.join(EXTRAS)}]", *locked(TOOLS)]
    uv(
        made.parent, "pip", "install", "--python", str(made / "bin/python"),
        "--resolution", "lowest-direct", "--only-binary", ":all:",
        "--build-constraints", str(ROOT / "constraints.txt"), *wanted,
    )  # fmt: skip
    return made


def uv(folder: Path, *arguments: str) -> str:
    """Run uv where no project's own settings are, and return what it printed."""
    command = [sys.executable, "-m", "uv", "--quiet", *arguments]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def locked(names: Iterable[str]) -> list[str]:
    versions = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    return [f"{name}=={versions[name]}" for name in names]


def declared() -> list[Requirement]:
    extras = PROJECT["optional-dependencies"]
    lines = [*PROJECT["dependencies"], *(line for name in EXTRAS for line in extras[name])]
    return [Requirement(line) for line in lines]


def expect_to_pass(made: Path, *arguments: str, verify: bool) -> None:
    """Run tests in a virtual environment, as `make test` has them or `make verify`: they pass."""
    ours = ("PYTEST_", "PYTHONPATH")
    environ = {name: value for name, value in environment().items() if not name.startswith(ours)}
    command = [str(made / "bin/python"), "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    environ["VERIFY"] = str(int(verify))
    ended = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr


@pytest.mark.skipif(
    f"{sys.version_info[0]}.{sys.version_info[1]}" != OLDEST_PYTHON,
    reason=f"some floors have wheels for Python {OLDEST_PYTHON} alone",
)
def test_each_floor_is_a_version_that_the_oldest_python_can_install(lowest: Path) -> None:
    listed = uv(lowest.parent, "pip", "list", "--python", str(lowest / "bin/python"), "--format", "json")
    installed = {each["name"]: Version(each["version"]) for each in json.loads(listed)}
    floors = {each.name: Version(floor) for each in declared() for floor in floors_of(each)}
    assert floors.keys() == {each.name for each in declared()}
    assert {name: installed[name] for name in floors} == floors


def floors_of(requirement: Requirement) -> list[str]:
    return [each.version for each in requirement.specifier if each.operator == ">="]


def test_the_quick_start_runs_on_the_lowest_versions(lowest: Path) -> None:
    expect_to_pass(lowest, "tests/acceptance/test_quick_start.py", verify=True)


def test_the_unit_tests_pass_on_the_lowest_versions(lowest: Path) -> None:
    left_out = [f"--ignore={path}" for path in NEEDS_MORE]
    deselected = [f"--deselect={name}" for name in EVALUATE_QUOTED]
    expect_to_pass(lowest, "tests/unit", "-n", "2", *left_out, *deselected, verify=False)


@pytest.mark.parametrize("names", SLICES.values(), ids=SLICES)
def test_a_slice_of_integration_passes_on_the_lowest_versions(lowest: Path, names: Iterable[str]) -> None:
    expect_to_pass(lowest, "-n", "2", *names, verify=False)
