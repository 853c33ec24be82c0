"""Seeding: workers write what their functions define, once, and touch nothing else."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from pydantic import BaseModel

from tests.inner import Core, make_function
from tests.integration.conftest import send
from tests.integration.cron.firing import fire
from tests.integration.cron.seeding import DAILY, HOURLY, rows, seeded
from tests.integration.making import (
    at_once,
    cron_row_of,
    crons,
    enrolled,
    make_cron,
    occurrences_of,
    processes,
)
from tests.manual_clock import START, ManualClock
from tests.tables import functions, nodes
from tickerq_celery.cron.seeding import prune, seed
from tickerq_celery.enums import MisfirePolicy, OverlapPolicy, TickerPriority
from tickerq_celery.store.functions.functions import find

MakeCore = Callable[..., Core]


class Greeting(BaseModel):
    size: int


def test_a_worker_seeds_the_cron_ticker_that_its_function_defines(make_core: MakeCore) -> None:
    function = send(
        cron=DAILY,
        time_zone="Europe/Berlin",
        retries=2,
        retry_intervals=[60],
        priority=TickerPriority.HIGH,
        queue="mail",
        misfire=MisfirePolicy.SKIP,
        overlap=OverlapPolicy.SKIP,
    )
    row = seeded(make_core(function))
    assert (row.function, row.seed_key, row.expression, row.seed_expression) == ("Send", "Send", DAILY, DAILY)
    assert (row.time_zone, row.retries, row.retry_intervals) == ("Europe/Berlin", 2, (timedelta(minutes=1),))
    assert (row.priority, row.queue, row.misfire, row.overlap) == (
        TickerPriority.HIGH,
        "mail",
        "skip",
        "skip",
    )
    assert row.next_run_at.isoformat() == "2026-01-16T08:00:00+00:00"
    assert row.is_enabled


def test_a_function_without_cron_seeds_nothing(core: Core) -> None:
    assert rows(enrolled(core)) == []


@pytest.mark.row_locks
def test_workers_that_enrol_at_once_seed_one_row(make_core: MakeCore) -> None:
    core = make_core(send(cron=DAILY), send("Other", cron=HOURLY), send("Third"))
    with processes(core, 20) as workers:
        at_once(*(partial(enrolled, worker) for worker in workers))
    assert sorted(row.function for row in rows(core)) == ["Other", "Send"]
    assert sorted(row.name for row in rows(core, functions)) == ["Other", "Send", "Third"]
    assert len(rows(core, nodes)) == 20


def test_enrolling_again_changes_nothing(make_core: MakeCore, clock: ManualClock) -> None:
    core = make_core(send(cron=DAILY))
    before = seeded(core)
    clock.advance(hours=2)
    assert seeded(core) == before


def test_a_changed_expression_in_the_code_is_applied_from_its_next_instant_on(make_core: MakeCore) -> None:
    before = seeded(make_core(send(cron=DAILY)))
    after = seeded(make_core(send(cron=HOURLY)))
    assert (after.id, after.expression, after.seed_expression) == (before.id, HOURLY, HOURLY)
    assert (after.next_run_at - START).total_seconds() == 3600


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("retries", 5),
        ("priority", TickerPriority.LOW),
        ("queue", "slow"),
        ("misfire", MisfirePolicy.RUN_ALL),
        ("overlap", OverlapPolicy.SKIP),
        ("time_zone", "Asia/Tokyo"),
    ],
)
def test_what_else_the_code_says_is_applied_too(make_core: MakeCore, option: str, value: object) -> None:
    seeded(make_core(send(cron=DAILY)))
    row = seeded(make_core(send(cron=DAILY, **{option: value})))
    assert getattr(row, option) == value


def test_an_operators_expression_stays_whatever_the_code_says_later(make_core: MakeCore) -> None:
    core = make_core(send(cron=DAILY))
    cron = seeded(core)
    changed = crons(core).update(cron.id, expression="0 30 6 * * *", time_zone="Asia/Tokyo")
    again = seeded(core)
    assert (again.expression, again.time_zone) == (changed.expression, "Asia/Tokyo")
    later = seeded(make_core(send(cron=HOURLY)))
    assert (later.expression, later.time_zone) == (changed.expression, "Asia/Tokyo")
    assert (later.seed_expression, later.next_run_at) == (HOURLY, changed.next_run_at)


@pytest.mark.parametrize("own", [{"time_zone": "Asia/Tokyo"}, {"day_or": True}], ids=str)
def test_an_operators_zone_or_rule_of_days_stays_whatever_the_code_says_later(
    make_core: MakeCore, own: dict[str, Any]
) -> None:
    cron_id = seeded(make_core(send(cron="0 9 13 * FRI"))).id
    crons(make_core(send())).update(cron_id, **own)
    row = seeded(make_core(send(cron="0 8 13 * FRI", time_zone="Europe/Berlin")))._mapping
    assert (row["expression"], row["seed_expression"]) == ("0 9 13 * FRI", "0 8 13 * FRI")
    assert row["time_zone"] == own.get("time_zone", "UTC")
    assert row["day_or"] is own.get("day_or", False)


def test_what_the_code_says_otherwise_reaches_occurrences_that_have_not_begun(
    make_core: MakeCore, clock: ManualClock
) -> None:
    core = make_core(send(cron=HOURLY, queue="a"))
    cron_id = seeded(core).id
    clock.advance(hours=1)
    fire(core)
    seeded(make_core(send(cron=HOURLY, queue="b", retries=3)))
    (occurrence,) = occurrences_of(core, cron_id)
    assert (occurrence.queue, occurrence.retries) == ("b", 3)


def test_an_operator_who_returns_to_the_codes_expression_lets_it_follow_again(make_core: MakeCore) -> None:
    cron_id = seeded(make_core(send(cron="0  9 * * *"))).id
    operator = crons(make_core(send()))
    operator.update(cron_id, expression="0 10 * * *")
    operator.update(cron_id, expression="0  9 * * *")
    assert seeded(make_core(send(cron="0 8 * * *"))).expression == "0 8 * * *"


def test_an_interval_whose_code_names_no_start_any_more_begins_now(
    make_core: MakeCore, clock: ManualClock
) -> None:
    minute = timedelta(minutes=1)
    assert (
        seeded(make_core(send(every=60, start_at=START + 500 * minute))).next_run_at == START + 500 * minute
    )
    clock.advance(minutes=7)
    row = seeded(make_core(send(every=60)))
    assert (row.start_at, row.next_run_at) == (START + 7 * minute, START + 8 * minute)
    clock.advance(minutes=7)
    assert seeded(make_core(send(every=60))).start_at == START + 7 * minute


def test_the_codes_jitter_ends_at_an_operators_own_interval(make_core: MakeCore) -> None:
    cron_id = seeded(make_core(send(every=60))).id
    operator = crons(make_core(send()))
    operator.update(cron_id, every=20)
    assert seeded(make_core(send(every=60, jitter=50))).jitter == timedelta(seconds=20)
    assert operator.update(cron_id, description="still its own").expression == "@every 20s"


def test_a_paused_cron_ticker_stays_paused_when_the_code_changes(make_core: MakeCore) -> None:
    core = make_core(send(cron=DAILY))
    crons(core).pause(seeded(core).id)
    row = seeded(make_core(send(cron=HOURLY)))
    assert (row.is_enabled, row.next_run_at, row.expression) == (False, None, HOURLY)


def test_a_worker_touches_no_other_functions_cron_tickers(make_core: MakeCore, clock: ManualClock) -> None:
    core = make_core(send(cron=DAILY))
    others, manual = seeded(core), make_cron(core, "*/5 * * * *")
    before = [cron_row_of(core, cron_id) for cron_id in (others.id, manual)]
    clock.advance(hours=1)
    enrolled(make_core(send("Other", cron=HOURLY)))
    enrolled(make_core(send("Third")))
    assert [cron_row_of(core, cron_id) for cron_id in (others.id, manual)] == before


def test_namespaces_seed_a_row_each(make_core: MakeCore, namespace: str) -> None:
    ours = make_core(send(cron=DAILY))
    theirs = make_core(send(cron=DAILY), namespace=f"{namespace}-b")
    assert seeded(ours).id != seeded(theirs).id


def test_functions_that_differ_by_case_seed_a_row_each(make_core: MakeCore) -> None:
    core = enrolled(make_core(send("Send", cron=DAILY), send("send", cron=HOURLY)))
    assert {row.function: row.expression for row in rows(core)} == {"Send": DAILY, "send": HOURLY}


def test_a_worker_that_does_not_seed_registers_its_functions_only(make_core: MakeCore) -> None:
    core = enrolled(make_core(send(cron=DAILY), seed=False))
    assert rows(core) == []
    assert [row.name for row in rows(core, functions)] == ["Send"]


def test_the_seed_command_seeds_without_a_worker(make_core: MakeCore) -> None:
    core = make_core(send(cron=DAILY))
    seed(core)
    assert len(rows(core)) == 1
    assert rows(core, nodes) == []


def test_a_function_is_registered_as_the_latest_worker_says(make_core: MakeCore) -> None:
    enrolled(make_core(send(retries=1)))
    core = enrolled(make_core(send(retries=2, retry_intervals=[5, 10], max_concurrency=3, queue="mail")))
    found = core.read(find, ["Send", "send"])
    record = found.pop("Send")
    assert found == {}
    assert (record.retries, record.retry_intervals, record.max_concurrency) == (
        2, (timedelta(seconds=5), timedelta(seconds=10)), 3,
    )  # fmt: skip
    assert record.queue == "mail"


def test_a_worker_registers_what_each_functions_request_looks_like(make_core: MakeCore) -> None:
    def greet(request: Greeting) -> None: ...

    core = enrolled(make_core(make_function(greet, "Greet"), send()))
    schemas = {row.name: row.request_schema for row in rows(core, functions)}
    assert schemas["Send"] is None
    assert schemas["Greet"]["title"] == "Greeting"
    assert schemas["Greet"]["properties"]["size"]["type"] == "integer"


def test_pruning_pauses_what_the_code_no_longer_defines_and_nothing_else(make_core: MakeCore) -> None:
    core = make_core(send(cron=DAILY), send("Old", cron=HOURLY))
    enrolled(core)
    manual = make_cron(core)
    assert prune(make_core(send(cron=DAILY))) == ["Old"]
    state = {row.function: (row.is_enabled, row.next_run_at is None) for row in rows(core) if row.seed_key}
    assert state == {"Send": (True, False), "Old": (False, True)}
    assert cron_row_of(core, manual).is_enabled
