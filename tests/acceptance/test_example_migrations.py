"""The notification example's own Alembic migrations, in the database of the ticker store."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from tests.acceptance.processes import ROOT, CeleryProcess
from tests.acceptance.warm import WarmServer

pytestmark = pytest.mark.acceptance


@pytest.fixture
def run(tmp_path: Path, warm_server: WarmServer, empty_database_url: str) -> Callable[..., tuple[int, str]]:
    """Run a module with its arguments on an empty database; return its exit code and what it printed."""
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "dashboard")]),
        "BROKER_URL": "memory://",
        "STORE_URL": empty_database_url,
    }

    def ended(module: str, *arguments: str) -> tuple[int, str]:
        process = CeleryProcess(
            module, arguments, folder=tmp_path, environ=environ, program=(module,), launch=warm_server.launch
        )
        return process.wait(), process.log

    return ended


def test_autogenerate_sees_the_applications_tables_and_none_of_the_stores(
    run: Callable[..., tuple[int, str]], empty_database_url: str
) -> None:
    check = ("alembic", "-c", str(ROOT / "examples" / "notifications" / "alembic.ini"), "check")
    assert run("examples.notifications.migrate") == (0, "")
    assert run(*check) == (0, "No new upgrade operations detected.\n")
    with create_engine(empty_database_url, poolclass=NullPool).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE forgotten (id INTEGER)")
    code, printed = run(*check)
    assert code != 0
    assert "('remove_table', Table('forgotten'" in printed
    assert "tickerq_" not in printed
