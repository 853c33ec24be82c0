import subprocess
from pathlib import Path

import pytest

from tests.nested import environment, pytest_command, python_path
from tests.servers.services import SERVICES

# Tests of tests.
pytestmark = pytest.mark.verify

TESTS = """
def test_without_a_server():
    pass

def test_with_redis(shared_server):
    shared_server("redis")

def test_with_its_own_postgres(start_server):
    start_server("postgres")

def test_with_another_postgres(empty_database_url):
    pass
"""
NO_PROGRAMS = """
from tests.servers import finding
finding.FOLDERS = ()
"""


def run_pytest(folder: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the tests above with this project's fixtures where no server's program can be found."""
    (folder / "test_some.py").write_text(TESTS)
    (folder / "no_programs.py").write_text(NO_PROGRAMS)
    given = {service.url_variable for service in SERVICES.values()} | {"TICKERQ_REQUIRE_SERVICES"}
    environ = {name: value for name, value in environment(VERIFY="1").items() if name not in given}
    environ |= {"PATH": "", "PYTHONPATH": python_path(folder), **variables}
    command = pytest_command(folder, "-p", "no_programs", "-rs", "-k", "not mariadb", *options)
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "two"])
def test_tests_without_their_server_are_skipped_and_the_last_lines_say_how_to_get_it(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    run = run_pytest(tmp_path, *options)
    assert run.returncode == 0, run.stdout + run.stderr
    *_, title, postgres_or_redis, other, totals = run.stdout.splitlines()
    assert "left out" in title
    assert {postgres_or_redis, other} == {
        "Redis: no redis-server: apt install redis-server, or set TICKERQ_TEST_REDIS_URL",
        "PostgreSQL: no initdb and no postgres: apt install postgresql, or set TICKERQ_TEST_POSTGRES_URL",
    }
    assert "2 passed, 3 skipped" in totals


def test_where_services_are_required_a_missing_one_is_a_failure(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, TICKERQ_REQUIRE_SERVICES="1")
    assert run.returncode == pytest.ExitCode.TESTS_FAILED
    assert "Redis: no redis-server: apt install redis-server" in run.stdout
    assert "skipped" not in run.stdout.splitlines()[-1]
