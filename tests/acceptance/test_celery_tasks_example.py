"""The shop of examples/celery_tasks: what its diff changes when a worker dies and Redis is emptied."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from redis import Redis

from tests.acceptance.terminals import Terminals
from tests.pages import BLOCK, ROOT
from tests.servers.server import Server

pytestmark = pytest.mark.acceptance

EXAMPLE = ROOT / "examples" / "celery_tasks"
README = (EXAMPLE / "README.md").read_text()
APP = "celery -A examples.celery_tasks.celery_app"
WORKER = f"{APP} worker --concurrency 1"
CHECKOUT = "python -m examples.celery_tasks.checkout"
REVIEW_AFTER_SECONDS = 8
PRICES, REVIEW = "prices refreshed", "order 7: how did you like it?"
[DIFF] = (match["text"] for match in BLOCK.finditer(README) if match["language"] == "diff")


def test_the_diff_is_one_line_and_its_import() -> None:
    lines = [line for line in DIFF.splitlines() if not line.startswith(("+++", "---", "@@"))]
    changed = [line for line in lines if line[0] != " "]
    assert changed == ["+from tickerq_celery import TickerQ", "+tickerq = TickerQ(app, durable_eta=5)"]


def test_the_plain_shop_knows_no_tickerq() -> None:
    assert not [path.name for path in EXAMPLE.glob("*.py") if "tickerq" in path.read_text()]


@pytest.fixture
def redis(start_server: Callable[[str], Server]) -> Server:
    return start_server("redis")


@pytest.fixture
def terminals(tmp_path: Path, redis: Server) -> Iterator[Terminals]:
    """A clone's folder with the example as it is, plain."""
    (tmp_path / "examples").mkdir()
    shutil.copy(ROOT / "examples" / "__init__.py", tmp_path / "examples")
    shutil.copytree(EXAMPLE, tmp_path / "examples" / "celery_tasks")
    environ = {
        "BROKER_URL": redis.url, "PRICES_EVERY": "1", "REVIEW_AFTER_SECONDS": str(REVIEW_AFTER_SECONDS)
    }  # fmt: skip
    with ExitStack() as stack:
        opened = Terminals(tmp_path, environ)
        stack.callback(opened.kill)
        yield opened


def make_durable(terminals: Terminals, folder: Path) -> None:
    (folder / "durable.diff").write_text(DIFF)
    terminals.run("git apply durable.diff")
    terminals.run(f"{APP} tickerq migrate")


def review_after_a_crash(terminals: Terminals, redis: Server) -> float:
    """Kill the worker and empty Redis between a countdown's call and its end, and return when it was called.

    A second worker goes on, with two beats.
    """
    terminals.start("worker", WORKER)
    terminals.run(f"{CHECKOUT} 7")
    terminals.wait_for(lambda: "order 7: receipt sent" in terminals.printed("worker"), "worker")
    called = time.monotonic()
    terminals.crash("worker")
    with Redis.from_url(redis.url) as connection:
        connection.flushdb()
    terminals.start("second worker", WORKER)
    terminals.start("beat", f"{APP} beat")
    terminals.start("second beat", f"{APP} beat --schedule second")
    terminals.wait_for(lambda: PRICES in terminals.printed("second worker"), "second worker", "beat")
    return called


@pytest.mark.verify
def test_the_diff_keeps_a_countdown_when_the_worker_dies_and_redis_is_emptied(
    terminals: Terminals, redis: Server, tmp_path: Path
) -> None:
    make_durable(terminals, tmp_path)
    called = review_after_a_crash(terminals, redis)
    terminals.wait_for(lambda: REVIEW in terminals.printed("second worker"), "second worker", "beat")
    assert time.monotonic() - called > REVIEW_AFTER_SECONDS - 2
    seconds = time.monotonic() - called
    assert terminals.printed("second worker").count(REVIEW) == 1
    # Of two beats one publishes.
    assert terminals.printed("second worker").count(PRICES) <= seconds + 2
    listed = terminals.run(f"{APP} tickerq runs")
    assert "shop.ask_for_review" in listed


@pytest.mark.verify
def test_without_the_diff_the_countdown_is_lost_and_two_beats_do_everything_twice(
    terminals: Terminals, redis: Server
) -> None:
    called = review_after_a_crash(terminals, redis)
    terminals.wait_for(lambda: time.monotonic() - called > REVIEW_AFTER_SECONDS + 4, "second worker")
    assert REVIEW not in terminals.printed("second worker")
    assert terminals.printed("second worker").count(PRICES) > 1.2 * REVIEW_AFTER_SECONDS
