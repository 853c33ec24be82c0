"""How deep the stack of this package is where a run's end is written: what a reader has to walk through."""

import traceback
from pathlib import Path

from sqlalchemy import Engine, event

import tickerq_celery
from tests.inner import Core, succeeded
from tests.integration.making import enrolled, finish, make_run, row_of, started
from tickerq_celery.enums import TickerStatus

PACKAGE = str(Path(tickerq_celery.__file__).parent)
# Recorder.finish, Core.write, Database.run, its transaction, EndWriter.write, ends.finish, and its two rows.
MOST_FRAMES = 7


def test_a_run_s_end_is_written_at_most_seven_frames_below_the_recorder(core: Core) -> None:
    run_id = make_run(enrolled(core))
    run = started(core, run_id)
    stacks: list[list[str]] = []

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        if "UPDATE tickerq_tickers " in statement:
            frames = traceback.extract_stack()
            stacks.append([each.name for each in frames if each.filename.startswith(PACKAGE)])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        assert finish(core, run, succeeded(run.standing))
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert row_of(core, run_id).status is TickerStatus.DONE
    (stack,) = stacks
    assert len(stack) <= MOST_FRAMES, stack
