"""When a run was published, began and ended: right for every way that it can take."""

from datetime import timedelta
from uuid import UUID

import pytest

from tests.inner import Claim, Core, skipped, succeeded
from tests.integration.cron.firing import fire
from tests.integration.making import (
    claim,
    enrolled,
    fail,
    failure,
    finish,
    make_cron,
    make_run,
    rescue,
    runs,
    start,
    started,
)
from tests.manual_clock import START, ManualClock
from tests.statements import publications
from tickerq_celery import Run
from tickerq_celery.enums import MisfirePolicy, TickerStatus

MINUTE = timedelta(minutes=1)
TOOK = timedelta(seconds=1.5)


@pytest.fixture
def core(core: Core) -> Core:
    """A core whose function a live worker has."""
    return enrolled(core)


def moments(run: Run) -> list[timedelta | None]:
    """Return how long after the start a run was published, began and ended, and how long it took."""
    return [
        *(each and each - START for each in (run.published_at, run.started_at, run.ended_at)),
        run.elapsed,
    ]


def seen(core: Core, run_id: UUID) -> list[timedelta | None]:
    return moments(runs(core).get(run_id))


def publish(core: Core, run_id: UUID) -> Claim:
    """Claim a run, and note that its message was published."""
    (claimed,) = claim(core, [run_id])
    core.write(publications.stamp, [claimed], check_after=core.config.republish_after)
    return claimed


def test_each_moment_is_that_of_its_step(core: Core, clock: ManualClock) -> None:
    run_id = make_run(core)
    assert seen(core, run_id) == [None, None, None, None]
    claimed = publish(core, run_id)
    assert seen(core, run_id) == [timedelta(0), None, None, None]
    clock.advance(minutes=1)
    run = start(core, claimed)
    assert run is not None
    assert seen(core, run_id) == [timedelta(0), MINUTE, None, None]
    clock.advance(minutes=1)
    finish(core, run, succeeded(run.standing))
    assert seen(core, run_id) == [timedelta(0), MINUTE, 2 * MINUTE, TOOK]


def test_a_start_before_the_note_of_its_publishing_counts_as_that(core: Core, clock: ManualClock) -> None:
    run_id = make_run(core)
    (claimed,) = claim(core, [run_id])
    clock.advance(minutes=1)
    start(core, claimed)
    clock.advance(minutes=1)
    core.write(publications.stamp, [claimed], check_after=core.config.republish_after)
    assert seen(core, run_id) == [MINUTE, MINUTE, None, None]


def test_a_retry_shows_the_moments_of_the_attempt_that_runs_or_ran_last(
    core: Core, clock: ManualClock
) -> None:
    run_id = make_run(core, retries=1, retry_intervals=[60])
    fail(core, started(core, run_id))
    assert seen(core, run_id) == [timedelta(0), timedelta(0), None, TOOK]
    clock.advance(minutes=1)
    (claimed,) = claim(core, [run_id])
    assert seen(core, run_id)[0] is None
    core.write(publications.give_back, [claimed])
    run = started(core, run_id)
    assert seen(core, run_id) == [MINUTE, MINUTE, None, None]
    clock.advance(minutes=1)
    fail(core, run)
    assert seen(core, run_id) == [MINUTE, MINUTE, 2 * MINUTE, TOOK]


def test_a_rescued_run_shows_when_its_lost_attempt_began_and_not_how_long_it_took(
    core: Core, clock: ManualClock
) -> None:
    run_id = make_run(core, retries=1, retry_intervals=[60])
    fail(core, started(core, run_id))
    clock.advance(minutes=1)
    run = started(core, run_id)
    clock.advance(minutes=1)
    rescue(core, run)
    assert seen(core, run_id) == [MINUTE, MINUTE, None, None]


def test_a_manual_retry_has_not_ended(core: Core, clock: ManualClock) -> None:
    run_id = make_run(core)
    fail(core, started(core, run_id))
    clock.advance(minutes=1)
    assert moments(runs(core).retry(run_id)) == [timedelta(0), timedelta(0), None, TOOK]


def test_a_skipped_run_began_and_ended(core: Core) -> None:
    run_id = make_run(core)
    run = started(core, run_id)
    finish(core, run, skipped(run.standing, "no need"))
    assert seen(core, run_id) == [timedelta(0), timedelta(0), timedelta(0), TOOK]


def test_what_is_cancelled_while_it_waits_has_only_ended(core: Core, clock: ManualClock) -> None:
    run_id = make_run(core, execution_time=START + MINUTE)
    clock.advance(seconds=30)
    assert moments(runs(core).cancel(run_id)) == [None, None, MINUTE / 2, None]


def test_what_is_cancelled_after_its_publishing_never_began(core: Core, clock: ManualClock) -> None:
    run_id = make_run(core)
    publish(core, run_id)
    clock.advance(minutes=1)
    assert moments(runs(core).cancel(run_id)) == [timedelta(0), None, MINUTE, None]


def test_what_cannot_be_published_has_only_ended(core: Core) -> None:
    run_id = make_run(core)
    (claimed,) = claim(core, [run_id])
    core.write(publications.fail, claimed, failure())
    assert seen(core, run_id) == [None, None, timedelta(0), None]


def test_occurrences_have_moments_as_well_and_missed_instants_have_only_ended(
    core: Core, clock: ManualClock
) -> None:
    cron_id = make_cron(core, "* * * * *", misfire=MisfirePolicy.SKIP)
    clock.advance(minutes=1)
    fire(core)
    clock.advance(hours=1)
    fire(core)
    *others, occurrence = runs(core).find(cron_ticker_id=cron_id)
    [missed] = [each for each in others if each.status is TickerStatus.SKIPPED]
    assert moments(missed) == [None, None, 61 * MINUTE, None]
    run = started(core, occurrence.id)
    finish(core, run, succeeded(run.standing))
    assert seen(core, occurrence.id) == [61 * MINUTE, 61 * MINUTE, 61 * MINUTE, TOOK]
