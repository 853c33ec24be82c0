"""The example of docs/reference/cancellation.md, executed literally: its files, real processes, no server."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from uuid import UUID

import pytest
from celery import Celery

from tests.acceptance.terminals import Terminals
from tests.pages import BLOCK, FILE_NAME
from tickerq_celery import Run, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.enums import TERMINAL

pytestmark = pytest.mark.acceptance

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cancellation.md"


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[Terminals]:
    for block in BLOCK.finditer(PAGE.read_text()):
        name = FILE_NAME.match(block["text"])
        if name is not None:
            (tmp_path / name["name"]).write_text(block["text"])
    with ExitStack() as stack:
        opened = Terminals(tmp_path)
        stack.callback(opened.kill)
        yield opened


@pytest.fixture
def tickerq(tmp_path: Path) -> Iterator[TickerQ]:
    """What the page's application is to another process, which does not import its functions."""
    app = Celery("ending_early", set_as_current=False)
    with closing(TickerQ(app, f"sqlite:///{tmp_path}/tickerq.db", embedded=True)) as made:
        made.create_schema()
        yield made


@pytest.mark.verify
def test_the_page_on_cancellation_does_what_it_says(terminals: Terminals, tickerq: TickerQ) -> None:
    def add(function: str, request: object) -> UUID:
        ticker = TimeTicker(function=function, request=request)
        return tickerq.time_tickers.add(ticker, allow_unknown=True).id

    def end_of(run_id: UUID) -> Run:
        terminals.wait_for(lambda: tickerq.runs.get(run_id).status in TERMINAL, "worker", "beat")
        return tickerq.runs.get(run_id)

    def prints(text: str) -> None:
        terminals.wait_for(lambda: text in terminals.printed("worker"), "worker", "beat")

    terminals.start("worker", "celery -A celery_app worker --loglevel info --concurrency 3")
    terminals.start("beat", "celery -A celery_app beat")
    prints(" ready.")
    report = UUID(terminals.run("python timeouts.py").strip())
    export, listen = add("Export", 1_000), add("Listen", None)
    prints("page 2")
    assert terminals.run(f"python cancel.py {export}") == "IN_PROGRESS True\n"
    assert end_of(export).status is TickerStatus.CANCELLED
    tickerq.runs.cancel(listen)
    prints("the line is closed")
    assert end_of(listen).status is TickerStatus.CANCELLED
    assert end_of(add("Remind", True)).skipped_reason == "paid already"
    unpaid = end_of(add("Remind", False))
    assert (unpaid.status, unpaid.exception_message) == (TickerStatus.FAILED, "no such invoice")
    timed_out = end_of(report)
    assert (timed_out.status, len(timed_out.attempts)) == (TickerStatus.DONE, 2)
