"""What users install: one wheel with both packages and everything that they read."""

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from trove_classifiers import classifiers

ROOT = Path(__file__).parents[1]
READ_AT_RUN_TIME = (
    "pytest_tickerq/py.typed",
    "tickerq_celery/py.typed",
    "tickerq_celery/store/migrations/env.py",
    "tickerq_celery/store/migrations/script.py.mako",
    "tickerq_celery/store/migrations/versions/m0001_first_tables.py",
    "tickerq_dashboard/py.typed",
    "tickerq_dashboard/static/tq.css",
    "tickerq_dashboard/static/tq.js",
    "tickerq_dashboard/static/icon.svg",
)


def test_the_wheel_holds_both_packages_with_templates_and_migrations(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(tmp_path), str(ROOT)], check=True, timeout=120)
    (wheel,) = tmp_path.glob("tickerq_celery-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    dashboard = ROOT / "dashboard"
    templates = {
        str(each.relative_to(dashboard))
        for each in (dashboard / "tickerq_dashboard/templates").rglob("*.html")
    }
    assert templates
    assert names >= {*READ_AT_RUN_TIME, *templates}
    assert {name.split("/")[0].split("-")[0] for name in names} == {
        "pytest_tickerq",
        "tickerq_celery",
        "tickerq_dashboard",
        "tickerq_entry.py",
    }


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="an unpacked sdist has no list of files of its own")
def test_the_sdist_holds_what_git_tracks_so_that_its_tests_run(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=120, stdout=subprocess.DEVNULL)
    (sdist,) = tmp_path.glob("tickerq_celery-*.tar.gz")
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True)
    tracked = {*listed.stdout.splitlines()}
    assert held - tracked == {"PKG-INFO"}
    assert tracked - held == set()


def test_every_classifier_is_one_that_pypi_knows_and_names_what_is_supported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(project["classifiers"]) <= classifiers
    assert project["authors"]
    oldest = project["requires-python"].removeprefix(">=")
    assert f"Programming Language :: Python :: {oldest}" in project["classifiers"]


def test_every_address_of_the_project_is_one_that_pypi_shows() -> None:
    addresses = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]
    assert addresses
    for label, address in addresses.items():
        assert len(label) <= 32
        assert address.startswith("https://")
