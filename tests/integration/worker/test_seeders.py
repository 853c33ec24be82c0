"""Seeders: which worker runs them and when, and that what they write and their row commit together."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NoReturn

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from tests.inner import Core, NodeRegistration, Transaction, profile
from tests.integration.apps import ticker_app
from tests.integration.making import another_node, at_once, processes, worker_profile
from tests.manual_clock import ManualClock
from tests.statements import nodes
from tests.statements import seeders as stored_seeders
from tests.tables import seeders as seeders_table
from tickerq_celery import CronTicker, TickerQ, TimeTicker
from tickerq_celery.enums import NodeKind
from tickerq_celery.errors import StoreError
from tickerq_celery.functions.seeders import Seeder
from tickerq_celery.worker.enrolment import enrol
from tickerq_celery.worker.seeding import Seeding, SeedingThread, run_seeder


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock) as made:
        made.function("Send")(lambda context: None)
        yield made


def one(session: Session) -> None:
    """Stand for a seeder that writes nothing."""


def start(core: Core) -> Core:
    """Let a worker start, up to its seeders; return its core."""
    enrol(core, NodeRegistration(worker_profile(core)))
    return core


def seeded(core: Core) -> list[Seeding]:
    """Run all seeders of a worker, in their order."""
    return [run_seeder(core, each) for each in core.registry.seeders]


def started(tickerq: TickerQ) -> list[Seeding]:
    """Let another worker start, with its seeders."""
    return seeded(start(another_node(tickerq.core)))


def stop_all(tickerq: TickerQ) -> None:
    core = tickerq.core
    for node in core.read(nodes.list_nodes):
        core.write(nodes.remove, node.id)


def rows(tickerq: TickerQ) -> dict[str, Any]:
    """Return the seeders' rows by name."""
    statement = select(seeders_table).where(seeders_table.c.namespace == tickerq.config.namespace)
    found = tickerq.core.read(lambda tx: tx.execute(statement).all())
    return {row.name: row for row in found if row.name}


def test_a_seeder_runs_when_a_worker_starts_that_is_alone(tickerq: TickerQ) -> None:
    calls = []

    @tickerq.seeder
    def demo(session: Session) -> None:
        calls.append(session)
        tickerq.time_tickers.add(TimeTicker(function="Send"), session=session)
        tickerq.cron_tickers.add(CronTicker(function="Send", expression="@daily"), session=session)

    first = another_node(tickerq.core)
    assert seeded(start(first)) == [Seeding.RAN]
    assert started(tickerq) == [Seeding.NOT_WANTED]
    assert (len(calls), tickerq.runs.count(), len(tickerq.cron_tickers.find())) == (1, 1, 1)
    row = rows(tickerq)["demo"]
    assert (row.version, row.is_due, row.ran_on) == (None, False, first.node.name)
    assert row.ran_at == tickerq.core.clock.now()

    stop_all(tickerq)
    assert started(tickerq) == [Seeding.RAN]
    assert len(calls) == 2


def test_a_seeder_does_not_run_where_the_worker_that_ran_it_has_gone_and_others_live(
    tickerq: TickerQ,
) -> None:
    tickerq.seeder(one)
    first = start(another_node(tickerq.core))
    assert seeded(first) == [Seeding.RAN]
    assert started(tickerq) == [Seeding.NOT_WANTED]
    first.write(nodes.remove, first.node.id)
    assert started(tickerq) == [Seeding.NOT_WANTED]


def test_a_worker_that_was_killed_counts_for_one_lease(tickerq: TickerQ, clock: ManualClock) -> None:
    tickerq.seeder(one)
    assert started(tickerq) == [Seeding.RAN]
    clock.advance(seconds=tickerq.config.lease.total_seconds() - 1)
    assert started(tickerq) == [Seeding.NOT_WANTED]
    clock.advance(seconds=tickerq.config.lease.total_seconds() + 1)
    assert started(tickerq) == [Seeding.RAN]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_neither_a_beat_nor_a_worker_of_another_namespace_keeps_a_seeder_from_running(
    tickerq: TickerQ,
) -> None:
    tickerq.seeder(one)
    beat, stranger = another_node(tickerq.core), another_node(tickerq.core)
    beat.write(NodeRegistration(profile(beat, NodeKind.BEAT)).register)
    elsewhere = replace(stranger, config=replace(stranger.config, namespace="elsewhere"))
    elsewhere.write(NodeRegistration(worker_profile(elsewhere)).register)
    assert started(tickerq) == [Seeding.RAN]


def test_a_version_runs_once_and_a_lower_one_counts_as_run(tickerq: TickerQ) -> None:
    tickerq.seeder(name="demo", version=1)(one)
    core = start(tickerq.core)
    ran: list[int] = []

    def deployed(version: int) -> Seeding:
        return run_seeder(core, Seeder(name="demo", version=version, body=lambda _: ran.append(version)))

    assert [deployed(version) for version in (1, 1, 3, 2, 3)] == [
        Seeding.RAN, Seeding.NOT_WANTED, Seeding.RAN, Seeding.NOT_WANTED, Seeding.NOT_WANTED,
    ]  # fmt: skip
    assert (ran, rows(tickerq)["demo"].version) == ([1, 3], 3)


