"""The page on transactions, executed from its first block to its last."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from tests.integration.apps import enrol_worker, execute
from tests.pages import blocks
from tickerq_celery import TickerStatus


def test_the_page_does_what_it_says(
    tmp_path: Path, namespace: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    first, *others = blocks("docs/reference/transactions.md")
    names: dict[str, Any] = {"__name__": "page"}
    exec(compile(first, "page", "exec"), names)
    tickerq, order = names["tickerq"], names["Order"]
    # All apps of a process share the memory, and "celery" is the queue of many.
    tickerq.app.conf.update(broker_url="memory://", task_default_queue=namespace)
    enrol_worker(tickerq)
    for text in others:
        exec(compile(text, "page", "exec"), names)
    assert capsys.readouterr().out.splitlines()[0::2] == [
        "the order stays, its payment is not scheduled", "[1, 7, 8]"
    ]  # fmt: skip
    execute(tickerq)
    with Session(names["engine"]) as session:
        paid = session.scalars(select(order.id).where(order.is_paid).order_by(order.id)).all()
    assert paid == [1, 7, 8]
    [reminder] = tickerq.runs.find(status="cancelled")
    assert (reminder.request, reminder.unique_key) == (9, "reminder 9")
    runs = tickerq.runs.find(status="done")
    assert {(run.status, run.request) for run in runs} == {(TickerStatus.DONE, each) for each in paid}
    assert inspect(names["other"]).get_table_names() == []
    names["engine"].dispose()
    names["other"].dispose()
    tickerq.close()
