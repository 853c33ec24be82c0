"""What a batch costs: as many statements for sixty tickers as for six."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event

from tests.inner import Core
from tests.integration.apps import caller_engine
from tests.integration.making import (
    claim,
    crons,
    enrolled,
    fail,
    make_run,
    make_runs,
    started,
    statements_of,
    time_tickers,
)
from tests.manual_clock import START
from tickerq_celery import Cron, CronTicker, TimeTicker
from tickerq_celery.enums import TickerStatus
from tickerq_celery.errors import DuplicateTickerError, TickerStateError, TickerValidationError

LATER = START + timedelta(hours=1)


def keyed(count: int, **fields: object) -> list[TimeTicker]:
    return [
        TimeTicker(function="Send", execution_time=LATER, unique_key=f"key {number}", **fields)
        for number in range(count)
    ]


def update(core: Core, count: int) -> int:
    """Change each of so many runs to something of its own; return how many statements it took."""
    ids = make_runs(core, count, execution_time=LATER)
    changes = {
        each: {
            "description": f"number {number}",
            "execution_time": LATER + timedelta(seconds=number),
            "request": {"number": number} if number % 2 else None,
            "tags": [f"tag {number}"],
            "timeout": timedelta(seconds=number + 0.5),
            "queue": None if number == 1 else "other",
        }
        for number, each in enumerate(ids)
    }
    updated = []
    sent = statements_of(core, lambda: updated.extend(time_tickers(core).update_batch(changes)))
    assert [run.id for run in updated] == ids
    for run in updated:
        wanted = changes[run.id]
        assert {name: getattr(run, name) for name in wanted} == {**wanted, "tags": tuple(wanted["tags"])}
        assert run.next_attempt_at == wanted["execution_time"]
    return len(sent)


@pytest.mark.every_database
def test_an_update_of_many_takes_no_more_statements_than_one_of_few(core: Core) -> None:
    assert update(core, 60) == update(core, 6)


def update_crons(core: Core, count: int) -> int:
    """Change each of so many cron tickers with an occurrence; return how many statements it took."""
    added = crons(core).add_batch([CronTicker(function="Send", expression="@hourly")] * count)
    for each in added[:3]:
        crons(core).run_now(each.id)
    crons(core).backfill(added[3].id, START - timedelta(hours=2), START)
    changes = {
        cron.id: {
            "description": f"number {number}",
            "request": {"number": number} if number % 2 else None,
            "tags": [f"tag {number}"],
            "timeout": None if number == 1 else timedelta(seconds=number + 0.5),
            "retries": number % 5,
            "queue": None if number == 1 else "other",
            "pause_on_failure": number + 1,
            "exclude": (),
        }
        for number, cron in enumerate(added)
    }
    updated: list[Cron] = []
    sent = statements_of(core, lambda: updated.extend(crons(core).update_batch(changes)))
    assert [cron.id for cron in updated] == [cron.id for cron in added]
    for cron in updated:
        wanted = changes[cron.id]
        assert {name: getattr(cron, name) for name in wanted} == {**wanted, "tags": tuple(wanted["tags"])}
        assert cron.next_run_at == START + timedelta(hours=1)
        for run in crons(core).occurrences(cron.id):
            for name in ("description", "timeout", "retries", "queue"):
                assert getattr(run, name) == wanted[name]
            # A manual run keeps the request that it was given.
            assert run.request == (wanted["request"] if cron.id == added[3].id else None)
    return len(sent)


@pytest.mark.every_database
def test_an_update_of_many_cron_tickers_takes_no_more_statements_than_one_of_few(core: Core) -> None:
    assert update_crons(core, 60) == update_crons(core, 6)


def move_crons(core: Core, count: int) -> int:
    """Give each of so many cron tickers times or bounds of its own; return how many statements it took."""
    added = crons(core).add_batch([CronTicker(function="Send", expression="@hourly")] * count)
    crons(core).skip_next(added[0].id)
    changes = {
        cron.id: (
            {"expression": f"{number} * * * *"}
            if number % 2
            else {"end_at": LATER + timedelta(hours=2, minutes=number)}
        )
        for number, cron in enumerate(added)
    }
    updated: list[Cron] = []
    sent = statements_of(core, lambda: updated.extend(crons(core).update_batch(changes)))
    due = [cron.next_run_at for cron in updated]
    assert due[0] == LATER + timedelta(hours=1)
    assert due[1::2] == [START + timedelta(minutes=number) for number in range(1, count, 2)]
    assert set(due[2::2]) == {LATER}
    return len(sent)


@pytest.mark.every_database
def test_other_times_of_many_cron_tickers_take_no_more_statements_than_of_few(core: Core) -> None:
    assert move_crons(core, 60) == move_crons(core, 6)


@pytest.mark.every_database
def test_an_addition_of_many_cron_tickers_takes_no_more_statements_than_one_of_few(core: Core) -> None:
    def added(count: int) -> int:
        batch = [CronTicker(function="Send", expression="@daily", description=str(n)) for n in range(count)]
        made: list[Cron] = []
        sent = statements_of(core, lambda: made.extend(crons(core).add_batch(batch)))
        assert [cron.description for cron in made] == [str(n) for n in range(count)]
        return len(sent)

    assert added(60) == added(6)


def test_of_a_batch_of_cron_tickers_with_one_that_is_refused_nothing_is_changed(core: Core) -> None:
    ids = [cron.id for cron in crons(core).add_batch([CronTicker(function="Send", expression="@hourly")] * 3)]
    changes: dict[UUID, Any] = {each: {"description": "changed", "expression": "@daily"} for each in ids}
    changes[ids[1]]["retries"] = -1
    with pytest.raises(TickerValidationError, match=rf"changes\[{ids[1]}\]\.retries"):
        crons(core).update_batch(changes)
    assert {(cron.description, cron.expression) for cron in crons(core).find()} == {(None, "@hourly")}


@pytest.mark.parametrize("on_conflict", ["replace", "return_existing"])
def test_many_unique_tickers_take_no_more_statements_than_few(core: Core, on_conflict: str) -> None:
    def added(count: int) -> int:
        before = time_tickers(core).add_batch(keyed(count, description="before"), on_conflict="replace")
        added = []
        sent = statements_of(
            core,
            lambda: added.extend(time_tickers(core).add_batch(keyed(count + 1), on_conflict=on_conflict)),
        )
        is_kept = on_conflict == "return_existing"
        assert ({run.id for run in before} <= {run.id for run in added}) == is_kept
        assert [run.unique_key for run in added] == [f"key {number}" for number in range(count + 1)]
        assert time_tickers(core).count() == count + 1
        time_tickers(core).delete_batch([run.id for run in added])
        return len(sent)

    assert added(60) == added(6)


@pytest.mark.parametrize("on_conflict", ["replace", "return_existing"])
def test_in_a_callers_transaction_many_unique_tickers_take_no_more_statements_either(
    core: Core, on_conflict: str
) -> None:
    def added(count: int) -> int:
        engine = caller_engine(core.database.url.render_as_string(hide_password=False))
        sent: list[str] = []
        event.listen(engine, "before_cursor_execute", lambda *values: sent.append(values[2]))
        with engine.begin() as connection:
            add = partial(time_tickers(core).add_batch, keyed(count), session=connection)
            # What its snapshot shows is compared with what the store's own connections read.
            compared = statements_of(core, lambda: add(on_conflict=on_conflict))
        engine.dispose()
        return len(compared) + len(sent)

    time_tickers(core).add_batch(keyed(60))
    assert added(6) == added(60)


def test_of_a_batch_that_cannot_be_replaced_as_a_whole_nothing_is(core: Core) -> None:
    core = enrolled(core)
    before = time_tickers(core).add_batch([*keyed(6)[:5], TimeTicker(function="Send", unique_key="key 5")])
    claim(core)
    with pytest.raises(DuplicateTickerError, match="key 5"):
        time_tickers(core).add_batch(keyed(6), on_conflict="replace")
    assert [time_tickers(core).get(run.id).id for run in before] == [run.id for run in before]


def test_of_a_batch_with_one_that_is_claimed_nothing_is_changed(core: Core) -> None:
    core = enrolled(core)
    ids = [*make_runs(core, 3, execution_time=LATER), make_run(core)]
    claim(core)
    with pytest.raises(TickerStateError, match=f"{ids[-1]} is Queued"):
        time_tickers(core).update_batch({each: {"description": "changed"} for each in ids})
    assert {time_tickers(core).get(each).description for each in ids} == {None}


def test_runs_that_wait_for_a_retry_are_returned_with_their_attempts(core: Core) -> None:
    core = enrolled(core)
    ids = make_runs(core, 2, retries=1)
    for each in ids:
        fail(core, started(core, each))
    updated = time_tickers(core).update_batch({each: {"description": "changed"} for each in ids})
    assert [[attempt.status for attempt in run.attempts] for run in updated] == [[TickerStatus.FAILED]] * 2
