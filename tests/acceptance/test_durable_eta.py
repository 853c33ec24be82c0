"""The example of docs/reference/durable-eta.md, executed: what survives a dead worker, an empty Redis."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from celery import Celery
from redis import Redis

from tests.acceptance.terminals import Terminals
from tests.acceptance.waiting import wait_until
from tests.acceptance.warm import WarmServer
from tests.pages import BLOCK, FILE_NAME, ROOT
from tests.servers.server import Server
from tickerq_celery import Run, TickerQ, TickerStatus

pytestmark = pytest.mark.acceptance

PAGE = ROOT / "docs" / "reference" / "durable-eta.md"
SETTING, COUNTDOWN = ", durable_eta=5", 10
REMINDED = "invoice 17 is due"
WORKER = "celery -A celery_app worker --loglevel info --concurrency 1"


@pytest.fixture
def redis(start_server: Callable[[str], Server]) -> Server:
    return start_server("redis")


@pytest.fixture
def terminals(tmp_path: Path, redis: Server, warm_server: WarmServer) -> Iterator[Terminals]:
    """A folder with the page's files, on a Redis of the test's own."""
    for block in BLOCK.finditer(PAGE.read_text()):
        name = FILE_NAME.match(block["text"])
        if name is not None:
            text = block["text"].replace("redis://localhost:6379/0", redis.url)
            (tmp_path / name["name"]).write_text(text)
    with ExitStack() as stack:
        opened = Terminals(tmp_path, launch=warm_server.launch)
        stack.callback(opened.kill)
        yield opened


def without_the_setting(folder: Path) -> None:
    app = folder / "celery_app.py"
    plain = app.read_text().replace(SETTING, "")
    assert plain != app.read_text()
    app.write_text(plain)


def sell(terminals: Terminals) -> float:
    """Call the task while a worker runs; return when."""
    terminals.run("celery -A celery_app tickerq migrate")
    terminals.start("worker", WORKER)
    terminals.wait_for(lambda: " ready." in terminals.printed("worker"), "worker")
    terminals.run("python sell.py")
    return time.monotonic()


def lose_everything(terminals: Terminals, redis: Server) -> None:
    """Kill the worker with its children and empty Redis; start another worker, and beat."""
    terminals.crash("worker")
    with Redis.from_url(redis.url) as connection:
        connection.flushall()
    terminals.start("second", WORKER)
    terminals.start("beat", "celery -A celery_app beat")
    terminals.wait_for(lambda: " ready." in terminals.printed("second"), "second")


def test_a_countdown_survives_its_worker_and_its_broker(
    terminals: Terminals, redis: Server, tmp_path: Path
) -> None:
    sell(terminals)
    lose_everything(terminals, redis)
    terminals.wait_for(lambda: REMINDED in terminals.printed("second"), "second", "beat")
    app = Celery("shop", set_as_current=False)
    tickerq = TickerQ(app, f"sqlite:///{tmp_path}/tickerq.db")

    def done() -> list[Run]:
        return list(tickerq.runs.find(status=TickerStatus.DONE))

    wait_until(lambda: len(done()) == 1, lambda: terminals.printed("second"))
    run = tickerq.runs.get(done()[0].id)
    assert (run.function, run.outcome_known, len(run.attempts)) == ("celery_app.remind", True, 1)
    assert run.started_at is not None
    assert run.execution_time is not None
    assert run.started_at >= run.execution_time
    assert terminals.printed("second").count(REMINDED) == 1
    tickerq.close()


@pytest.mark.verify  # of Celery alone: what the other test is compared with
def test_without_the_setting_it_is_lost(terminals: Terminals, redis: Server, tmp_path: Path) -> None:
    without_the_setting(tmp_path)
    called = sell(terminals)
    terminals.wait_for(lambda: "received" in terminals.printed("worker"), "worker")
    lose_everything(terminals, redis)
    # Another one, whose moment is a second after the first one's: what is not there by then does not come.
    left = called + COUNTDOWN + 1 - time.monotonic()
    another = f"from celery_app import remind; remind.apply_async((18,), countdown={left})"
    (tmp_path / "sell_another.py").write_text(another)
    terminals.run("python sell_another.py")
    terminals.wait_for(lambda: "invoice 18 is due" in terminals.printed("second"), "second")
    assert REMINDED not in terminals.printed("second")


@pytest.mark.verify
@pytest.mark.parametrize("sender", ["with a TickerQ", "plain Celery"])
def test_a_revoked_countdown_never_runs(
    terminals: Terminals, redis: Server, tmp_path: Path, sender: str
) -> None:
    selling = tmp_path / "sell.py"
    # Not due while this test runs, however slow the machine is.
    selling.write_text(selling.read_text().replace(f"countdown={COUNTDOWN}", "countdown=3600"))
    sell(terminals)
    tickerq = TickerQ(Celery("shop", set_as_current=False), f"sqlite:///{tmp_path}/tickerq.db")
    (run,) = tickerq.runs.find()
    if sender == "plain Celery":
        plain = Celery("shop", broker=redis.url, set_as_current=False)
        plain.control.revoke(run.task_id)
        plain.close()
    else:
        terminals.run(f"celery -A celery_app control revoke {run.task_id}")
    wait_until(
        lambda: tickerq.runs.get(run.id).status is TickerStatus.CANCELLED, lambda: terminals.printed("worker")
    )
    assert "Tasks flagged as revoked" in terminals.printed("worker")
    tickerq.close()
