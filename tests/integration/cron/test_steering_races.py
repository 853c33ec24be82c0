"""An edit, a pause and a delete in the very second of the fire: never a double, a gap or an orphan."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from tests.conftest import DATABASES
from tests.inner import Core
from tests.integration.cron.firing import fire
from tests.integration.making import at_once, claim, cron_row_of, crons, enrolled, make_cron, processes
from tests.integration.making import occurrences_of as rows_of
from tests.manual_clock import ManualClock
from tests.missed import missed
from tests.tables import tickers
from tests.thoroughness import in_proof, in_verify
from tickerq_celery.enums import TickerStatus

MINUTE = timedelta(minutes=1)
each_number_of_times = pytest.mark.parametrize(
    ("store_url", "times"),
    [
        *((kind, 8) for kind in DATABASES),
        in_verify("postgres", 200),
        in_verify("mariadb", 200),
        # It has one writer at a time, with whom none can race.
        in_proof("sqlite", 200),
    ],
    indirect=["store_url"],
)
pytestmark = [pytest.mark.row_locks, pytest.mark.timeout(900)]
EVERY_MINUTE, EVERY_HOUR = "* * * * *", "30 * * * *"


@pytest.fixture
def others(core: Core) -> Iterator[Sequence[Core]]:
    """Three other processes, opened once for all races of a test."""
    with processes(core, 3) as made:
        yield made


def steer(
    core: Core, others: Sequence[Core], clock: ManualClock, action: Callable[[Core, UUID], object]
) -> tuple[UUID, datetime]:
    """Let two beats fire and claim an instant while another process acts on its cron ticker."""
    first, second, operator = others
    cron_id = make_cron(core, EVERY_MINUTE)
    due: datetime = cron_row_of(core, cron_id).next_run_at
    clock.set(due)

    def beat(other: Core) -> None:
        fire(other)
        claim(other)

    at_once(lambda: beat(first), lambda: beat(second), lambda: action(operator, cron_id))
    return cron_id, due


def recorded(core: Core, cron_id: UUID) -> list[datetime]:
    """Return the instants that have an occurrence, or stand in a record."""
    found = []
    for row in rows_of(core, cron_id):
        record = missed(row.skipped_reason)
        found += [row.instant] if record is None else [record.first]
        assert record is None or record.count == 1
    return found


def edit(core: Core, cron_id: UUID) -> None:
    crons(core).update(cron_id, expression=EVERY_HOUR)


def pause(core: Core, cron_id: UUID) -> None:
    crons(core).pause(cron_id)


def delete(core: Core, cron_id: UUID) -> None:
    crons(core).delete(cron_id)


@each_number_of_times
def test_an_edit_lets_nothing_fire_by_the_old_expression(
    core: Core, others: Sequence[Core], clock: ManualClock, times: int
) -> None:
    enrolled(core)
    for _ in range(times):
        cron_id, due = steer(core, others, clock, edit)
        assert recorded(core, cron_id) == [due]
        assert {row.status for row in rows_of(core, cron_id)} <= {TickerStatus.QUEUED, TickerStatus.SKIPPED}
        fire(core)
        assert claim(core) == []
        assert cron_row_of(core, cron_id).next_run_at.minute == 30
        crons(core).delete(cron_id)


@each_number_of_times
def test_a_pause_stops_an_instant_or_comes_after_it(
    core: Core, others: Sequence[Core], clock: ManualClock, times: int
) -> None:
    enrolled(core)
    for _ in range(times):
        cron_id, due = steer(core, others, clock, pause)
        fire(core)
        claimed = {row.id for row in rows_of(core, cron_id) if row.status is TickerStatus.QUEUED}
        assert {each.id for each in claim(core)} == set()
        crons(core).resume(cron_id)
        assert recorded(core, cron_id) == [due]
        left = {row.id for row in rows_of(core, cron_id) if row.due_at is not None}
        assert len(claimed) + len(left) <= 1
        crons(core).delete(cron_id)


@each_number_of_times
def test_a_delete_leaves_no_orphan(
    core: Core, others: Sequence[Core], clock: ManualClock, times: int
) -> None:
    enrolled(core)
    for _ in range(times):
        cron_id, _ = steer(core, others, clock, delete)
        assert rows_of(core, cron_id) == []
    statement = select(func.count()).where(tickers.c.namespace == core.config.namespace)
    assert core.database.read(lambda connection: connection.scalar(statement)) == 0
