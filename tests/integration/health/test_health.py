"""What a report finds in a store that is as it says; what a probe looks at; and what neither changes."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from tests.inner import Database, DropReason, new_id
from tests.integration.apps import change_row, enrol_worker, join, ticker_app
from tests.manual_clock import START, ManualClock
from tests.servers.schema_template import make_schema
from tests.statements import drops
from tests.tables import metadata, nodes, pauses
from tests.thoroughness import in_verify
from tickerq_celery import CronTicker, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.broker.address import broker_address
from tickerq_celery.enums import NodeKind
from tickerq_celery.errors import (
    QueryTooWideError,
    StoreError,
    StoreTimeoutError,
    StoreUnreachableError,
    TickerValidationError,
)
from tickerq_celery.views import Finding, HealthReport, Severity, Subject, SubjectKind

LATER = START + timedelta(days=365)


@pytest.fixture
def shop(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    """An app with a live beat, and a live worker of its one function and its default queue."""
    yield from _alive(store_url, namespace, clock)


@pytest.fixture
def lone_shop(empty_database_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    """The same in a store of its own: what has ended of late is read across all namespaces."""
    make_schema(empty_database_url)
    yield from _alive(empty_database_url, namespace, clock)


def _alive(url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with ticker_app(url, namespace, clock) as made:
        made.function("Send")(lambda context: None)
        join(made, NodeKind.BEAT)
        join(made, NodeKind.WORKER, queues=[namespace])
        yield made


def problems(report: HealthReport) -> list[tuple[str, str, str | None]]:
    return [
        (each.code.value, each.severity.value, each.subject and each.subject.name) for each in report.problems
    ]


def beat_all(tickerq: TickerQ, kind: NodeKind | None = None) -> None:
    """Let the nodes of the namespace beat now."""
    own = nodes.c.namespace == tickerq.config.namespace
    which = own if kind is None else own & (nodes.c.kind == kind.value)
    now = tickerq.core.clock.now()
    tickerq.core.database.write(
        lambda connection: connection.execute(
            update(nodes).where(which).values(seen_at=now, clock_at=now, ticked_at=now)
        )
    )


@pytest.mark.every_database
def test_all_is_well_where_beat_and_worker_live_and_nothing_is_late(shop: TickerQ) -> None:
    report = shop.health.report()
    assert (report.severity, report.problems, report.at) == (Severity.OK, (), START)
    assert [each.code.value for each in report.findings] == [
        "store", "broker", "beats", "workers", "backlog",
    ]  # fmt: skip
    assert report.headline.startswith("All well: beat ")
    assert report.headline.endswith(" is alive, seen less than 1 s ago; no run is active, and none waits")


@pytest.mark.every_database
def test_faults_of_every_kind_are_found_by_name(
    lone_shop: TickerQ, clock: ManualClock, namespace: str
) -> None:
    shop = lone_shop
    seeded(shop)
    clock.advance(minutes=10)
    beat_all(shop, NodeKind.BEAT)
    join(shop, NodeKind.WORKER, queues=["other"], version="9.9")
    put_clock_forward(shop, join(shop, NodeKind.WORKER, name="celery@future", queues=["other"]))
    join(shop, NodeKind.WORKER, name="celery@elsewhere", queues=["other"], broker="redis://elsewhere/0")
    here = broker_address(shop.app)
    join(shop, NodeKind.WORKER, namespace="theirs", queues=[namespace], broker=here)
    with ticker_app(shop.store_url, namespace, clock) as other:
        other.function("Send", retries=5)(lambda context: None)
        join(other, NodeKind.WORKER, queues=["other"])
    report = shop.health.report()
    found = problems(report)
    worker = next(each for each in shop.nodes.find() if each.queues == (namespace,))
    assert ("worker_dead", "failed", worker.name) in found
    assert {each for each in found if each[2] != worker.name} == {
        ("orphaned_runs", "failed", "Send"),
        ("overdue_crons", "failed", None),
        ("overdue_runs", "failed", None),
        ("unreported_calls", "warning", None),
        ("no_consumer", "failed", namespace),
        ("no_function", "warning", "Unknown"),
        ("limit_full", "warning", "Send"),
        ("failing", "warning", "Send"),
        ("paused", "warning", "Paused"),
        ("paused", "warning", "Digest (0 9 * * *)"),
        ("clock_off", "failed", "celery@future"),
        ("other_broker", "warning", "celery@elsewhere"),
        ("shared_queue", "failed", namespace),
        ("function_skew", "warning", "Send"),
        ("version_skew", "warning", None),
        ("retention_late", "warning", None),
        ("roll_up_late", "warning", None),
    }
    assert "messages dropped in the last 24 hours: 2 old_claim" in [each.text for each in report.findings]


def put_clock_forward(tickerq: TickerQ, node_id: UUID) -> None:
    """Let a node's clock have been a minute ahead at its last heartbeat."""
    clock_at = tickerq.core.clock.now() + timedelta(minutes=1)
    statement = update(nodes).where(nodes.c.id == node_id).values(clock_at=clock_at)
    tickerq.core.database.write(lambda connection: connection.execute(statement))


