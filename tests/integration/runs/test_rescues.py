"""Rescues: the attempt of a worker that died ends once, and uses up no retry."""

from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

import pytest

from tests.inner import LOST, Core, succeeded
from tests.integration.conftest import send
from tests.integration.making import (
    another_node,
    attempts_of,
    claim,
    crons,
    enrolled,
    fail,
    finish,
    make_cron,
    make_run,
    rescue,
    row_of,
    started,
)
from tests.manual_clock import ManualClock
from tests.statements import starts
from tickerq_celery.enums import OnLost, TickerStatus
from tickerq_celery.errors import StoreError
from tickerq_celery.payload.codec import NO_REQUEST

MakeCore = Callable[..., Core]


@pytest.fixture
def core(core: Core) -> Core:
    """A core whose function a live worker has."""
    return enrolled(core)


def test_a_rescued_run_is_due_at_once_and_has_used_no_retry(core: Core, clock: ManualClock) -> None:
    run_id = make_run(core, retries=1)
    run = started(core, run_id)
    clock.advance(minutes=1)
    rescue(core, run)
    row = row_of(core, run_id)
    assert (row.status, row.due_at, row.running_on) == (TickerStatus.IDLE, clock.now(), None)
    assert (row.retry_count, row.rescue_count) == (0, 1)
    assert len(claim(core)) == 1


def test_an_occurrence_keeps_its_time_through_a_rescue_and_each_step_is_an_update(
    core: Core, clock: ManualClock
) -> None:
    run_id = crons(core).run_now(make_cron(core)).id
    planned = clock.now()
    for _ in range(2):
        clock.advance(minutes=1)
        run = started(core, run_id)
        assert (run.execution_time, row_of(core, run_id).updated_at) == (planned, clock.now())
        clock.advance(minutes=1)
        rescue(core, run)
        row = row_of(core, run_id)
        assert (row.execution_time, row.updated_at) == (planned, clock.now())


def test_a_lost_attempt_has_its_record(core: Core) -> None:
    run_id = make_run(core)
    rescue(core, started(core, run_id))
    (attempt,) = attempts_of(core, run_id)
    assert (attempt.status, attempt.exception_type) == (TickerStatus.FAILED, LOST)
    assert attempt.exception_message == "worker lost: gone"


def test_an_attempt_is_rescued_once(core: Core) -> None:
    run_id = make_run(core)
    run = started(core, run_id)
    assert rescue(core, run) is not None
    assert rescue(core, run) is None
    assert row_of(core, run_id).rescue_count == 1
    assert len(attempts_of(core, run_id)) == 1


def test_a_run_that_ended_is_not_rescued(core: Core) -> None:
    run_id = make_run(core)
    run = started(core, run_id)
    finish(core, run, succeeded(run.standing))
    assert rescue(core, run) is None
    assert row_of(core, run_id).status is TickerStatus.DONE


def test_a_lost_run_cannot_be_finished(core: Core) -> None:
    run_id = make_run(core)
    run = started(core, run_id)
    rescue(core, run)
    assert not finish(core, run, succeeded(run.standing))
    assert row_of(core, run_id).status is TickerStatus.IDLE


def test_a_run_that_was_rescued_while_the_store_was_unreachable_cannot_be_finished(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started(core, make_run(core))
    run_it = core.database.run

    def be_unreachable(*_: object, **__: object) -> NoReturn:
        monkeypatch.setattr(core.database, "run", run_it)
        rescue(core, run)
        raise StoreError("the database is unreachable")

    monkeypatch.setattr(core.database, "run", be_unreachable)
    assert not fail(core, run)


def test_who_looks_for_lost_runs_does_not_load_their_requests(core: Core) -> None:
    run = started(core, make_run(core, request={"user": 7}))
    assert run.request.data is not None
    expected = replace(run, request=NO_REQUEST)
    assert core.read(starts.running, run.id, run.claim_no) == expected
    assert core.read(starts.running_under, core.node.id, limit=9) == [expected]


def test_a_function_may_ask_that_its_lost_runs_fail(make_core: MakeCore) -> None:
    core = enrolled(make_core(send(on_lost=OnLost.FAIL)))
    run_id = make_run(core, retries=3)
    rescue(core, started(core, run_id))
    row = row_of(core, run_id)
    assert (row.status, row.exception_type, row.due_at) == (TickerStatus.FAILED, LOST, None)


def test_a_beat_without_the_code_knows_from_the_store_that_lost_runs_fail(make_core: MakeCore) -> None:
    core = enrolled(make_core(send(on_lost=OnLost.FAIL)))
    run_id = make_run(core)
    run = started(core, run_id)
    rescue(another_node(make_core()), run)
    assert row_of(core, run_id).status is TickerStatus.FAILED


def test_a_run_that_kills_its_workers_fails_after_max_rescues(make_core: MakeCore) -> None:
    core = enrolled(make_core(send(), max_rescues=2))
    run_id = make_run(core, retries=5)
    for expected in (TickerStatus.IDLE, TickerStatus.IDLE, TickerStatus.FAILED):
        rescue(core, started(core, run_id))
        assert row_of(core, run_id).status is expected
    assert len(attempts_of(core, run_id)) == 3


def test_a_rescue_leaves_the_retries_to_failures(core: Core, clock: ManualClock) -> None:
    run_id = make_run(core, retries=1, retry_intervals=[10])
    rescue(core, started(core, run_id))
    fail(core, started(core, run_id))
    assert row_of(core, run_id).status is TickerStatus.IDLE
    clock.advance(seconds=10)
    fail(core, started(core, run_id))
    assert row_of(core, run_id).status is TickerStatus.FAILED
