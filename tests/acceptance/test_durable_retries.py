"""Retries of real workers that are kept: one run for the whole life of a task, all else as Celery does."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from celery import Celery

from tests.acceptance.terminals import Terminals
from tests.acceptance.waiting import wait_until
from tests.acceptance.warm import WarmServer
from tests.servers.server import Server
from tickerq_celery import Run, TickerQ, TickerStatus
from tickerq_celery.enums import TERMINAL

pytestmark = pytest.mark.acceptance

APP = """
from celery import Celery, chord
from tickerq_celery import TickerQ

app = Celery("shop", broker="{redis}", backend="{redis}")
tickerq = TickerQ(app, durable_eta=0.5, poll_interval=0.2)


@app.task(bind=True, max_retries=2)
def charge(self, order):
    print(f"charge {{order}} {{self.request.retries}}")
    if self.request.retries < 2:
        raise self.retry(countdown=1)
    return order


@app.task(bind=True, max_retries=1)
def fail(self):
    raise self.retry(countdown=1, exc=ValueError("no money"))


@app.task
def receipt(order):
    print(f"receipt {{order}}")


@app.task
def total(orders):
    print(f"total {{sum(orders)}}")
"""
CALLS = """
from celery import chord
from celery_app import charge, fail, receipt, total

charge.apply_async((7,), countdown=1, task_id="seven", link=receipt.s())
fail.apply_async(countdown=1, task_id="fails", link_error=receipt.si("of a failure"))
chord([charge.s(1).set(countdown=1, task_id="one"), charge.s(2).set(task_id="two")])(total.s())
"""


@pytest.fixture
def terminals(
    tmp_path: Path, start_server: Callable[[str], Server], warm_server: WarmServer
) -> Iterator[Terminals]:
    (tmp_path / "celery_app.py").write_text(APP.format(redis=start_server("redis").url))
    (tmp_path / "calls.py").write_text(CALLS)
    with ExitStack() as stack:
        opened = Terminals(tmp_path, launch=warm_server.launch)
        stack.callback(opened.kill)
        yield opened


@pytest.mark.verify  # tests/compat has a retried call of a real worker
@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_the_retries_of_a_task_are_the_attempts_of_one_run(
    terminals: Terminals, tmp_path: Path, pool: str
) -> None:
    terminals.run("celery -A celery_app tickerq migrate")
    terminals.start("worker", f"celery -A celery_app worker --loglevel info --pool {pool} --concurrency 2")
    terminals.start("beat", "celery -A celery_app beat")
    terminals.wait_for(lambda: " ready." in terminals.printed("worker"), "worker")
    terminals.run("python calls.py")
    with closing(
        TickerQ(Celery("shop", set_as_current=False), f"sqlite:///{tmp_path}/tickerq.db")
    ) as tickerq:

        def runs_of(task_id: str) -> list[Run]:
            return [tickerq.runs.get(run.id) for run in tickerq.runs.find() if run.task_id == task_id]

        def ended(*task_ids: str) -> bool:
            found = [run for each in task_ids for run in runs_of(each)]
            return len(found) == len(task_ids) and all(run.status in TERMINAL for run in found)

        wait_until(lambda: ended("seven", "fails", "one", "two"), lambda: terminals.printed("worker"))
        terminals.wait_for(lambda: "total 3" in terminals.printed("worker"), "worker", "beat")
        terminals.wait_for(lambda: "receipt of a failure" in terminals.printed("worker"), "worker", "beat")
        for task_id in ("seven", "one"):
            (run,) = runs_of(task_id)
            assert (run.status, [each.retries for each in run.attempts]) == (TickerStatus.DONE, [0, 1, 2])
        # Its first message was none of ours: it is kept from its first retry on.
        (run,) = runs_of("two")
        assert (run.status, [each.retries for each in run.attempts]) == (TickerStatus.DONE, [1, 2])
        (run,) = runs_of("fails")
        assert (run.status, [each.retries for each in run.attempts]) == (TickerStatus.FAILED, [0, 1])
        assert "no money" in (run.exception_message or "")
    worker = terminals.printed("worker")
    assert [worker.count(f"charge 7 {retries}\n") for retries in range(3)] == [1, 1, 1]
    assert worker.count("receipt 7\n") == 1