def seeded(shop: TickerQ) -> None:
    """Store one fault of each kind, each of which is late ten minutes from now."""
    runs = [shop.time_tickers.add(TimeTicker(function="Send", execution_time=LATER)) for _ in range(8)]
    queued = {"status": TickerStatus.QUEUED, "due_at": None, "check_at": LATER, "locked_at": START}
    worker = next(each for each in shop.nodes.find() if each.kind is NodeKind.WORKER)
    running = {
        "status": TickerStatus.IN_PROGRESS,
        "due_at": None,
        "running_on": worker.id,
        "lock_holder": worker.name,
        "locked_at": START,
        "started_at": START,
    }
    held = {"due_at": None, "held_since": START, "hold_key": "Send"}
    long_ago = START - timedelta(days=32)
    ended = {"status": TickerStatus.DONE, "ended_status": TickerStatus.DONE, "ended_at": long_ago}
    change_row(shop, runs[0].id, due_at=START)
    change_row(shop, runs[1].id, **queued)
    change_row(shop, runs[2].id, **running)
    change_row(shop, runs[3].id, **held, held_for="limit")
    change_row(shop, runs[4].id, due_at=None, **ended)
    poisoned = {"status": TickerStatus.FAILED, "ended_status": TickerStatus.FAILED, "ended_at": START}
    for _ in range(5):
        run = shop.time_tickers.add(TimeTicker(function="Send", execution_time=LATER))
        change_row(shop, run.id, due_at=None, exception_type="UnreadableRequestError", **poisoned)
    call = TimeTicker(function="Send", execution_time=LATER, children=[TimeTicker(function="Send")])
    published = {**queued, "kind": "celery_task", "published_at": START}
    change_row(shop, shop.time_tickers.add(call).id, **published)
    unknown = shop.time_tickers.add(TimeTicker(function="Unknown", execution_time=LATER), allow_unknown=True)
    change_row(shop, unknown.id, due_at=None, held_since=START, held_for="function", hold_key="Unknown")
    shop.pauses.pause(function="Paused", reason="why", allow_unknown=True)
    digest = shop.cron_tickers.add(CronTicker(function="Digest", expression="0 9 * * *"), allow_unknown=True)
    shop.cron_tickers.pause(digest.id)
    shop.cron_tickers.add(CronTicker(function="Send", expression="* * * * *"))
    shop.core.write(drops.count, worker.id, {DropReason.OLD_CLAIM: 2})