def test_a_version_that_is_taken_away_and_comes_back_has_run(tickerq: TickerQ) -> None:
    tickerq.seeder(name="demo", version=2)(one)
    core = start(tickerq.core)
    assert seeded(core) == [Seeding.RAN]
    assert run_seeder(core, Seeder(name="demo", version=None, body=one)) is Seeding.NOT_WANTED
    assert seeded(core) == [Seeding.NOT_WANTED]


def test_a_version_runs_also_where_other_workers_live(tickerq: TickerQ) -> None:
    start(another_node(tickerq.core))
    tickerq.seeder(name="demo", version=1)(one)
    assert started(tickerq) == [Seeding.RAN]
    assert started(tickerq) == [Seeding.NOT_WANTED]


def test_a_changed_name_is_another_seeder(tickerq: TickerQ) -> None:
    tickerq.seeder(name="before", version=1)(one)
    assert started(tickerq) == [Seeding.RAN]
    tickerq.seeder(name="after", version=1)(one)
    assert started(tickerq) == [Seeding.NOT_WANTED, Seeding.RAN]
    assert rows(tickerq).keys() == {"before", "after"}


@pytest.mark.row_locks
def test_of_twenty_workers_that_start_at_once_one_seeds(tickerq: TickerQ) -> None:
    tickerq.seeder(name="versioned", version=1)(lambda session: add(tickerq, session))
    tickerq.seeder(name="of each fleet")(lambda session: add(tickerq, session))

    def work(core: Core) -> list[Seeding]:
        start(core)
        outcomes = []
        for each in core.registry.seeders:
            while (outcome := run_seeder(core, each)) is Seeding.ELSEWHERE:
                pass
            outcomes.append(outcome)
        return outcomes

    # In the second fleet the rows are there already.
    for runs in (2, 3):
        with processes(tickerq.core, 20) as cores:
            outcomes = at_once(*(lambda core=core: work(core) for core in cores))
        assert tickerq.runs.count() == runs
        of_each_fleet = [each[1].name for each in outcomes]
        assert sorted(of_each_fleet) == ["NOT_WANTED"] * 19 + ["RAN"]
        stop_all(tickerq)


@pytest.mark.parametrize("store_url", ["postgres", "mariadb"], indirect=True)
def test_workers_of_a_namespace_enrol_one_after_the_other(tickerq: TickerQ) -> None:
    tickerq.seeder(one)
    assert started(tickerq) == [Seeding.RAN]
    stop_all(tickerq)
    with processes(tickerq.core, 2) as (first, second):
        other = threading.Thread(target=second.write, args=(enrol_one, second))

        def enrol_beside_the_other(tx: Transaction) -> None:
            enrol_one(tx, first)
            other.start()
            other.join(0.3)
            assert other.is_alive()

        first.write(enrol_beside_the_other)
        other.join(30)
        assert not other.is_alive()


def enrol_one(tx: Transaction, core: Core) -> None:
    stored_seeders.enrol(tx, ["one"], unversioned=[], node_id=core.node.id, lease=core.config.lease)


def add(tickerq: TickerQ, session: Session) -> None:
    tickerq.time_tickers.add(TimeTicker(function="Send"), session=session)


@pytest.mark.parametrize("store_url", ["postgres", "mariadb"], indirect=True)
def test_a_worker_waits_while_another_one_seeds(tickerq: TickerQ) -> None:
    began, may_end = threading.Event(), threading.Event()

    @tickerq.seeder
    def slow(session: Session) -> None:
        began.set()
        assert may_end.wait(30)

    with processes(tickerq.core, 2) as (first, second):
        start(first)
        thread = threading.Thread(target=seeded, args=(first,))
        thread.start()
        assert began.wait(30)
        # Nor does its enrolment wait for the seeder.
        start(second)
        assert seeded(second) == [Seeding.ELSEWHERE]
        may_end.set()
        thread.join(30)
        assert seeded(second) == [Seeding.NOT_WANTED]


@pytest.mark.every_database
@pytest.mark.parametrize("ends", ["commits", "rolls back", "raises"])
def test_what_a_seeder_writes_and_its_row_commit_together(
    tickerq: TickerQ, ends: str, caplog: pytest.LogCaptureFixture
) -> None:
    @tickerq.seeder
    def demo(session: Session) -> None:
        add(tickerq, session)
        if ends == "commits":
            session.commit()
            add(tickerq, session)
        elif ends == "rolls back":
            session.rollback()
        else:
            raise ZeroDivisionError("no stock")

    outcome = started(tickerq)
    if ends == "raises":
        assert outcome == [Seeding.FAILED]
        assert "seeder demo has failed and is rolled back" in caplog.text
        assert "ZeroDivisionError: no stock" in caplog.text
    else:
        assert outcome == [Seeding.RAN]
    assert tickerq.runs.count() == {"commits": 2, "rolls back": 0, "raises": 0}[ends]
    assert rows(tickerq)["demo"].is_due == (ends == "raises")


