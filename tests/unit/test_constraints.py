import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONSTRAINTS = (ROOT / "constraints.txt").read_text()


def asked() -> set[str]:
    """Return the names of all that the project asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    requirements = list(project["build-system"]["requires"]) + project["project"]["dependencies"]
    for extra in project["project"]["optional-dependencies"].values():
        requirements += extra
    return {re.split(r"[\[<>=;~! ]", requirement)[0].lower() for requirement in requirements}


def test_every_dependency_is_locked() -> None:
    locked = {line.partition("==")[0] for line in CONSTRAINTS.splitlines() if "==" in line}
    assert asked() - locked == set()


def test_the_lock_holds_nothing_for_the_project_that_it_does_not_ask_for() -> None:
    held, wanted = "", set[str]()
    for line in CONSTRAINTS.splitlines():
        if "==" in line:
            held = line.partition("==")[0]
        elif line.endswith(" tickerq-celery (pyproject.toml)"):
            wanted.add(held)
    assert wanted - asked() == set()


def test_what_django_celery_beat_needs_an_old_version_of_is_not_asked_for() -> None:
    """A newer cron-descriptor kept both from being installed."""
    assert "cron-descriptor" not in asked()


def test_the_lock_names_no_package_index() -> None:
    assert not re.search(r"://|--(extra-)?index|--find-links", CONSTRAINTS)