@pytest.mark.every_database
def test_a_limit_whose_slots_stay_taken_is_found_after_a_lease_and_a_busy_one_is_not(
    shop: TickerQ, clock: ManualClock
) -> None:
    shop.function("Import", max_concurrency=2)(lambda context: None)
    enrol_worker(shop)

    def taken(at: datetime) -> UUID:
        run = shop.time_tickers.add(TimeTicker(function="Import", execution_time=LATER))
        queued = {"status": TickerStatus.QUEUED, "due_at": None, "check_at": LATER}
        change_row(shop, run.id, **queued, published_at=at, locked_at=at, lock_holder="celery@web1")
        return run.id

    def limit_full() -> list[Finding]:
        clock.set(START + timedelta(seconds=40))
        beat_all(shop)
        return [each for each in shop.health.report().problems if each.code == "limit_full"]

    waiting = shop.time_tickers.add(TimeTicker(function="Import", execution_time=LATER))
    held = {"held_for": "limit", "hold_key": "Import", "held_since": START}
    change_row(shop, waiting.id, due_at=None, queue="slow", **held)
    first, last = taken(START), taken(START + timedelta(seconds=20))
    assert limit_full() == []
    change_row(shop, last, locked_at=START + timedelta(seconds=9))
    [found] = limit_full()
    assert (found.severity, found.subject) == (Severity.WARNING, Subject(SubjectKind.FUNCTION, "Import"))
    assert found.text == (
        "1 run of Import waits for a slot of the function's limit for 40 s, since 2026-01-15 12:00:00Z; "
        f"all 2 slots are held by {first} on celery@web1 since 2026-01-15 12:00:00Z and 1 more, "
        "the last one since 2026-01-15 12:00:09Z"
    )
    assert "`tickerq runs --active --function Import` lists them" in (found.remedy or "")
    assert f"`tickerq explain {waiting.id}`" in (found.remedy or "")
    assert (found.remedy or "").endswith("raise max_concurrency, or cancel a run that has a slot")
    change_row(shop, first, cancel_request="end")
    [found] = limit_full()
    assert (found.remedy or "").endswith(
        f"or kill the first, which was asked to end: `tickerq cancel --terminate {first}`"
    )
    change_row(shop, last, status=TickerStatus.IDLE, check_at=None, due_at=LATER)
    assert limit_full() == []


@pytest.mark.every_database
def test_a_run_that_was_asked_to_end_is_found_after_five_minutes(shop: TickerQ, clock: ManualClock) -> None:
    worker = next(each for each in shop.nodes.find() if each.kind is NodeKind.WORKER)
    running = {"status": TickerStatus.IN_PROGRESS, "due_at": None, "lock_holder": "w1", "started_at": START}

    def added(on: UUID = worker.id, **values: Any) -> UUID:
        run = shop.time_tickers.add(TimeTicker(function="Send", execution_time=LATER))
        change_row(shop, run.id, **running, running_on=on, updated_at=START, **values)
        return run.id

    asked, killed = added(cancel_request="end"), added(cancel_request="terminate")
    added()
    added(on=new_id(), cancel_request="end")

    def unheeded(minutes: int) -> list[Finding]:
        clock.set(START + timedelta(minutes=minutes))
        beat_all(shop)
        return [each for each in shop.health.report().problems if each.code == "cancel_unheeded"]

    assert unheeded(5) == []
    found = {each.subject and each.subject.id: each for each in unheeded(6)}
    assert found.keys() == {asked, killed}
    at = "2026-01-15 12:00:00Z, and is in progress on w1 still"
    assert {each.text for each in found.values()} == {
        f"Send was asked to end at {at}", f"Send was to be killed at {at}",
    }  # fmt: skip
    assert f"`tickerq cancel --terminate {asked}` kills its process" in (found[asked].remedy or "")
    assert "its function ends by itself where it calls" in (found[asked].remedy or "")
    assert "restart its worker" in (found[killed].remedy or "")


