"""unittest, nose2 and Django's runner write to the tests' own stores alone; production may import them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.projects import Project

REFUSED = "a test was about to write to sqlite:///"
FORGETFUL = """
import unittest
from shop import greet, tickerq

class TestGreeting(unittest.TestCase):
    def test_greeting(self):
        greet.schedule("Ada")
"""
CAREFUL = """
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory
from shop import app, greet
from tickerq_celery.testing import take_over

class TestGreeting(unittest.TestCase):
    def test_greeting(self):
        with TemporaryDirectory() as folder, take_over(app, folder=Path(folder)) as kit:
            greet.schedule("Ada")
            assert kit.run_due()
"""
SETTINGS = """
SECRET_KEY = "no secret"
DATABASES = {"default": {
    "ENGINE": "django.db.backends.sqlite3", "NAME": "shop.sqlite3", "TEST": {"NAME": "test_of_shop.sqlite3"},
}}
"""
IN_DJANGO = """
from celery import Celery
from django.db import connection
from django.test import TestCase
from shop import greet
from tickerq_celery import TickerQ

class TestGreeting(TestCase):
    def test_greeting(self):
        greet.schedule("Ada")

class TestOwn(TestCase):
    databases = []

    def test_the_aliass_own_test_database(self):
        app = Celery("own", broker="memory://", set_as_current=False)
        own = TickerQ(app, f"sqlite:///{connection.settings_dict['NAME']}")
        own.create_schema()
        own.function("Greet")(lambda: None).schedule()
        assert own.runs.count() == 1
        own.close()
"""
PRODUCTION = """
import unittest, unittest.mock
import django
from django.conf import settings
django.conf.settings.configure(
    SECRET_KEY="no secret of thirty-two characters or more",
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework_simplejwt"],
)
django.setup()
import django.test
import rest_framework_simplejwt.settings
from shop import greet, tickerq
tickerq.create_schema()
greet.schedule("Ada")
print(tickerq.runs.count())
"""


def run(project: Project, *command: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "TICKERQ"))}
    kept["PYTHONPATH"] = os.pathsep.join([str(project.folder), kept.get("PYTHONPATH", "")])
    return subprocess.run(
        command, cwd=project.folder, env={**kept, **environ}, capture_output=True, text=True, check=False
    )


@pytest.fixture(params=["unittest", "nose2", "nose2's script"])
def runner(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The command that runs a project's tests."""
    if request.param == "nose2's script":
        return (str(Path(sys.executable).with_name("nose2")), "test_shop")
    return (sys.executable, "-m", str(request.param), "test_shop")


def test_a_test_that_forgets_the_kit_is_refused_with_what_to_do(
    project: Project, runner: tuple[str, ...]
) -> None:
    project.write("test_shop.py", FORGETFUL)
    found = run(project, *runner)
    assert found.returncode == 1
    assert REFUSED in found.stderr
    assert "take_over" in found.stderr
    assert "tickerq.db" not in project.made()
    allowed = run(project, *runner, TICKERQ_ALLOWED_STORES="tickerq.db")
    assert REFUSED not in allowed.stderr


def test_a_test_that_takes_the_app_over_writes_to_its_own_store(
    project: Project, runner: tuple[str, ...]
) -> None:
    project.write("test_shop.py", CAREFUL)
    found = run(project, *runner)
    assert found.returncode == 0, found.stderr
    assert "tickerq.db" not in project.made()


def test_under_django_the_store_is_refused_and_an_aliass_own_test_database_is_not(project: Project) -> None:
    project.write("settings.py", SETTINGS)
    project.write("test_shop.py", IN_DJANGO)
    found = run(
        project, sys.executable, "-m", "django", "test", "--noinput", DJANGO_SETTINGS_MODULE="settings"
    )
    assert "Ran 2 tests" in found.stderr
    assert "errors=1" in found.stderr, found.stderr
    assert f"{REFUSED}{project.folder}/tickerq.db" in found.stderr
    assert "a test database of Django's" in found.stderr
    assert "tickerq.db" not in project.made()


def test_a_process_that_imports_what_tests_import_writes_as_ever(project: Project) -> None:
    project.write("sell.py", PRODUCTION)
    found = run(project, sys.executable, "sell.py")
    assert found.stdout == "1\n", found.stderr
