"""How deep the call is that ends a run: what has to be read to debug it."""

import traceback
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

import tickerq_celery
from tests.integration.apps import add_run, execute
from tickerq_celery import TickerQ, TickerStatus

PACKAGE = str(Path(tickerq_celery.__file__).parent)
MOST_FRAMES = 11


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_few_frames_lie_between_a_message_and_the_update_that_ends_its_run(tickerq: TickerQ) -> None:
    frames: list[list[str]] = []

    def note(_: object, __: object, statement: str, *___: Any) -> None:
        if statement.startswith("UPDATE tickerq_tickers") and "ended_status" in statement:
            stack = [frame for frame in traceback.extract_stack() if frame.filename.startswith(PACKAGE)]
            frames.append([f"{Path(frame.filename).name}:{frame.name}" for frame in stack])

    run = add_run(tickerq, lambda: None)
    event.listen(tickerq.core.database.engine, "before_cursor_execute", note)
    execute(tickerq)
    assert tickerq.runs.get(run.id).status is TickerStatus.DONE
    (end,) = frames
    assert len(end) <= MOST_FRAMES, end
