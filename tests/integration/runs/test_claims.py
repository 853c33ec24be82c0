"""Claiming: which due runs a beat gets, in what order, and that no two beats get the same."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, func, insert, select, text, true

from tests.inner import Claimer, Core, Dispatcher, Recorder, Transaction, succeeded
from tests.inner import claims as claim_values
from tests.integration.conftest import send
from tests.integration.cron.firing import fire
from tests.integration.making import (
    ON_SERVERS,
    ListPublisher,
    at_once,
    claim,
    claim_batch,
    count_by_status,
    enrolled,
    fail,
    finish,
    give_back,
    make_cron,
    make_run,
    make_runs,
    occurrences_of,
    processes,
    row_of,
    started,
    statements_of,
    time_tickers,
)
from tests.manual_clock import START, ManualClock
from tests.statements import claims
from tests.tables import tickers
from tickerq_celery.enums import TickerPriority, TickerStatus
from tickerq_celery.views import TickerConfig

MANY = 3_000


@pytest.fixture
def core(core: Core) -> Core:
    """A core whose function a live worker has."""
    return enrolled(core)


def with_settings(core: Core, **settings: Any) -> Core:
    return replace(core, config=TickerConfig(**{"namespace": core.config.namespace, **settings}))


def claim_until_none_is_left(core: Core) -> list[claim_values.Claim]:
    taken: list[claim_values.Claim] = []
    while TickerStatus.IDLE in count_by_status(core):
        taken += claim(core)
    return taken


@pytest.mark.row_locks
def test_beats_that_claim_at_once_share_no_run(core: Core) -> None:
    ids = make_runs(core, MANY)
    with processes(with_settings(core, batch_size=200), 3) as beats:
        taken = at_once(*(lambda beat=beat: claim_until_none_is_left(beat) for beat in beats))
    assert sorted(each.id for part in taken for each in part) == sorted(ids)
    assert {each.number for part in taken for each in part} == {1}
    assert count_by_status(core) == {TickerStatus.QUEUED: MANY}


@pytest.mark.row_locks
def test_a_run_is_published_once_however_many_beats_dispatch(core: Core) -> None:
    ids = make_runs(core, 500)
    publisher = ListPublisher()
    with processes(with_settings(core, batch_size=50), 3) as beats:

        def dispatch(beat: Core) -> None:
            while TickerStatus.IDLE in count_by_status(beat):
                Dispatcher(beat, Claimer(beat), publisher).dispatch(holder=beat.node.name)

        at_once(*(lambda beat=beat: dispatch(beat) for beat in beats))
    assert sorted(each.id for each in publisher.sent) == sorted(ids)
    assert {row_of(core, run_id).publish_count for run_id in ids[:5]} == {1}


@pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)
def test_a_beat_passes_over_runs_that_another_has_locked(core: Core) -> None:
    ids = make_runs(core, 6)

    def lock_then_claim(tx: Transaction) -> tuple[list[claim_values.Due], list[claim_values.Claim]]:
        locked = claims.lock_due(tx, limit=4)
        return locked, claim(core)

    locked, taken = core.write(lock_then_claim)
    assert {run.id for run in locked} | {each.id for each in taken} == set(ids)
    assert len(taken) == 2


def test_the_oldest_runs_are_claimed_first(core: Core, clock: ManualClock) -> None:
    late, soon, middle = (make_run(core, execution_time=START + timedelta(minutes=m)) for m in (9, 1, 5))
    clock.advance(hours=1)
    beat = with_settings(core, batch_size=1)
    assert [claim(beat)[0].id for _ in range(3)] == [soon, middle, late]


def test_a_batch_holds_no_more_than_its_size_and_says_if_it_was_full(core: Core) -> None:
    make_runs(core, 3)
    beat = with_settings(core, batch_size=2)
    batches = [claim_batch(beat) for _ in range(3)]
    assert [(len(batch.claims), batch.is_full) for batch in batches] == [(2, True), (1, False), (0, False)]


def test_a_batch_is_published_by_priority_and_then_by_age(core: Core, clock: ManualClock) -> None:
    wanted = [TickerPriority.LOW, TickerPriority.NORMAL, TickerPriority.LONG_RUNNING, TickerPriority.NORMAL]
    ids = [
        make_run(core, priority=priority, execution_time=START + timedelta(minutes=minute))
        for minute, priority in enumerate(wanted)
    ]
    clock.advance(hours=1)
    assert [each.id for each in claim(core)] == [ids[2], ids[1], ids[3], ids[0]]


def test_a_run_is_due_at_its_execution_time_and_not_before(core: Core, clock: ManualClock) -> None:
    run_id = make_run(core, execution_time=START + timedelta(seconds=10))
    clock.advance(seconds=9.999999)
    assert claim(core) == []
    clock.advance(seconds=0.000001)
    assert [each.id for each in claim(core)] == [run_id]


def test_a_claimed_run_is_queued_no_longer_due_and_names_its_holder(core: Core) -> None:
    run_id = make_run(core)
    (claimed,) = claim(core)
    row = row_of(core, run_id)
    assert (row.status, row.due_at, row.claim_no) == (TickerStatus.QUEUED, None, claimed.number)
    assert (row.lock_holder, row.locked_at) == (core.node.name, START)
    shown = time_tickers(core).get(run_id)
    assert (shown.lock_holder, shown.locked_at) == (core.node.name, START)
    assert row.check_at == START + core.config.publish_check
    assert (row.publish_count, row.published_at) == (0, None)


def test_the_claim_number_grows_with_each_claim(core: Core, clock: ManualClock) -> None:
    run_id = make_run(core, retries=1)
    numbers = []
    for _ in range(3):
        batch = claim(core)
        numbers.append(batch[0].number)
        give_back(core, batch)
    fail(core, started(core, run_id))
    clock.advance(minutes=1)
    numbers += [row_of(core, run_id).claim_no, claim(core)[0].number]
    assert numbers == [1, 2, 3, 4, 5]


def test_a_claim_by_ids_takes_only_those_that_are_due(core: Core) -> None:
    due, other = make_runs(core, 2)
    future = make_run(core, execution_time=START + timedelta(minutes=1))
    assert [each.id for each in claim(core, [future, due])] == [due]
    assert claim(core, [future, due]) == []
    assert row_of(core, other).status is TickerStatus.IDLE


def test_a_claim_by_no_ids_takes_nothing(core: Core) -> None:
    make_run(core)
    assert claim(core, []) == []


def test_a_beat_claims_in_its_own_namespace_only(core: Core) -> None:
    foreign = make_run(core, namespace=f"{core.config.namespace}-b")
    own = make_run(core)
    assert [each.id for each in claim(core)] == [own]
    assert claim(core, [foreign]) == []


@pytest.mark.parametrize(("seconds", "is_late"), [(0, False), (5, False), (5.000001, True), (3600, True)])
def test_a_run_is_late_when_first_claimed_more_than_late_after_its_time(
    core: Core, clock: ManualClock, seconds: float, is_late: bool
) -> None:
    run_id = make_run(core)
    clock.advance(seconds=seconds)
    claim(core)
    assert row_of(core, run_id).is_late is is_late


def test_a_past_execution_time_does_not_make_a_run_late(core: Core) -> None:
    run_id = make_run(core, execution_time=START - timedelta(days=1))
    claim(core)
    assert row_of(core, run_id).is_late is False


@pytest.mark.parametrize("first_delay", [0, 60])
@pytest.mark.parametrize("way_back", ["give back", "retry", "rescue"])
def test_being_late_is_decided_at_the_first_claim_and_kept(
    core: Core, clock: ManualClock, first_delay: int, way_back: str
) -> None:
    run_id = make_run(core, retries=1)
    clock.advance(seconds=first_delay)
    if way_back == "give back":
        give_back(core, claim(core))
    elif way_back == "retry":
        fail(core, started(core, run_id))
    else:
        Recorder(core).rescue(started(core, run_id), "worker lost")
    clock.advance(hours=1)
    run = started(core, run_id)
    finish(core, run, succeeded(run.standing))
    assert row_of(core, run_id).status is (TickerStatus.DUE_DONE if first_delay else TickerStatus.DONE)


def test_a_plain_claim_sends_at_most_four_statements(core: Core, clock: ManualClock) -> None:
    claimer = Claimer(core)
    make_run(core)
    assert len(claimer.claim(holder="a beat that reads what workers have").claims) == 1
    due = [*make_runs(core, 3), make_run(core, queue="mail"), make_run(core, priority=TickerPriority.LOW)]
    cron_id = make_cron(core)
    clock.advance(hours=1)
    fire(core)
    taken: list[claim_values.Claim] = []
    sent = statements_of(core, lambda: taken.extend(claimer.claim(holder="a beat").claims))
    assert {each.id for each in taken} == {*due, *(row.id for row in occurrences_of(core, cron_id))}
    assert len(sent) <= 4, sent


@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)
def test_a_claim_reads_no_run_that_is_not_due(make_core: Callable[..., Core]) -> None:
    core = enrolled(make_core(send()))
    copy_run(core, make_run(core, execution_time=START + timedelta(days=1)), times=20_000)
    copy_run(core, make_run(core), times=2_000)
    plan = "\n".join(_explained_claim(core))
    assert "Index Scan using ix_tickerq_tickers_namespace_due_at" in plan
    assert re.search(r"rows=500(\.00)? loops=1", plan)
    assert "Rows Removed by Filter" not in plan
    assert "Sort" not in plan


def copy_run(core: Core, run_id: UUID, *, times: int) -> None:
    """Store copies of a run by one statement, which takes a tenth of what adding them takes."""
    of_the_copy = {"id": func.gen_random_uuid()}
    source = tickers.join(func.generate_series(1, times).table_valued("number"), true())
    values = select(*(of_the_copy.get(each.name, each) for each in tickers.c)).select_from(source)
    statement = insert(tickers).from_select([*tickers.c], values.where(tickers.c.id == run_id))
    core.write(lambda tx: tx.execute(statement))


def _explained_claim(core: Core) -> list[str]:
    def explain(tx: Transaction) -> list[str]:
        tx.execute(text("ANALYZE tickerq_tickers"))
        sent: list[tuple[str, Any]] = []
        event.listen(tx.connection, "before_cursor_execute", lambda *args: sent.append((args[2], args[3])))
        claims.lock_due(tx, limit=500)
        statement, parameters = sent[0]
        return list(tx.connection.exec_driver_sql(f"EXPLAIN ANALYZE {statement}", parameters).scalars())

    return core.write(explain)