@pytest.mark.every_database
def test_runs_that_wait_behind_others_of_their_function_are_a_warning_once_they_wait_for_long(
    shop: TickerQ, clock: ManualClock
) -> None:
    queued, waiting = (
        shop.time_tickers.add(TimeTicker(function="Send", execution_time=LATER)).id for _ in range(2)
    )
    change_row(shop, waiting, due_at=START)

    def found(minutes: int) -> list[tuple[str, str, str | None]]:
        clock.set(START + timedelta(minutes=minutes))
        taken = {"published_at": clock.now(), "locked_at": clock.now(), "lock_holder": "celery@web1"}
        change_row(shop, queued, status=TickerStatus.QUEUED, due_at=None, check_at=LATER, **taken)
        beat_all(shop)
        return problems(shop.health.report())

    assert found(4) == []
    assert found(6) == [("limit_full", "warning", "Send")]
    change_row(shop, queued, status=TickerStatus.IDLE, check_at=None, due_at=LATER)
    assert problems(shop.health.report()) == [("overdue_runs", "failed", None)]


def test_a_finding_says_what_it_is_about_so_that_a_page_can_link_it(
    shop: TickerQ, clock: ManualClock, namespace: str
) -> None:
    seeded(shop)
    clock.advance(minutes=10)
    beat_all(shop, NodeKind.BEAT)
    shop.pauses.pause(tag="eu")
    shop.pauses.pause(everything=True)
    join(shop, NodeKind.WORKER, queues=["other"])
    digest = next(iter(shop.cron_tickers.find(function="Digest")))
    worker = next(each for each in shop.nodes.find() if each.queues == (namespace,))
    assert {each.subject for each in shop.health.report().problems} >= {
        Subject(SubjectKind.NODE, worker.name, worker.id),
        Subject(SubjectKind.QUEUE, namespace),
        Subject(SubjectKind.FUNCTION, "Unknown"),
        Subject(SubjectKind.FUNCTION, "Paused"),
        Subject(SubjectKind.TAG, "eu"),
        Subject(SubjectKind.EVERYTHING),
        Subject(SubjectKind.CRON_TICKER, "Digest (0 9 * * *)", digest.id),
    }


@pytest.mark.every_database
def test_overdue_runs_are_split_by_what_keeps_them(shop: TickerQ, clock: ManualClock) -> None:
    for _ in range(3):
        run = shop.time_tickers.add(TimeTicker(function="Invoice", execution_time=LATER), allow_unknown=True)
        change_row(shop, run.id, due_at=START)
    clock.advance(minutes=1)
    beat_all(shop)
    [found] = shop.health.report().problems
    assert (found.code, found.subject) == ("no_function", Subject(SubjectKind.FUNCTION, "Invoice"))
    assert found.text == (
        "3 runs of Invoice wait: no live worker has this function, the first since 2026-01-15 12:00:00Z"
    )
    run = shop.time_tickers.add(TimeTicker(function="Send", execution_time=LATER))
    change_row(shop, run.id, due_at=START)
    overdue, without = shop.health.report().problems
    assert (overdue.code, without) == ("overdue_runs", found)
    assert overdue.text.startswith("1 run is overdue")
    assert (overdue.remedy or "").startswith("beats complete their ticks: ")


def test_a_report_and_a_probe_change_nothing(shop: TickerQ, clock: ManualClock) -> None:
    seeded(shop)
    clock.advance(minutes=10)
    before = everything(shop)
    shop.health.report()
    shop.health.probe("beat")
    assert everything(shop) == before


def everything(shop: TickerQ) -> list[object]:
    """Return all rows of the store."""
    return [
        shop.core.database.read(lambda connection, table=table: connection.execute(select(table)).all())
        for table in metadata.sorted_tables
    ]


