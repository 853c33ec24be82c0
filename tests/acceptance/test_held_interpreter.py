"""A body that lets no other thread of its process run: no heartbeat, no timer, for most of a lease."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.acceptance.terminals import Terminals

pytestmark = [pytest.mark.acceptance, pytest.mark.verify]

# With the default settings: a heartbeat each ten seconds, a lease of thirty. PyDLL, unlike CDLL, keeps the
# interpreter locked for as long as its function takes.
HELD = """
import ctypes

from celery import Celery
from tickerq_celery import TickerQ, TimeTicker

app = Celery("held")
tickerq = TickerQ(app, embedded=True)


@tickerq.function("Hold")
def hold():
    print("holding", flush=True)
    left = 20
    while left:
        # Celery's signals end a sleep early.
        left = ctypes.PyDLL(None).sleep(left)
    print("let go", flush=True)
"""
ADD = """
from held import TimeTicker, tickerq
print(tickerq.time_tickers.add(TimeTicker(function="Hold")).id)
"""
SHOW = """
import sys
from held import tickerq
run = tickerq.runs.get(sys.argv[1])
print(run.status.name, len(run.attempts))
"""


@pytest.fixture(params=["prefork", "threads", "solo"])
def terminals(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Terminals]:
    for name, text in (("held.py", HELD), ("add.py", ADD), ("show.py", SHOW)):
        (tmp_path / name).write_text(text)
    with ExitStack() as stack:
        opened = Terminals(tmp_path)
        stack.callback(opened.kill)
        opened.run("tickerq -A held migrate")
        opened.start("worker", f"celery -A held worker --concurrency 2 --pool {request.param} -l info")
        opened.start("beat", "celery -A held beat")
        yield opened


def test_a_body_that_holds_the_interpreter_for_20_s_is_attempted_once(terminals: Terminals) -> None:
    run_id = terminals.run("python add.py").strip()
    terminals.wait_for(lambda: "let go" in terminals.printed("worker"), "worker", "beat")
    terminals.wait_for(lambda: "DONE" in terminals.run(f"python show.py {run_id}"), "worker", "beat")
    assert terminals.run(f"python show.py {run_id}") in {"DONE 1\n", "DUE_DONE 1\n"}
    assert terminals.printed("worker").count("holding") == 1
    assert not re.search(r"was lost|is dead", terminals.printed("worker") + terminals.printed("beat"))
