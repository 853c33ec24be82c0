"""Batches whose tickers differ: each is stored with what it asks for itself, whatever stands beside it."""

import random
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.inner import Core
from tests.integration.making import statements_of, time_tickers
from tests.manual_clock import START
from tests.tables import tickers
from tickerq_celery import Run, TimeTicker
from tickerq_celery.enums import TickerPriority
from tickerq_celery.store.database.batches import MOST_ROWS

LATER = START + timedelta(hours=1)
HARD = timedelta(minutes=2)
ALL_SORTS = [
    TimeTicker("Send"),
    TimeTicker("Send", execution_time=LATER, description="ü 'quoted' \\ {braces},\n\"NULL\" %s :name"),
    TimeTicker(
        "Send", request={"to": ["a", None, "NULL"], "text": "ü"}, tags=["eu", 'a "b", {c}'], retries=3
    ),
    TimeTicker("Send", request="NULL", retries=3, retry_intervals=[1, timedelta(seconds=0.5)]),
    TimeTicker("Send", timeout=1.5, hard_timeout=HARD, priority="high", queue="bulk", unique_key="k 1"),
    TimeTicker("Other", delay=60, concurrency_key="customer 7", priority=TickerPriority.LOW),
    TimeTicker("Send", children=[TimeTicker("Send", execution_time=LATER, children=[TimeTicker("Other")])]),
    TimeTicker(task="shop.send", args=[1, "x"], on_lost="retry"),
    TimeTicker("Send", namespace="elsewhere"),
]


def stored(core: Core, run: Run) -> Run:
    """Return a run as it is read back."""
    inner = replace(core, config=replace(core.config, namespace=run.namespace))
    return time_tickers(inner).get(run.id)


def as_shown(run: Run) -> dict[str, object]:
    """Return what a run holds, with its request as a value."""
    names = [name for name in Run.__dataclass_fields__ if name != "stored_request"]
    return {name: getattr(run, name) for name in names} | {"request": run.request}


@pytest.mark.every_database
def test_each_ticker_of_a_batch_is_stored_as_it_was_added(core: Core) -> None:
    added = time_tickers(core).add_batch(ALL_SORTS, allow_unknown=True)
    assert [as_shown(stored(core, each)) for each in added] == [as_shown(each) for each in added]
    alone = [time_tickers(core).add(each, allow_unknown=True) for each in ALL_SORTS if not each.unique_key]
    own = {"id": None, "task_id": None, "created_at": None, "root_id": None, "updated_at": None}
    wanted = [as_shown(each) | own for each in alone]
    assert [as_shown(each) | own for each in added if not each.unique_key] == wanted


@pytest.mark.every_database
def test_an_addition_of_many_takes_no_more_statements_than_one_of_few(core: Core) -> None:
    def added(count: int) -> list[str]:
        batch = [TimeTicker("Send", request=number, execution_time=LATER) for number in range(count)]
        return statements_of(core, lambda: time_tickers(core).add_batch(batch))

    assert added(60) == added(6)


@pytest.mark.every_database
def test_of_a_batch_of_several_statements_all_are_stored(core: Core) -> None:
    count = 2 * MOST_ROWS + 1
    added = time_tickers(core).add_batch([TimeTicker("Send", request=n) for n in range(count)])
    ours = select(tickers.c.id).where(tickers.c.namespace == core.config.namespace).order_by(tickers.c.id)
    found = core.read(lambda tx: tx.scalars(ours).all())
    assert [run.id for run in added] == sorted(run.id for run in added) == list(found)
    assert [run.request for run in added] == list(range(count))


@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)
def test_postgresql_gets_the_values_of_a_batch_as_a_list_for_each_column(core: Core) -> None:
    batch = [TimeTicker("Send", request=number, execution_time=LATER) for number in range(3)]
    (insert,) = (
        each
        for each in statements_of(core, lambda: time_tickers(core).add_batch(batch))
        if each.startswith("INSERT")
    )
    columns = insert.partition("(")[2].partition(")")[0].split(", ")
    # What they have in common is sent once, and what none of them has not at all.
    assert set(columns[:2]) == {"id", "request"}
    assert insert.count("unnest(") == 1
    assert not {"description", "queue", "active_key", "ended_at"} & set(columns)