def test_a_node_is_silent_after_two_and_a_half_heartbeats_and_well_again_with_the_next(
    shop: TickerQ, clock: ManualClock
) -> None:
    beat = next(each.name for each in shop.nodes.find() if each.kind is NodeKind.BEAT)
    clock.advance(seconds=25)
    beat_all(shop, NodeKind.WORKER)
    assert shop.health.report().is_well
    clock.advance(seconds=0.1)
    report = shop.health.report()
    assert problems(report) == [("beat_silent", "failed", beat)]
    assert f"beat {beat} is silent: its last heartbeat came 25 s ago" in report.headline
    clock.advance(seconds=5)
    assert problems(shop.health.report())[0] == ("beat_dead", "failed", beat)
    beat_all(shop)
    assert shop.health.report().is_well


def test_a_probe_sees_its_kind_and_its_host_only(shop: TickerQ, clock: ManualClock) -> None:
    join(shop, NodeKind.WORKER, queues=["mail"], host="elsewhere")
    clock.advance(seconds=60)
    beat_all(shop, NodeKind.WORKER)
    assert [each.code.value for each in shop.health.probe("beat").findings] == ["beat_dead"]
    assert [each.text for each in shop.health.probe(NodeKind.WORKER).findings] == ["2 workers are alive"]
    assert len(shop.health.probe("worker", host="elsewhere").findings) == 1
    assert problems(shop.health.probe("worker", host="gone")) == [("no_worker", "failed", None)]
    with pytest.raises(TickerValidationError, match="kind"):
        shop.health.probe("wroker")  # type: ignore[arg-type]


def test_a_store_without_tables_and_one_that_is_silent_are_findings(tmp_path: Path) -> None:
    with ticker_app(f"sqlite:///{tmp_path}/none.db", "empty") as empty:
        report = empty.health.report()
        assert problems(report)[0][:2] == ("schema", "failed")
        assert "has no tables yet: run" in report.headline
        assert (report.at, empty.health.probe("beat").is_well) == (None, False)
        assert not (tmp_path / "none.db").exists()
    with ticker_app("postgresql+psycopg://nobody@127.0.0.1:1/none", "down") as down:
        assert problems(down.health.report())[0][:2] == ("store", "failed")
        assert [each.code.value for each in down.health.probe("worker").findings] == ["store"]


def test_a_broker_that_does_not_answer_is_a_failure_of_reports_and_none_of_probes(shop: TickerQ) -> None:
    shop.app.conf.broker_url = "redis://ada:secret@127.0.0.1:1/0"
    report = shop.health.report()
    assert ("broker", "failed", "redis://ada:***@127.0.0.1:1/0") in problems(report)
    assert "secret" not in str(report)
    assert shop.health.probe("worker").is_well


@pytest.mark.parametrize(
    ("broker", "found"),
    [
        ("memory://", {("beat_late", "failed")}),
        ("redis://127.0.0.1:1/0", {("beat_late", "warning"), ("broker", "warning")}),
    ],
)
def test_a_late_beat_is_not_to_be_restarted_while_the_broker_is_what_it_waits_for(
    shop: TickerQ, clock: ManualClock, broker: str, found: set[tuple[str, str]]
) -> None:
    shop.app.conf.broker_url = broker
    clock.advance(seconds=60)
    own = nodes.c.namespace == shop.config.namespace
    beats_on = update(nodes).where(own).values(seen_at=clock.now(), clock_at=clock.now())
    shop.core.database.write(lambda connection: connection.execute(beats_on))
    assert {each[:2] for each in problems(shop.health.probe("beat"))} == found


def test_retention_names_what_is_misspelt_and_knows_what_ran_once(
    store_url: str, namespace: str, clock: ManualClock
) -> None:
    kept = {name: timedelta(days=1) for name in ("Send", "Sned", "Ran", "Digest")}
    with ticker_app(store_url, namespace, clock, retention={"functions": kept}) as shop:
        shop.function("Send")(lambda context: None)
        ran = shop.time_tickers.add(TimeTicker(function="Ran", execution_time=LATER), allow_unknown=True)
        ended = {"status": TickerStatus.DONE, "ended_status": TickerStatus.DONE, "ended_at": START}
        change_row(shop, ran.id, due_at=None, held_for=None, hold_key=None, held_since=None, **ended)
        shop.cron_tickers.add(CronTicker(function="Digest", expression="0 9 * * *"), allow_unknown=True)
        named = [each.subject for each in shop.health.report().findings if each.code == "retention_name"]
    assert named == [Subject(SubjectKind.FUNCTION, "Sned")]


