"""Retention: what ended is kept for its time and then goes, a chain as a whole, never what may still run."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import insert, select

from tests.inner import Core, Transaction, new_id
from tests.integration.conftest import send
from tests.integration.locking import locked
from tests.integration.making import (
    ON_SERVERS,
    all_rows,
    at_once,
    attempts_of,
    enrolled,
    make_run,
    make_runs,
    processes,
    row_of,
    runs,
    started,
    statements_of,
    time_tickers,
)
from tests.integration.pruning import A_DAY, chain, end, prune, round_of, write_records
from tests.manual_clock import ManualClock
from tests.statements import manual_retries, record_pruning
from tests.tables import attempts, bulk, logs, progress, tickers
from tickerq_celery import RunCondition, TickerStatus, TimeTicker
from tickerq_celery.errors import TickerNotFoundError, TickerStateError
from tickerq_celery.runs import pruner as pruning_module
from tickerq_celery.runs.pruner import Pruner
from tickerq_celery.store.records.pruning import lock_past, remove
from tickerq_celery.tickers.uncounted_ends import EndPosition

MakeCore = Callable[..., Core]
DONE, FAILED = TickerStatus.DONE, TickerStatus.FAILED
# As if the roll-up had counted whatever ends.
ALL = EndPosition(ended_at=datetime(9998, 1, 1, tzinfo=UTC), id=UUID(int=0))
ANY_END = RunCondition.ON_ANY_COMPLETED_STATUS


@pytest.fixture
def core(make_core: MakeCore) -> Core:
    """A core that keeps what is Done for a day and what Failed for three, and has two functions."""
    return enrolled(make_core(send(), send("Bill"), **A_DAY))


def ids_in(core: Core) -> set[UUID]:
    return {row.id for row in all_rows(core)}


def test_what_ended_is_kept_by_its_status_and_then_deleted_with_its_attempts(
    make_core: MakeCore, clock: ManualClock
) -> None:
    core = enrolled(make_core(send()))
    done, failed = end(core, make_run(core)), end(core, make_run(core), FAILED)
    cancelled = time_tickers(core).cancel(make_run(core)).id
    clock.advance(days=30)
    assert prune(core) == 0
    clock.advance(seconds=1)
    assert prune(core) == 1
    assert attempts_of(core, done) == []
    clock.advance(days=60)
    assert ids_in(core) == {failed, cancelled}
    assert prune(core) == 2
    assert ids_in(core) == set()


def test_a_function_may_have_times_of_its_own(make_core: MakeCore, clock: ManualClock) -> None:
    own = {"Bill": None, "Ping": timedelta(hours=1), "Mail": {"failed": timedelta(days=9)}}
    functions = [send(name) for name in ("Send", *own)]
    core = enrolled(make_core(*functions, retention={"functions": own}))
    for name in ("Send", *own):
        end(core, make_run(core, name))
        end(core, make_run(core, name), FAILED)
    left = []
    for days in (1, 9, 21, 60):
        clock.advance(days=days, seconds=1)
        prune(core)
        left.append({f"{row.function} {row.status}" for row in all_rows(core)})
    for_ever = {"Bill Done", "Bill Failed"}
    assert left[0] == {*for_ever, "Mail Done", "Mail Failed", "Send Done", "Send Failed"}
    assert left[1:] == [
        {*for_ever, "Mail Done", "Send Done", "Send Failed"},
        {*for_ever, "Send Failed"},
        for_ever,
    ]


def test_nothing_goes_where_all_is_kept_for_ever(make_core: MakeCore, clock: ManualClock) -> None:
    core = enrolled(make_core(send(), retention=None))
    run_id = end(core, make_run(core))
    clock.advance(days=10_000)
    assert prune(core) == 0
    assert ids_in(core) == {run_id}


def test_another_applications_history_is_not_touched(
    core: Core, make_core: MakeCore, clock: ManualClock
) -> None:
    other = enrolled(make_core(send(), namespace=f"{core.config.namespace}-other", retention=None))
    theirs, ours = end(other, make_run(other)), end(core, make_run(core))
    clock.advance(days=9)
    assert prune(core) == 1
    assert (ids_in(core), ids_in(other)) == (set(), {theirs})
    assert ours != theirs


def test_a_chain_goes_as_a_whole_when_each_of_its_runs_is_past_its_own_time(
    core: Core, clock: ManualClock
) -> None:
    ids = chain(core, TimeTicker("Send", children=[TimeTicker("Bill", run_condition=ANY_END)]))
    end(core, ids[0])
    clock.advance(days=2)
    assert prune(core) == 0
    end(core, ids[1], FAILED)
    clock.advance(days=2)
    assert prune(core) == 0
    clock.advance(days=1, seconds=1)
    assert prune(core) == 2
    assert ids_in(core) == set()


def test_a_run_kept_for_ever_keeps_its_chain(make_core: MakeCore, clock: ManualClock) -> None:
    core = enrolled(make_core(send(), send("Bill"), retention={"functions": {"Bill": None}}))
    ids = chain(core, TimeTicker("Send", children=[TimeTicker("Bill", run_condition=ANY_END)]))
    for each in ids:
        end(core, each)
    clock.advance(days=10_000)
    assert prune(core) == 0
    assert ids_in(core) == set(ids)


def test_a_deep_and_wide_chain_is_found_from_any_of_its_runs(core: Core, clock: ManualClock) -> None:
    ticker = TimeTicker("Send")
    for _ in range(20):
        ticker = TimeTicker("Send", children=[ticker, TimeTicker("Send")])
    ids = chain(core, ticker)
    end(core, ids[0])
    core.write(lambda tx: end_all(tx, ids))
    clock.advance(days=1, seconds=1)
    pruner = Pruner(core, None)
    # Of the rest, a run at the bottom: the head has not been seen by this one.
    assert round_of(pruner) == len(ids)
    assert ids_in(core) == set()


def end_all(tx: Transaction, ids: list[UUID]) -> None:
    """Let runs end as Done at once, without their attempts."""
    ended = {"status": DONE, "ended_status": DONE, "ended_at": tx.now, "due_at": None, "held_for": None}
    for each in ids:
        tx.execute(tickers.update().where(tickers.c.id == each, tickers.c.status < 3).values(ended))


@pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)
@pytest.mark.row_locks
def test_a_chain_of_which_a_run_is_being_retried_stays(core: Core, clock: ManualClock) -> None:
    head, child = chain(core, TimeTicker("Send", children=[TimeTicker("Bill", run_condition=ANY_END)]))
    end(core, head)
    end(core, child, FAILED)
    clock.advance(days=9)
    with processes(core, 1) as [other], other.database.engine.connect() as connection:
        assert manual_retries.retry(other.transaction(connection), child)
        assert prune(core) == 0
        connection.commit()
    assert prune(core) == 0
    assert ids_in(core) == {head, child}


@pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)
@pytest.mark.row_locks
def test_a_run_that_is_retried_while_it_is_pruned_is_gone(core: Core, clock: ManualClock) -> None:
    run_id = end(core, make_run(core), FAILED)
    clock.advance(days=9)
    with processes(core, 2) as [pruning, retrying], pruning.database.engine.connect() as connection:
        tx = pruning.transaction(connection)
        assert remove(tx, lock_past(tx, [run_id], lambda *_: True, counted=ALL)) == 1
        with ThreadPoolExecutor(1) as pool:
            retried = pool.submit(runs(retrying).retry, run_id)
            connection.commit()
            with pytest.raises((TickerNotFoundError, TickerStateError)):
                retried.result()
    assert ids_in(core) == set()


@pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)
@pytest.mark.row_locks
def test_a_chain_that_is_given_another_child_stays(core: Core, clock: ManualClock) -> None:
    run_id = end(core, make_run(core))
    clock.advance(days=9)
    row = row_of(core, run_id)._asdict()
    child = row | {"id": new_id(), "parent_id": run_id, "status": 0, "ended_at": None, "ended_status": None}
    with processes(core, 1) as [other], other.database.engine.connect() as connection:
        connection.execute(insert(tickers).values(child))
        assert prune(core) == 0
        connection.commit()
    assert prune(core) == 0
    assert ids_in(core) == {run_id, child["id"]}


@pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)
def test_what_another_process_has_locked_is_waited_for_by_none_and_goes_in_the_next_round(
    core: Core, clock: ManualClock
) -> None:
    first, second = end(core, make_run(core)), end(core, make_run(core))
    clock.advance(days=9)
    pruner = Pruner(core, None)
    with locked(core, tickers, tickers.c.id == first):
        assert round_of(pruner) == 1
        assert ids_in(core) == {first}
        assert pruner.busy == 1
    assert round_of(pruner) == 1
    assert round_of(pruner) == 0
    assert pruner.busy == 0
    assert second not in ids_in(core)


@pytest.mark.row_locks
def test_two_that_prune_at_once_delete_each_run_once(core: Core, clock: ManualClock) -> None:
    ids = make_runs(core, 60)
    core.write(lambda tx: end_all(tx, ids))
    kept = end(core, make_run(core), FAILED)
    clock.advance(days=2)
    with processes(core, 2) as others:
        deleted = at_once(*(lambda other=other: prune(other) for other in others))
        left = len(all_rows(core)) - 1
    assert sum(deleted) + left == 60
    assert prune(core) == left
    assert ids_in(core) == {kept}


def test_a_round_goes_on_where_the_one_before_ended(
    make_core: MakeCore, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning_module, "_AT_ONCE", 2)
    core = enrolled(make_core(send(), send("Bill"), retention={"functions": {"Bill": {"done": None}}}))
    # Behind what other namespaces have in the same database: all of that is looked at in the first round.
    clock.advance(days=3_650)
    for name in ("Bill", "Bill", "Send", "Bill", "Bill"):
        end(core, make_run(core, name))
    clock.advance(days=31)
    pruner = Pruner(core, None)
    assert looks_of(core, lambda: round_of(pruner)) > 3
    assert [row.function for row in all_rows(core)] == ["Bill"] * 4
    end(core, make_run(core))
    clock.advance(days=31)
    # One for each status: what is kept for ever is not read again.
    assert looks_of(core, lambda: round_of(pruner)) == 5
    assert [row.function for row in all_rows(core)] == ["Bill"] * 4
    pruner.begin_again()
    assert looks_of(core, lambda: round_of(pruner)) > 5


def looks_of(core: Core, work: Callable[[], object]) -> int:
    """Return how often expired runs were looked for."""
    return sum("ORDER BY tickerq_tickers.ended_at" in each for each in statements_of(core, work))


def test_old_rows_of_the_audit_and_ended_bulk_jobs_go_and_others_stay(core: Core, clock: ManualClock) -> None:
    write_records(core, clock)
    running = write_records(core, clock, ended_at=None)
    clock.advance(days=366)
    assert prune(core) == 3
    left = core.read(lambda tx: list(tx.scalars(select(bulk.c.id).where(bulk.c.namespace == tx.namespace))))
    assert left == [running]
    assert core.read(record_pruning.count_audit, timedelta(0)) == 0


def test_what_runs_or_waits_is_never_past_its_time(core: Core, clock: ManualClock) -> None:
    waiting, running = make_run(core, "Nowhere"), make_run(core)
    started(core, running)
    clock.advance(days=10_000)
    assert prune(core) == 0
    assert ids_in(core) == {waiting, running}


def test_nothing_of_a_pruned_run_is_left(core: Core, clock: ManualClock) -> None:
    run_id = end(core, make_run(core, unique_key="once"))
    own = {"ticker_id": run_id, "claim_no": 1}
    core.write(lambda tx: tx.execute(insert(progress).values(own)))
    core.write(lambda tx: tx.execute(insert(logs).values(own | {"first": 0, "attempt": 0, "lines": []})))
    clock.advance(days=2)
    assert prune(core) == 1
    for table in (attempts, logs, progress):
        found = select(table.c.ticker_id).where(table.c.ticker_id == run_id)
        assert core.read(lambda tx, found=found: tx.execute(found).all()) == []
