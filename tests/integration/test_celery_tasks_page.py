"""The page on Celery tasks, executed from its first block to its last."""

from pathlib import Path
from typing import Any

import pytest

from tests.integration.apps import enrol_worker
from tests.pages import blocks
from tickerq_celery import TickerStatus


def test_the_page_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first, *others = blocks("docs/reference/celery-tasks.md")
    names: dict[str, Any] = {"__name__": "page"}
    exec(compile(first.replace("redis://localhost/0", "memory://"), "page", "exec"), names)
    tickerq = names["tickerq"]
    enrol_worker(tickerq)
    for text in others:
        exec(compile(text, "page", "exec"), names)
    waiting = tickerq.runs.find(function="shop.tasks.add", status=TickerStatus.IDLE)
    assert [run.request["args"] for run in waiting] == [[2, 3]] * 5
    assert [run.queue for run in waiting if run.unique_key == "sum"] == ["reports"]
    assert tickerq.cron_tickers.get(names["cron"].id).request["args"] == [3, 4]
    below = tickerq.runs.find(parent_id=names["chain"].id)
    assert {run.function for run in below} == {"shop.tasks.add", "shop.tasks.alert"}
    # Where messages in memory are another test's, too.
    names["app"].control.purge()
    names["engine"].dispose()
    tickerq.close()
