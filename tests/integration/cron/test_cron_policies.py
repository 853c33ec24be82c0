"""The policies of cron tickers together: misfire, overlap and pause, and what each leaves behind."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from tests.inner import BUFFERED_REASON, REPLACED_REASON, TAKEN_REASON, Core
from tests.integration.cron.firing import fire
from tests.integration.making import (
    cron_row_of,
    crons,
    enrolled,
    make_cron,
    occurrences_of,
    started,
)
from tests.manual_clock import ManualClock, at
from tests.missed import missed
from tickerq_celery.enums import HoldReason, MisfirePolicy, OverlapPolicy, TickerStatus
from tickerq_celery.schedule.cron_expression import CronSchedule

DUE, WAITS = "due", "waits"
TAKEN, BUFFERED, REPLACED = TAKEN_REASON, BUFFERED_REASON, REPLACED_REASON
AFTER_AN_OUTAGE = {
    MisfirePolicy.RUN_ONCE: (16,),
    MisfirePolicy.SKIP: (),
    MisfirePolicy.RUN_ALL: (14, 15, 16),
}
DECISIONS = {
    OverlapPolicy.ALLOW: {1: [DUE], 3: [DUE, DUE, DUE]},
    OverlapPolicy.SKIP: {1: [TAKEN], 3: [TAKEN, TAKEN, TAKEN]},
    OverlapPolicy.BUFFER_ONE: {1: [WAITS], 3: [WAITS, BUFFERED, BUFFERED]},
    OverlapPolicy.BUFFER_ALL: {1: [WAITS], 3: [WAITS, WAITS, WAITS]},
    OverlapPolicy.CANCEL_OTHER: {1: [WAITS], 3: [REPLACED, REPLACED, WAITS]},
}
PAUSES = ("not paused", "paused and resumed", "paused and resumed with what was missed")


def decisions_of(core: Core, cron_id: UUID) -> dict[int, str]:
    """Return what became of each instant, by its hour."""
    found = {}
    for row in occurrences_of(core, cron_id):
        if row.instant is not None and row.status is not TickerStatus.IN_PROGRESS:
            waits = WAITS if row.held_for == HoldReason.OVERLAP else DUE
            found[row.instant.hour] = row.skipped_reason or waits
    return found


def records_of(core: Core, cron_id: UUID) -> list[tuple[str, int, int, int]]:
    """Return the records of instants that got no occurrence: the word, first and last hour, and the count."""
    found = []
    for row in occurrences_of(core, cron_id):
        record = missed(row.skipped_reason)
        if record is not None:
            assert (row.instant, row.status, row.execution_time) == (None, TickerStatus.SKIPPED, record.first)
            word = str(row.skipped_reason).partition(":")[0]
            found.append((word, record.first.hour, record.last.hour, record.count))
    return found


@pytest.mark.parametrize("pause", PAUSES)
@pytest.mark.parametrize("overlap", OverlapPolicy)
@pytest.mark.parametrize("misfire", MisfirePolicy)
def test_each_missed_instant_is_an_occurrence_or_in_the_one_record_of_its_outage(
    core: Core, clock: ManualClock, misfire: MisfirePolicy, overlap: OverlapPolicy, pause: str
) -> None:
    cron_id = make_cron(core, misfire=misfire, overlap=overlap)
    enrolled(core)
    clock.set(at(13))
    fire(core)
    started(core, occurrences_of(core, cron_id)[0].id)

    if pause != PAUSES[0]:
        crons(core).pause(cron_id)
    clock.set(at(16, 30))
    fire(core)
    if pause != PAUSES[0]:
        assert decisions_of(core, cron_id) == {}
        crons(core).resume(cron_id, missed=pause == PAUSES[2])
    fire(core)

    run = AFTER_AN_OUTAGE[misfire] if pause != PAUSES[1] else ()
    assert decisions_of(core, cron_id) == (
        dict(zip(run, DECISIONS[overlap][len(run)], strict=True)) if run else {}
    )
    last = 16 - len(run)
    record = ("Paused" if pause == PAUSES[1] else "Missed", 14, last, 3 - len(run))
    assert records_of(core, cron_id) == ([record] if record[3] else [])
    assert cron_row_of(core, cron_id).next_run_at == at(17)


@pytest.mark.parametrize("way", ["an outage", "a pause", "a pause, and what was missed", "an edit"])
def test_a_month_of_every_second_walks_no_more_than_the_limit_and_one(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    cron_id = make_cron(core, "* * * * * *", misfire=MisfirePolicy.RUN_ALL, misfire_limit=10)
    walked: list[datetime] = []
    for name in ("next_after", "latest_at_or_before"):
        look = getattr(CronSchedule, name)

        def counted(schedule: CronSchedule, moment: datetime, look: Any = look) -> Any:
            walked.append(moment)
            return look(schedule, moment)

        monkeypatch.setattr(CronSchedule, name, counted)
    if "pause" in way:
        crons(core).pause(cron_id)
    clock.advance(days=30)
    if "pause" in way:
        crons(core).resume(cron_id, missed="missed" in way)
    if way == "an edit":
        crons(core).update(cron_id, expression="0 * * * *")
    fire(core)
    # What was missed may be counted at the resumption, and again at the fire that decides on it.
    looks = 2 if "missed" in way else 1
    assert len(walked) <= looks * (10 + 1) + 3
    rows = occurrences_of(core, cron_id)
    ran = [row for row in rows if row.skipped_reason is None]
    (record,) = [record for row in rows if (record := missed(row.skipped_reason))]
    assert len(ran) == (10 if way in {"an outage", "a pause, and what was missed"} else 0)
    assert (record.count, record.count_is_exact) == (2 if ran else 12, False)


@pytest.mark.parametrize(
    ("misfire", "occurrences"),
    [(MisfirePolicy.RUN_ONCE, 1), (MisfirePolicy.SKIP, 0), (MisfirePolicy.RUN_ALL, 12)],
)
def test_after_an_hour_down_every_five_minutes_is_one_none_or_twelve(
    core: Core, clock: ManualClock, misfire: MisfirePolicy, occurrences: int
) -> None:
    cron_id = make_cron(core, "*/5 * * * *", misfire=misfire)
    clock.advance(minutes=64)
    fire(core)
    rows = occurrences_of(core, cron_id)
    assert sum(row.status is TickerStatus.IDLE for row in rows) == occurrences
    records = [record for row in rows if (record := missed(row.skipped_reason))]
    assert [record.count for record in records] == ([12 - occurrences] if occurrences < 12 else [])