@pytest.mark.every_database
def test_a_seeder_that_failed_after_its_commit_leaves_nothing(tickerq: TickerQ) -> None:
    @tickerq.seeder(version=1)
    def demo(session: Session) -> None:
        add(tickerq, session)
        session.commit()
        raise SystemExit(1)

    assert started(tickerq) == [Seeding.FAILED]
    assert (tickerq.runs.count(), rows(tickerq)["demo"].version) == (0, None)


@pytest.mark.every_database
def test_a_seeder_whose_statement_is_wrong_has_failed_and_holds_up_no_other(tickerq: TickerQ) -> None:
    @tickerq.seeder
    def demo(session: Session) -> None:
        session.execute(text("SELECT nothing FROM tickerq_nodes"))

    tickerq.seeder(name="later")(one)
    assert started(tickerq) == [Seeding.FAILED, Seeding.RAN]


def test_a_thread_that_was_stopped_before_it_began_runs_no_seeder(tickerq: TickerQ) -> None:
    seen: list[Session] = []
    tickerq.seeder(name="demo", version=1)(seen.append)
    core = start(another_node(tickerq.core))
    thread = SeedingThread(core, core.registry.seeders)
    thread.stop()
    thread.run()
    assert seen == []


def test_a_seeder_that_failed_is_run_again_by_the_next_worker_that_starts(tickerq: TickerQ) -> None:
    failures = [ZeroDivisionError()]

    @tickerq.seeder
    def demo(session: Session) -> None:
        if failures:
            raise failures.pop()

    tickerq.seeder(name="later")(one)
    assert started(tickerq) == [Seeding.FAILED, Seeding.RAN]
    assert started(tickerq) == [Seeding.RAN, Seeding.NOT_WANTED]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_seeder_that_passes_no_session_fails_where_there_is_one_writer_and_is_not_tried_for_ever(
    tickerq: TickerQ,
) -> None:
    @tickerq.seeder
    def demo(session: Session) -> None:
        raise StoreError("database is locked")

    assert started(tickerq) == [Seeding.FAILED]


def test_seeders_run_after_the_codes_cron_tickers_are_there(tickerq: TickerQ) -> None:
    tickerq.function("Daily", cron="@daily")(lambda: None)
    seen = []

    @tickerq.seeder
    def demo(session: Session) -> None:
        seen.extend(cron.function for cron in tickerq.cron_tickers.find())

    assert started(tickerq) == [Seeding.RAN]
    assert seen == ["Daily"]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_the_thread_of_a_worker_runs_them_in_their_order_and_waits_for_another_worker(
    tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    for name in ("users", "accounts", "orders"):
        tickerq.seeder(name=name)(lambda session, name=name: order.append(name))
    core = start(another_node(tickerq.core))
    answers = iter([Seeding.ELSEWHERE, Seeding.UNREACHABLE])

    def run(core: Core, seeder: Seeder) -> Seeding:
        return next(answers, None) or run_seeder(core, seeder)

    monkeypatch.setattr("tickerq_celery.worker.seeding.run_seeder", run)
    monkeypatch.setattr("tickerq_celery.worker.seeding._PAUSE", 0)
    thread = SeedingThread(core, core.registry.seeders)
    thread.start()
    thread.join(30)
    assert order == ["users", "accounts", "orders"]
    thread.stop()
    assert not thread.is_alive()


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_seeder_that_waits_for_the_store_asks_less_and_less_often(
    tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tickerq.seeder(name="users")(one)
    core = start(another_node(tickerq.core))
    pauses: list[float] = []
    thread = SeedingThread(core, core.registry.seeders)

    def unreachable(*_: object, **__: object) -> NoReturn:
        raise StoreError("unreachable")

    def wait(seconds: float) -> bool:
        pauses.append(seconds)
        if sum(pauses) > 600:
            thread.stop()
        return True

    monkeypatch.setattr(thread._stopped, "wait", wait)
    monkeypatch.setattr(core.database, "run", unreachable)
    thread.run()
    assert all(pause <= 30 for pause in pauses)
    assert 20 < len(pauses) == caplog.text.count("seeder users waits") < 60


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_with_seed_switched_off_no_seeder_is_enrolled(
    store_url: str, namespace: str, clock: ManualClock
) -> None:
    with ticker_app(store_url, namespace, clock, seed=False) as tickerq:
        tickerq.seeder(one)
        start(tickerq.core)
        assert rows(tickerq) == {}
