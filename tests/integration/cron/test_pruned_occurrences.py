"""What was pruned of a cron ticker's history is not made up again: by a backfill, a misfire or a count."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.inner import Core
from tests.integration.conftest import send
from tests.integration.cron.firing import alter, fire, instants
from tests.integration.locking import locked
from tests.integration.making import (
    ON_SERVERS,
    cron_row_of,
    crons,
    enrolled,
    make_cron,
    occurrences_of,
    time_tickers,
)
from tests.integration.pruning import A_DAY, end, prune
from tests.manual_clock import START, ManualClock
from tests.tables import cron_tickers
from tickerq_celery import MisfirePolicy, TickerStatus, TimeTicker
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.wording import moment

MakeCore = Callable[..., Core]
HOUR = timedelta(hours=1)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def core(make_core: MakeCore) -> Core:
    """A core that keeps what is Done for a day and what Failed for three."""
    return enrolled(make_core(send(), **A_DAY))


def backfilled(core: Core, clock: ManualClock, *ends: TickerStatus, **fields: Any) -> tuple[UUID, list[UUID]]:
    """Store an hourly cron ticker with an occurrence for each of some hours long ago, which ends so."""
    cron_id = make_cron(core, **fields)
    made = crons(core).backfill(cron_id, BEGIN, BEGIN + len(ends) * HOUR, per_minute=60_000)
    clock.advance(seconds=1)
    for run, status in zip(made, ends, strict=True):
        end(core, run.id, status)
    return cron_id, [run.id for run in made]


def test_a_backfill_reaches_back_to_the_instant_after_the_latest_pruned_one(
    core: Core, clock: ManualClock
) -> None:
    cron_id, _ = backfilled(core, clock, TickerStatus.FAILED, TickerStatus.DONE, TickerStatus.DONE)
    clock.advance(days=2)
    assert prune(core) == 2
    # The failure is older than what is gone, and keeps nothing from being refused.
    assert instants(core, cron_id, TickerStatus.FAILED) == [BEGIN]
    first = BEGIN + 3 * HOUR
    with pytest.raises(TickerValidationError, match=f"begin at {moment(first)}") as refused:
        crons(core).backfill(cron_id, BEGIN, BEGIN + 5 * HOUR)
    assert refused.value.field == "start"
    assert len(occurrences_of(core, cron_id)) == 1
    assert [run.execution_time for run in crons(core).backfill(cron_id, first, BEGIN + 5 * HOUR)] == [
        first,
        first + HOUR,
    ]


def test_a_range_before_a_pruned_instant_without_instants_is_no_matter(
    core: Core, clock: ManualClock
) -> None:
    cron_id, _ = backfilled(core, clock, TickerStatus.DONE)
    clock.advance(days=2)
    prune(core)
    assert crons(core).backfill(cron_id, BEGIN - timedelta(minutes=2), BEGIN - timedelta(minutes=1)) == []
    assert len(crons(core).backfill(cron_id, BEGIN + timedelta(minutes=1), BEGIN + 2 * HOUR)) == 1


def test_manual_runs_and_misfire_records_leave_no_mark(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, misfire=MisfirePolicy.SKIP)
    end(core, crons(core).run_now(cron_id).id)
    clock.advance(hours=5, minutes=1)
    fire(core)
    assert [row.instant for row in occurrences_of(core, cron_id)] == [None, None]
    clock.advance(days=31)
    assert prune(core) == 2
    assert cron_row_of(core, cron_id).pruned_until is None


def test_a_mark_never_moves_back_and_changes_no_version(core: Core, clock: ManualClock) -> None:
    cron_id, ids = backfilled(core, clock, TickerStatus.FAILED, TickerStatus.DONE)
    clock.advance(days=2)
    version = cron_row_of(core, cron_id).updated_at
    assert prune(core) == 1
    clock.advance(days=2)
    assert prune(core) == 1
    row = cron_row_of(core, cron_id)
    assert (row.pruned_until, row.updated_at) == (BEGIN + HOUR, version)
    assert occurrences_of(core, cron_id) == []
    assert len(ids) == 2


def test_the_record_of_a_skip_stays_until_its_instant_is_past_its_time(
    make_core: MakeCore, clock: ManualClock
) -> None:
    core = enrolled(make_core(send(), retention={"skipped": timedelta(days=1)}))
    cron_id = make_cron(core, "0 0 1 * *")
    instant = cron_row_of(core, cron_id).next_run_at
    assert instant is not None
    crons(core).skip_next(cron_id)
    clock.advance(days=2)
    assert clock.now() < instant
    assert prune(core) == 0
    # No instant to come is taken for one that was pruned.
    crons(core).update(cron_id, expression="0 * * * *")
    clock.advance(hours=1)
    fire(core)
    assert len(instants(core, cron_id)) == 1
    clock.advance(seconds=(instant + timedelta(days=1) - clock.now()).total_seconds())
    assert prune(core) == 0
    clock.advance(seconds=1)
    assert prune(core) == 1
    assert cron_row_of(core, cron_id).pruned_until == instant


def test_a_skip_is_undone_however_long_ago_it_was(make_core: MakeCore, clock: ManualClock) -> None:
    core = enrolled(make_core(send(), retention={"skipped": timedelta(days=1)}))
    cron_id = make_cron(core, "0 0 1 * *")
    instant = cron_row_of(core, cron_id).next_run_at
    crons(core).skip_next(cron_id)
    clock.advance(days=2)
    prune(core)
    assert crons(core).unskip_next(cron_id).next_run_at == instant


def test_an_occurrences_chain_goes_with_it(core: Core, clock: ManualClock) -> None:
    cron_id, ids = backfilled(core, clock, TickerStatus.DONE, children=[TimeTicker("Send")])
    clock.advance(days=2)
    assert prune(core) == 0
    [child] = time_tickers(core).find(parent_id=ids[0])
    end(core, child.id)
    clock.advance(days=2)
    assert prune(core) == 2
    assert cron_row_of(core, cron_id).pruned_until == BEGIN


@pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)
def test_occurrences_stay_while_another_process_has_their_cron_ticker_locked(
    core: Core, clock: ManualClock
) -> None:
    locked_id, ids = backfilled(core, clock, TickerStatus.DONE)
    free_id, _ = backfilled(core, clock, TickerStatus.DONE)
    clock.advance(days=2)
    with locked(core, cron_tickers, cron_tickers.c.id == locked_id):
        assert prune(core) == 1
    assert [row.id for row in occurrences_of(core, locked_id)] == ids
    assert occurrences_of(core, free_id) == []
    assert prune(core) == 1


@pytest.mark.parametrize("overlap", ["allow", "skip"])
def test_a_misfire_lets_no_instant_run_again_that_was_backfilled_and_pruned(
    core: Core, clock: ManualClock, overlap: str
) -> None:
    cron_id, _ = backfilled(core, clock, TickerStatus.DONE, TickerStatus.DONE, overlap=overlap)
    # As if no beat had run since then.
    alter(core, cron_id, misfire="run_all", misfire_limit=1_000, next_run_at=BEGIN)
    clock.advance(days=2)
    assert prune(core) == 2
    fire(core)
    rows = occurrences_of(core, cron_id)
    assert min(row.instant for row in rows if row.instant) == BEGIN + 2 * HOUR


def test_failures_on_both_sides_of_a_pruned_success_are_none_in_a_row(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, pause_on_failure=2)
    for status in (TickerStatus.FAILED, TickerStatus.DONE, TickerStatus.FAILED):
        clock.advance(hours=1)
        fire(core)
        [row] = [row for row in occurrences_of(core, cron_id) if row.status is TickerStatus.IDLE]
        if row.instant == START + 3 * HOUR:
            # As if a day had passed since the success.
            alter(core, cron_id, next_run_at=None)
            clock.advance(days=1, hours=2)
            assert prune(core) == 1
        end(core, row.id, status)
    clock.advance(hours=1)
    fire(core)
    assert cron_row_of(core, cron_id).is_enabled