CHANGES: list[dict[str, Any]] = [
    {"description": "ü 'quoted' \\ {braces},\n\"NULL\" %s :name \U0001f600", "request": {"n": "é\\"}},
    {"description": None, "request": None},
    {"description": "null", "request": "null"},
    {"description": "", "request": ""},
    {"description": "NULL", "request": [None, 1.5, True]},
]
TIMES: list[dict[str, Any]] = [
    {"execution_time": LATER + timedelta(microseconds=1), "timeout": 1 / 3, "retry_intervals": [0.1]},
    {"execution_time": LATER, "timeout": None, "retry_intervals": []},
    {"execution_time": LATER + timedelta(days=9), "timeout": timedelta(days=1), "retry_intervals": [1, 2]},
]


@pytest.mark.every_database
@pytest.mark.parametrize("kept", [None, "every key of the function's own"])
def test_each_of_many_changes_is_written_to_its_own_ticker(core: Core, kept: str | None) -> None:
    added = time_tickers(core).add_batch(
        [TimeTicker("Send", request=kept, execution_time=LATER)] * (len(CHANGES) + len(TIMES) + 1)
    )
    changes = dict(zip((run.id for run in added), [*CHANGES, *TIMES], strict=False))
    time_tickers(core).update_batch(changes)
    for run in added:
        wanted = changes.get(run.id, {})
        if "retry_intervals" in wanted:
            seconds = [timedelta(seconds=each) for each in wanted["retry_intervals"]]
            wanted = wanted | {"retry_intervals": tuple(seconds)}
        if isinstance(wanted.get("timeout"), float):
            wanted = wanted | {"timeout": timedelta(seconds=wanted["timeout"])}
        found = time_tickers(core).get(run.id)
        assert as_shown(found) == as_shown(run) | wanted | {
            "updated_at": found.updated_at,
            "next_attempt_at": wanted.get("execution_time", run.next_attempt_at),
        }


@pytest.mark.every_database
def test_changes_of_more_than_one_statement_holds_are_all_written(core: Core) -> None:
    added = time_tickers(core).add_batch([TimeTicker("Send", execution_time=LATER)] * (MOST_ROWS + 1))
    changes = {run.id: {"description": f"number {number}"} for number, run in enumerate(added)}
    updated = time_tickers(core).update_batch(changes)
    assert [run.description for run in updated] == [each["description"] for each in changes.values()]


@pytest.mark.every_database
def test_large_requests_are_sent_in_parts(core: Core) -> None:
    # Compressed they take three quarters of that.
    large = [b64encode(random.Random(number).randbytes(700_000)).decode() for number in range(9)]
    added: list[Run] = []
    batch = [TimeTicker("Send", request=each, execution_time=LATER) for each in large]
    inserts = statements_of(core, lambda: added.extend(time_tickers(core).add_batch(batch)))
    assert len(inserts) == len(statements_of(core, lambda: time_tickers(core).add_batch(batch[:1]))) + 1
    changes = {
        run.id: {"request": f"{number} {text}"}
        for number, (run, text) in enumerate(zip(added, large, strict=True))
    }
    updated = time_tickers(core).update_batch(changes)
    assert [run.request for run in updated] == [each["request"] for each in changes.values()]


@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)
def test_postgresql_gets_the_same_statements_for_any_number_of_tickers(core: Core) -> None:
    def sent(count: int) -> list[str]:
        ids = [run.id for run in time_tickers(core).add_batch([TimeTicker("Send", delay=60)] * count)]
        changes = {each: {"description": f"number {number}"} for number, each in enumerate(ids)}
        return statements_of(
            core, lambda: (time_tickers(core).update_batch(changes), time_tickers(core).delete_batch(ids))
        )

    assert sent(6) == sent(60)