@pytest.mark.parametrize(
    ("fields", "is_late"),
    [
        ({}, True),
        ({"ended_at": START - timedelta(days=30, hours=23)}, False),
        ({"has_children": True}, False),
        ({"function": "Kept"}, False),
        ({"ended_status": TickerStatus.FAILED, "status": TickerStatus.FAILED}, False),
    ],
)
def test_history_is_late_only_where_a_run_of_no_chain_is_a_day_beyond_its_time(
    store_url: str, namespace: str, clock: ManualClock, fields: dict[str, object], is_late: bool
) -> None:
    with ticker_app(store_url, namespace, clock, retention={"functions": {"Kept": None}}) as shop:
        shop.function("Send")(lambda context: None)
        ended = {
            "status": TickerStatus.DONE,
            "ended_status": TickerStatus.DONE,
            "ended_at": START - timedelta(days=31, hours=1),
        }
        run = shop.time_tickers.add(TimeTicker(function="Send", execution_time=LATER))
        change_row(shop, run.id, due_at=None, **{**ended, **fields})
        found = [each.code.value for each in shop.health.report().problems]
    assert ("retention_late" in found) is is_late


LOCKS = {"postgresql": "LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", "mysql": "LOCK TABLES {} WRITE"}


@pytest.mark.parametrize("empty_database_url", ["postgres", in_verify("mariadb")], indirect=True)
def test_a_store_that_is_slow_is_said_with_what_was_slow(
    empty_database_url: str, namespace: str, clock: ManualClock
) -> None:
    make_schema(empty_database_url)
    with ticker_app(empty_database_url, namespace, clock, read_budget=1.5) as made:
        locked = Database(made.core.database.url)
        with locked.engine.connect() as connection:
            connection.execute(text(LOCKS[connection.dialect.name].format(pauses.name)))
            [store, *_] = made.health.report().problems
            if connection.dialect.name == "mysql":
                connection.execute(text("UNLOCK TABLES"))
        locked.close()
    assert (store.code.value, store.severity) == ("store", Severity.FAILURE)
    assert re.search(r" answers too slowly: to read pauses took [^,]+, and a report has 1.5 s$", store.text)
    assert store.remedy == "look in the database for locks, long transactions and load"
    assert store.measured == f"the store {store.text[store.text.index('answers') :]}"


@pytest.mark.parametrize(
    ("error", "measured"),
    [
        (StoreTimeoutError(2.9), "the store gave no answer within 2.9 s"),
        (StoreUnreachableError("secret"), "the store cannot be reached: it takes no connection"),
        (StoreError("secret"), "the store answered with an error: `tickerq health` says which"),
    ],
)
def test_what_is_measured_of_a_store_that_cannot_be_read_tells_time_connection_and_error_apart(
    shop: TickerQ, monkeypatch: pytest.MonkeyPatch, error: StoreError, measured: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("tickerq_celery.health.facts.node_views.find", fail)
    for report in (shop.health.report(), shop.health.probe("beat")):
        assert report.problems[0].measured == measured


def test_a_store_that_is_slow_for_a_probe_is_said_so_too(
    shop: TickerQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: object, **__: object) -> None:
        raise QueryTooWideError(2.0)

    monkeypatch.setattr("tickerq_celery.health.facts.node_views.find", slow)
    [store] = shop.health.probe("beat").problems
    assert " answers too slowly: to read beats and workers took " in store.text
    assert "narrow its filters" not in store.text
