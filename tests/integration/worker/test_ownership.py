"""An attempt can ask whether it still is the one that does its run's work."""

import pytest

from tests.inner import Core, Started, succeeded
from tests.integration.beats import Beat, pass_lease
from tests.integration.making import enrolled, finish, make_run, started
from tests.manual_clock import ManualClock
from tickerq_celery.errors import ClaimSupersededError
from tickerq_celery.worker.cancel_flag import CancelFlag
from tickerq_celery.worker.run_control import RunControl


@pytest.fixture
def core(core: Core) -> Core:
    """A core whose function a live worker has."""
    return enrolled(core)


def control(core: Core, run: Started) -> RunControl:
    return RunControl(core, run, CancelFlag(), seen=0)


def test_who_was_taken_for_dead_does_not_own_its_run_and_who_has_it_now_does(
    core: Core, clock: ManualClock
) -> None:
    late = started(core, make_run(core))
    control(core, late).ensure_owned()
    beat = Beat(core)
    pass_lease(beat, clock)
    beat.sweep()
    enrolled(core)
    newer = started(core, late.id)
    control(core, newer).ensure_owned()
    with pytest.raises(ClaimSupersededError, match=f"claim 1 of run {late.id} was superseded"):
        control(core, late).ensure_owned()


def test_a_run_that_has_ended_has_no_owner(core: Core) -> None:
    run = started(core, make_run(core))
    assert finish(core, run, succeeded(run.standing))
    with pytest.raises(ClaimSupersededError):
        control(core, run).ensure_owned()
