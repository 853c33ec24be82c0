"""Of a cron ticker's occurrences that ask to run alone, one runs at a time, in whichever worker."""

from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest

from tests import statements
from tests.inner import Core, Started, succeeded
from tests.integration.cron.firing import fire
from tests.integration.making import (
    at_once,
    enrolled,
    fail,
    finish,
    make_cron,
    make_run,
    occurrences_of,
    processes,
    row_of,
    started,
)
from tests.manual_clock import ManualClock
from tickerq_celery.enums import TickerStatus
from tickerq_celery.errors import TerminateExecution
from tickerq_celery.worker.cancel_flag import CancelFlag
from tickerq_celery.worker.run_control import ALREADY_RUNNING, RunControl


@pytest.fixture
def core(core: Core) -> Core:
    """A core whose function a live worker has."""
    return enrolled(core)


def may_run(core: Core, run: Started) -> bool:
    """Ask for a run to be the only one."""
    return core.write(statements.occurrences.take_alone, run)


def occurrences(core: Core, clock: ManualClock, count: int, **fields: object) -> list[UUID]:
    """Fire so many occurrences of one cron ticker, the earliest first."""
    cron_id = make_cron(core, "* * * * *", **fields)
    for _ in range(count):
        clock.advance(minutes=1)
        fire(core)
    return [each.id for each in occurrences_of(core, cron_id)]


def test_of_two_that_started_together_the_lower_runs(core: Core, clock: ManualClock) -> None:
    lower, higher = (started(core, each) for each in occurrences(core, clock, 2))
    assert not may_run(core, higher)
    assert may_run(core, lower)
    assert may_run(core, lower)


def test_of_equal_moments_the_lower_id_runs(core: Core, clock: ManualClock) -> None:
    first, second = (started(core, each) for each in occurrences(core, clock, 2))
    same = Started(
        **{name: getattr(second, name) for name in second.__slots__}
        | {"execution_time": first.execution_time}
    )
    assert first.id < second.id
    assert not may_run(core, same)


def test_who_runs_is_not_overtaken_by_an_earlier_one_that_starts_late(core: Core, clock: ManualClock) -> None:
    earlier, later = occurrences(core, clock, 2)
    runs = started(core, later)
    assert may_run(core, runs)
    late = started(core, earlier)
    assert not may_run(core, late)
    assert finish(core, runs, succeeded(runs.standing))
    assert may_run(core, late)


def test_a_retry_has_to_ask_again(core: Core, clock: ManualClock) -> None:
    earlier, later = occurrences(core, clock, 2, retries=1, retry_intervals=[60])
    run = started(core, later)
    assert may_run(core, run)
    assert fail(core, run)
    assert row_of(core, later).alone_for is None
    assert may_run(core, started(core, earlier))
    clock.advance(minutes=1)
    assert not may_run(core, started(core, later))


def test_a_superseded_claim_takes_no_overlap_lock(core: Core, clock: ManualClock) -> None:
    [only] = occurrences(core, clock, 1)
    run = started(core, only)
    assert finish(core, run, succeeded(run.standing))
    assert not may_run(core, run)
    assert row_of(core, only).alone_for is None


def test_other_cron_tickers_do_not_matter(core: Core, clock: ManualClock) -> None:
    [one], [other] = (occurrences(core, clock, 1) for _ in range(2))
    assert may_run(core, started(core, one))
    assert may_run(core, started(core, other))


@pytest.mark.row_locks
def test_of_workers_that_ask_at_once_one_may_run(core: Core, clock: ManualClock) -> None:
    for _ in range(5):
        runs = [started(core, each) for each in occurrences(core, clock, 3)]
        with processes(core, 3) as workers:
            answers = at_once(
                *(partial(may_run, worker, run) for worker, run in zip(workers, runs, strict=True))
            )
        assert answers == [True, False, False]


@pytest.mark.row_locks
def test_of_workers_that_ask_at_once_the_key_alone_lets_one_run(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements.occurrences, "_has_elder", lambda connection, run: False)
    for _ in range(5):
        runs = [started(core, each) for each in occurrences(core, clock, 3)]
        with processes(core, 3) as workers:
            answers = at_once(
                *(partial(may_run, worker, run) for worker, run in zip(workers, runs, strict=True))
            )
        assert sorted(answers) == [False, False, True]


def test_who_may_not_run_ends_as_skipped_and_a_time_ticker_always_may(core: Core, clock: ManualClock) -> None:
    def control(run: Started) -> RunControl:
        return RunControl(core, run, CancelFlag(), seen=0)

    lower, higher = (started(core, each) for each in occurrences(core, clock, 2))
    control(lower).skip_if_already_running()
    with pytest.raises(TerminateExecution, match=ALREADY_RUNNING) as raised:
        control(higher).skip_if_already_running()
    assert raised.value.status is TickerStatus.SKIPPED
    for _ in range(2):
        control(started(core, make_run(core))).skip_if_already_running()
    assert higher.execution_time is not None
    assert lower.execution_time == higher.execution_time - timedelta(minutes=1)
