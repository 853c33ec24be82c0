"""How cron tickers have done lately: the ends of instants, apart from other runs of theirs."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from tests.inner import Core, failed, succeeded
from tests.integration.cron.firing import fire
from tests.integration.making import (
    claim,
    crons,
    enrolled,
    failure,
    finish,
    make_cron,
    runs,
    start,
)
from tests.manual_clock import START, ManualClock
from tests.plans.explaining import queries
from tickerq_celery.enums import TickerStatus
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.store.cron.cron_pauses import BY_FAILURES

HOUR = timedelta(hours=1)


def run_all(core: Core, *, fails: bool = False) -> list[UUID]:
    """Run what is due to its end."""
    ids = []
    for claimed in claim(core):
        run = start(core, claimed)
        assert run is not None
        outcome = failed(run.standing, failure()) if fails else succeeded(run.standing)
        assert finish(core, run, outcome)
        ids.append(run.id)
    return ids


@pytest.mark.every_database
def test_the_ends_of_instants_stand_apart_from_manual_runs_and_backfills(
    core: Core, clock: ManualClock
) -> None:
    enrolled(core)
    cron_id, other = make_cron(core, "@hourly"), make_cron(core, "0 0 1 1 *")
    ended: list[UUID] = []
    for hour in range(1, 4):
        clock.set(START + hour * HOUR)
        fire(core)
        ended += run_all(core, fails=hour == 2)
    crons(core).skip_next(cron_id)
    manual = crons(core).run_now(cron_id)
    run_all(core)
    crons(core).backfill(cron_id, START - 3 * HOUR, START - HOUR)
    clock.advance(minutes=10)
    run_all(core)
    found = crons(core).figures([cron_id, str(other), uuid4()])
    assert set(found) == {cron_id, other}
    figures = found[cron_id]
    assert [each.run_id for each in figures.outcomes] == ended
    assert [each.status is TickerStatus.FAILED for each in figures.outcomes] == [False, True, False]
    assert [each.instant for each in figures.outcomes] == [START + hour * HOUR for hour in (1, 2, 3)]
    assert figures.last_manual is not None
    assert figures.last_manual.run_id == manual.id
    assert (figures.success_share, figures.mean_duration) == (2 / 3, timedelta(seconds=1.5))
    assert figures.next_run_at == START + 5 * HOUR
    assert found[other].outcomes == ()


@pytest.mark.every_database
def test_those_are_failing_whose_last_run_failed_or_that_failures_have_paused(
    core: Core, clock: ManualClock
) -> None:
    enrolled(core)
    names = ("failing", "healed", "cancelled since", "new", "paused by its failures", "paused by ben")
    ids = {each: make_cron(core, "0 0 1 1 *") for each in names}

    def ran(name: str, *, fails: bool) -> None:
        clock.advance(minutes=1)
        crons(core).run_now(ids[name])
        run_all(core, fails=fails)

    for name, ends in {"failing": (False, True), "healed": (True, False), "cancelled since": (True,)}.items():
        for fails in ends:
            ran(name, fails=fails)
    runs(core).cancel(crons(core).run_now(ids["cancelled since"]).id)
    crons(core).pause(ids["paused by its failures"], by=BY_FAILURES)
    crons(core).pause(ids["paused by ben"], by="ben")
    for listed in (crons(core).by_name, crons(core).by_next_run):
        found = {each.id for each in listed(is_failing=True)}
        assert found == {ids[each] for each in ("failing", "cancelled since", "paused by its failures")}
        assert {each.id for each in listed(is_failing=False)} == set(ids.values()) - found


def test_many_cron_tickers_take_a_few_statements(core: Core) -> None:
    ids = [make_cron(core, "@hourly") for _ in range(60)]
    with queries() as sent:
        assert len(crons(core).figures(ids)) == 60
    assert len([each for each in sent if "tickerq_" in each.statement]) <= 3


@pytest.mark.every_database
def test_each_of_many_cron_tickers_has_its_own_ends(core: Core) -> None:
    enrolled(core)
    ids = [make_cron(core, "0 0 1 1 *") for _ in range(60)]
    ran = {ids[0], ids[1], ids[49], ids[50], ids[59]}
    for each in ran:
        crons(core).run_now(each)
    while run_all(core):
        pass
    for asked in (ids, ids[:2], ids[2:50], ids[:1]):
        found = crons(core).figures(asked)
        assert {each for each in asked if found[each].last_manual is not None} == ran & set(asked)


@pytest.mark.parametrize("ids", ["x", ["x"], [uuid4() for _ in range(201)]])
def test_what_is_no_list_of_ids_is_refused(core: Core, ids: list[UUID]) -> None:
    with pytest.raises(TickerValidationError, match=r"^ids?: "):
        crons(core).figures(ids)


@pytest.mark.every_database
def test_what_is_no_cron_ticker_has_no_figures(core: Core) -> None:
    assert crons(core).figures([]) == crons(core).figures([uuid4()]) == {}
