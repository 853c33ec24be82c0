import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONSTRAINTS = (ROOT / "constraints.txt").read_text()


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = list(project["build-system"]["requires"]) + project["project"]["dependencies"]
    for extra in project["project"]["optional-dependencies"].values():
        asked += extra
    names = {re.split(r"[\[<>=;~! ]", requirement)[0].lower() for requirement in asked}
    locked = {line.partition("==")[0] for line in CONSTRAINTS.splitlines() if "==" in line}
    assert names - locked == set()


def test_the_lock_names_no_package_index() -> None:
    assert not re.search(r"://|--(extra-)?index|--find-links", CONSTRAINTS)
