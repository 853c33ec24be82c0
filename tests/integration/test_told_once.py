"""Each instant is told once: as an occurrence, or in a record, which is no run."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.integration.making import (
    canceller,
    claim,
    crons,
    enrolled,
    finish,
    make_cron,
    occurrences_of,
    started,
    storing,
)
from tests.integration.test_firing import fire
from tests.manual_clock import ManualClock
from tests.missed import missed
from tickerq_celery.core import Core
from tickerq_celery.enums import TickerStatus
from tickerq_celery.errors import TickerStateError
from tickerq_celery.lifecycle import skipped
from tickerq_celery.managers.runs import RunManager

RECORDED: dict[str, dict[str, Any]] = {
    "an outage": {},
    "a pause": {"is_paused": True},
    "an edit": {"edit": {"expression": "30 * * * *"}},
    "bounds": {"edit": {"end_at": datetime(2026, 1, 15, 12, 30, tzinfo=UTC)}},
}


def at(hour: int, minute: int = 0, *, day: int = 15) -> datetime:
    return datetime(2026, 1, day, hour, minute, tzinfo=UTC)


def runs(core: Core) -> RunManager:
    return RunManager(storing(core), canceller(core))


@pytest.mark.parametrize("what", RECORDED)
def test_a_record_is_no_run_and_cannot_be_retried(core: Core, clock: ManualClock, what: str) -> None:
    enrolled(core)
    cron_id = make_cron(core)
    way = RECORDED[what]
    if "is_paused" in way:
        crons(core).pause(cron_id)
    clock.set(at(15))
    if "is_paused" in way:
        crons(core).resume(cron_id)
    if "edit" in way:
        crons(core).update(cron_id, **way["edit"])
    fire(core)
    claim(core)
    (record,) = [row for row in occurrences_of(core, cron_id) if missed(row.skipped_reason)]
    with pytest.raises(TickerStateError, match="is the record of instants that did not run"):
        runs(core).retry(record.id)
    assert record in occurrences_of(core, cron_id)
    assert claim(core) == []


def test_a_run_by_hand_that_was_skipped_or_cancelled_can_be_retried(core: Core) -> None:
    enrolled(core)
    cron_id = make_cron(core)
    ended, withdrawn = crons(core).run_now(cron_id), crons(core).run_now(cron_id)
    runs(core).cancel(withdrawn.id)
    run = started(core, ended.id)
    finish(core, run, skipped(run.standing, "nothing to send"))
    for each in (ended, withdrawn):
        assert runs(core).retry(each.id).status is TickerStatus.IDLE
    assert {claimed.id for claimed in claim(core)} == {ended.id, withdrawn.id}
