"""A part of a chord that is revoked before it is sent, with real workers: the chord ends as with Celery."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.acceptance.terminals import Terminals
from tests.acceptance.warm import WarmServer
from tests.servers.server import Server

pytestmark = pytest.mark.acceptance

APP = """
from celery import Celery
from tickerq_celery import TickerQ

app = Celery("shop", broker="{redis}", backend="{redis}")
"""
WITH_TICKERQ = "tickerq = TickerQ(app, durable_eta=60)\n"
TASKS = """

@app.task
def charge(order):
    print(f"charge {order}")
    return order


@app.task
def total(orders):
    print(f"total {sum(orders)}")


@app.task
def alert(task_id, of):
    print(f"alert of {of}")
"""
CALLS = """
from celery import chord
from celery_app import alert, charge, total

header = [charge.s(each).on_error(alert.s(of="a part")) for each in range(5)]
header[4].set(countdown={countdown}, task_id="waits")
result = chord(header)(total.s().on_error(alert.s(of="the body")))
print("body", result.id)
"""
REVOKE = """
from celery_app import app

app.control.revoke("waits")
"""
CANCEL = """
from celery_app import app, tickerq

(run,) = tickerq.runs.find(task_id="waits")
tickerq.runs.cancel(run.id)
assert app.AsyncResult("waits").state == "REVOKED"
"""
BODY = """
import sys
from celery_app import app

result = app.AsyncResult(sys.argv[1])
print(result.state, repr(result.result))
"""
PARTS = [f"charge {each}\n" for each in range(4)]
WORKER = "celery -A celery_app worker --loglevel info --concurrency 1"


@pytest.fixture
def terminals(
    tmp_path: Path, start_server: Callable[[str], Server], warm_server: WarmServer
) -> Iterator[Terminals]:
    (tmp_path / "celery_app.py").write_text(
        APP.format(redis=start_server("redis").url) + WITH_TICKERQ + TASKS
    )
    (tmp_path / "calls.py").write_text(CALLS.replace("{countdown}", "3600"))
    (tmp_path / "revoke.py").write_text(REVOKE)
    (tmp_path / "cancel.py").write_text(CANCEL)
    (tmp_path / "body.py").write_text(BODY)
    with ExitStack() as stack:
        opened = Terminals(tmp_path, launch=warm_server.launch)
        stack.callback(opened.kill)
        yield opened


def start_worker(terminals: Terminals) -> None:
    terminals.start("worker", WORKER)
    terminals.wait_for(lambda: " ready." in terminals.printed("worker"), "worker")


def wait_for_parts(terminals: Terminals) -> None:
    terminals.wait_for(lambda: all(each in terminals.printed("worker") for each in PARTS), "worker")


def assert_that_the_chord_has_ended(terminals: Terminals, body: str) -> None:
    terminals.wait_for(lambda: "alert of the body" in terminals.printed("worker"), "worker")
    printed = terminals.run(f"python body.py {body}")
    assert printed.strip() == """FAILURE ChordError("Dependency waits raised TaskRevokedError('revoked')")"""
    worker = terminals.printed("worker")
    assert worker.count("alert of the body\n") == 1
    assert "alert of a part" not in worker
    assert "total" not in worker.replace("celery_app.total", "")


def body_of(printed: str) -> str:
    return printed.split("body ")[1].strip()


# The second is no revoke of that process: it asks the workers.
@pytest.mark.parametrize("revoke", ["python revoke.py", "celery -A celery_app control revoke waits"])
def test_a_chord_ends_whose_last_part_is_revoked_while_it_waits(terminals: Terminals, revoke: str) -> None:
    terminals.run("celery -A celery_app tickerq migrate")
    start_worker(terminals)
    body = body_of(terminals.run("python calls.py"))
    wait_for_parts(terminals)
    terminals.run(revoke)
    assert_that_the_chord_has_ended(terminals, body)


def test_a_part_is_cancelled_without_a_worker_and_its_chord_ends_with_its_other_parts(
    terminals: Terminals,
) -> None:
    terminals.run("celery -A celery_app tickerq migrate")
    body = body_of(terminals.run("python calls.py"))
    terminals.run("python cancel.py")
    start_worker(terminals)
    wait_for_parts(terminals)
    assert_that_the_chord_has_ended(terminals, body)


@pytest.mark.verify  # of Celery alone: what the others are compared with
def test_plain_celery_ends_the_chord_in_the_same_way(terminals: Terminals, tmp_path: Path) -> None:
    app = tmp_path / "celery_app.py"
    app.write_text(app.read_text().replace(WITH_TICKERQ, ""))
    # A worker says so when the countdown is over.
    (tmp_path / "calls.py").write_text(CALLS.replace("{countdown}", "10"))
    start_worker(terminals)
    body = body_of(terminals.run("python calls.py"))
    wait_for_parts(terminals)
    terminals.run("python revoke.py")
    assert_that_the_chord_has_ended(terminals, body)
