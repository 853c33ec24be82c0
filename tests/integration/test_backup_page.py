"""The commands of docs/how-to/back-up-and-restore.md, on a PostgreSQL server."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from celery import Celery
from sqlalchemy.engine import make_url

from tests.pages import ROOT
from tests.servers.pool import SharedServer
from tickerq_celery import TickerQ, TickerStatus, TimeTicker

PAGE = ROOT / "docs" / "how-to" / "back-up-and-restore.md"


@pytest.fixture
def databases(shared_server: Callable[[str], SharedServer]) -> Iterator[tuple[str, str]]:
    """The application's database, and an empty one."""
    server = shared_server("postgres")
    made = server.new_database(), server.new_database()
    yield made
    for url in made:
        server.drop_database(url)


def command(program: str) -> list[str]:
    """Return the first command of the page with a program."""
    found = re.search(rf"^ *({program}.*)$", PAGE.read_text(), re.MULTILINE)
    assert found
    return shlex.split(found[1])


def execute(words: list[str], url: str, folder: Path) -> None:
    """Run a client of PostgreSQL on the server of an address, in place of the page's database."""
    address = make_url(url)
    names = {
        "PGHOST": address.host or "",
        "PGPORT": str(address.port or 5432),
        "PGUSER": address.username or "",
        "PGPASSWORD": address.password or "",
    }
    swapped = [
        word.replace("shop_restored", str(address.database)) if word != "shop" else str(address.database)
        for word in words
    ]
    subprocess.run(swapped, cwd=folder, env={**os.environ, **names}, check=True)


def opened(url: str, namespace: str) -> TickerQ:
    return TickerQ(Celery(namespace, broker="memory://", set_as_current=False), url)


@pytest.mark.verify
@pytest.mark.skipif(shutil.which("pg_dump") is None, reason="PostgreSQL's clients are not here")
def test_a_run_that_ended_after_the_backup_waits_again(
    databases: tuple[str, str], tmp_path: Path, namespace: str
) -> None:
    lost, restored = databases
    with closing(opened(lost, namespace)) as tickerq:
        tickerq.create_schema()
        run = tickerq.time_tickers.add(TimeTicker("Remind", request=7, delay=3600), allow_unknown=True)
        execute(command("pg_dump --format"), lost, tmp_path)
        tickerq.runs.cancel(run.id)
    execute(command("pg_restore"), restored, tmp_path)
    with closing(opened(restored, namespace)) as tickerq:
        tickerq.create_schema()  # it is as new as the code, so nothing is done
        again = tickerq.runs.get(run.id)
        assert (again.status, again.request) == (TickerStatus.IDLE, 7)
        assert tickerq.runs.cancel(run.id).status is TickerStatus.CANCELLED
