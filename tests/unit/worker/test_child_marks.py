import os
import signal
import sys
import time
from contextlib import suppress
from uuid import uuid4

import pytest
from billiard.process import current_process

from tests.inner import task_id
from tests.unit.worker.pool_child import child
from tickerq_celery.worker.child_marks import ChildMarks

RUN, OTHER = uuid4(), uuid4()


def test_the_claims_of_living_children_are_seen() -> None:
    marks = ChildMarks()
    with (
        child(marks, 0, lambda marks: marks.begin(RUN, 7)),
        child(marks, 300, lambda marks: marks.begin(OTHER, 2**31 - 1)),
    ):
        assert marks.claims() == {task_id(RUN, 7), task_id(OTHER, 2**31 - 1)}


def test_a_child_that_has_died_executes_nothing_whether_its_pool_has_noticed_or_not() -> None:
    marks = ChildMarks()
    with child(marks, 0, lambda marks: marks.begin(RUN, 1)) as pid:
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert marks.claims() == set()
    assert marks.claims() == set()


def test_a_system_without_waitid_sees_the_death_of_a_child_once_its_pool_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "waitid")
    marks = ChildMarks()
    with child(marks, 0, lambda marks: marks.begin(RUN, 1)):
        assert marks.claims() == {task_id(RUN, 1)}
    assert marks.claims() == set()


def test_a_child_that_has_no_more_to_write_executes_nothing() -> None:
    marks = ChildMarks()

    def begin_and_end(marks: ChildMarks) -> None:
        with suppress(SystemExit), marks.removed_after():
            marks.begin(RUN, 1)
            sys.exit()

    with child(marks, 0, begin_and_end):
        assert marks.claims() == set()


def test_the_next_child_of_a_number_takes_the_place_of_one_that_died() -> None:
    marks = ChildMarks()
    with child(marks, 0, lambda marks: marks.begin(RUN, 1)):
        pass
    with child(marks, 0, lambda marks: marks.begin(OTHER, 2)):
        assert marks.claims() == {task_id(OTHER, 2)}


def test_a_process_that_is_no_child_of_a_pool_marks_nothing() -> None:
    marks = ChildMarks()
    marks.begin(RUN, 1)
    assert marks.claims() == set()


def test_a_child_beyond_the_most_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_process(), "index", 4096, raising=False)
    with pytest.raises(RuntimeError, match="child 4096 of the pool has no mark"):
        ChildMarks().begin(RUN, 1)


def test_what_a_child_keeps_is_seen_beside_what_it_executes_next_until_it_is_removed_or_void() -> None:
    marks = ChildMarks()

    def keep_two(marks: ChildMarks) -> None:
        marks.begin(RUN, 1)
        marks.keep(until=time.monotonic() + 60)
        marks.keep(until=time.monotonic())
        marks.begin(RUN, 2)
        marks.keep(until=time.monotonic() + 60)()
        marks.keep(until=time.monotonic())
        marks.begin(OTHER, 1)

    with child(marks, 1, keep_two):
        assert marks.claims() == {task_id(RUN, 1), task_id(OTHER, 1)}
        assert marks.overdue() == []


def test_a_child_that_keeps_as_much_as_it_may_keeps_no_more() -> None:
    marks = ChildMarks()

    def keep_many(marks: ChildMarks) -> None:
        for claim_no in range(1, 20):
            marks.begin(RUN, claim_no)
            marks.keep(until=time.monotonic() + 60)
        marks.end()

    with child(marks, 0, keep_many), child(marks, 1, lambda marks: marks.begin(OTHER, 1)):
        assert marks.claims() == {task_id(OTHER, 1), *(task_id(RUN, number) for number in range(1, 8))}


def test_what_a_dead_child_has_kept_gives_way_to_its_successors() -> None:
    marks = ChildMarks()

    def keep_seven(marks: ChildMarks) -> None:
        for claim_no in range(1, 8):
            marks.begin(RUN, claim_no)
            marks.keep(until=time.monotonic() + 60)

    with child(marks, 0, keep_seven):
        pass

    def keep_one(marks: ChildMarks) -> None:
        marks.begin(OTHER, 1)
        marks.keep(until=time.monotonic() + 60)
        marks.end()

    with child(marks, 0, keep_one):
        assert marks.claims() == {task_id(OTHER, 1)}
