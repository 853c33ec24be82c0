"""The steps of docs/how-to/taking-it-out.md: in, use, out, and plain Celery runs what was waiting."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.acceptance.terminals import Terminals
from tests.acceptance.warm import WarmServer
from tests.pages import BLOCK, FILE_NAME, ROOT
from tests.servers.server import Server

pytestmark = pytest.mark.acceptance

PAGE = ROOT / "docs" / "how-to" / "taking-it-out.md"
OURS = re.compile(r"^(from tickerq_celery|tickerq = ).*\n", re.MULTILINE)
LATER = "tickerq-later.jsonl"
ETA = re.compile(r'"eta": "[^"]+"')


@pytest.fixture
def terminals(
    tmp_path: Path, start_server: Callable[[str], Server], warm_server: WarmServer
) -> Iterator[Terminals]:
    """A folder with the page's files, on a Redis of the test's own."""
    redis = start_server("redis")
    for block in BLOCK.finditer(PAGE.read_text()):
        name = FILE_NAME.match(block["text"])
        if name is not None:
            text = block["text"].replace("redis://localhost:6379/0", redis.url)
            (tmp_path / name["name"]).write_text(text.replace("countdown=15", "countdown=8"))
    with ExitStack() as stack:
        opened = Terminals(tmp_path, launch=warm_server.launch)
        stack.callback(opened.kill)
        yield opened


def take_out(folder: Path) -> None:
    app = folder / "celery_app.py"
    plain = OURS.sub("", app.read_text())
    assert "tickerq" not in plain
    app.write_text(plain)


def test_what_waited_is_run_by_plain_celery(terminals: Terminals, tmp_path: Path) -> None:
    terminals.run("celery -A celery_app tickerq migrate")
    terminals.run("python sell.py")
    app = tmp_path / "celery_app.py"
    app.write_text(app.read_text().replace(", durable_eta=5", ""))
    assert "nothing was handed back" in terminals.run("celery -A celery_app tickerq hand-back")
    shown = terminals.run("celery -A celery_app tickerq hand-back --apply --drop-tables")
    assert f"sent 1 call to the broker, wrote 1 to {LATER}" in shown
    take_out(tmp_path)
    terminals.start("worker", "celery -A celery_app worker --loglevel info --concurrency 1")
    terminals.wait_for(lambda: "invoice 17 is due" in terminals.printed("worker"), "worker")
    # The script sends it once its time has come; until then the line stays.
    terminals.run("python send_later.py")
    file = tmp_path / LATER
    line = file.read_text()
    assert line.count("\n") == 1
    file.write_text(ETA.sub(f'"eta": "{datetime.now(UTC).isoformat()}"', line))
    terminals.run("python send_later.py")
    terminals.wait_for(lambda: "invoice 18 is due" in terminals.printed("worker"), "worker")
    assert file.read_text() == ""
    assert terminals.printed("worker").count("is due") == 2
