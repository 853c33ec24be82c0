"""The page on the outbox, executed from its first block to its last."""

from pathlib import Path
from typing import Any

import pytest

from tests.integration.apps import messages
from tests.pages import blocks
from tickerq_celery import TickerQ
from tickerq_celery.enums import Origin


def test_the_page_does_what_it_says(
    tmp_path: Path, namespace: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "page"}
    # All apps of a process share the memory, and "celery" is the queue of many.
    monkeypatch.setattr("celery.Celery.__init__", in_memory(names, namespace))
    for text in blocks("docs/reference/outbox.md"):
        exec(compile(text, "page", "exec"), names)
    tickerq: TickerQ = names["tickerq"]
    assert "args cannot be kept as JSON" in capsys.readouterr().out
    assert sorted(run.request["args"][0] for run in tickerq.runs.find()) == [7, 7, 8, 10]
    assert {run.origin for run in tickerq.runs.find()} == {Origin.OUTBOX}
    # That of the event loop is published in a thread of its own, or by a beat.
    assert len(messages(tickerq)) >= 3
    names["engine"].dispose()
    tickerq.close()


def in_memory(names: dict[str, Any], namespace: str) -> Any:
    from celery import Celery

    init = Celery.__init__

    def made(self: Celery, *args: Any, **options: Any) -> None:
        init(self, *args, **{**options, "broker": "memory://", "set_as_current": False})
        self.conf.task_default_queue = namespace

    return made
