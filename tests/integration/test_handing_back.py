"""The way out: calls that wait become Celery's own messages, once, and what Celery cannot hold stays."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from kombu.utils.json import loads
from sqlalchemy import inspect

from tests.integration.apps import change_row, enrol_worker, join, messages, row_of, ticker_app
from tests.integration.locking import locked
from tests.manual_clock import START, ManualClock
from tests.tables import tickers
from tickerq_celery import CronTicker, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.broker import handed_back
from tickerq_celery.cli.handing_back import Became, Refused, WayOut, later_file
from tickerq_celery.enums import NodeKind
from tickerq_celery.errors import ConfigError, PublishError, SchemaError
from tickerq_celery.store.calls.handing_back import LeftRuns, Why

HOUR = timedelta(hours=1)


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    """A TickerQ that keeps countdowns, with the task ``shop.add``."""
    with ticker_app(store_url, namespace, clock, durable_eta=60) as tickerq:

        @tickerq.app.task(name="shop.add", shared=False)
        def add(*numbers: Any, **others: Any) -> int:
            return len(numbers)

        yield tickerq


@pytest.fixture
def later(tmp_path: Path) -> Path:
    return tmp_path / "later.jsonl"


def way_out(tickerq: TickerQ, later: Path, horizon: timedelta | None = None) -> WayOut:
    return WayOut(tickerq.app, tickerq.core, horizon=horizon, later=later_file(str(later)))


def call(tickerq: TickerQ, *args: Any, **options: Any) -> Any:
    return tickerq.app.tasks["shop.add"].apply_async(args, **{"countdown": 600, **options})


def add(tickerq: TickerQ, **fields: Any) -> UUID:
    due = START + timedelta(seconds=600)
    return tickerq.time_tickers.add(TimeTicker(task="shop.add", execution_time=due, **fields)).id


def test_a_kept_call_becomes_celerys_message_under_its_id(tickerq: TickerQ, later: Path) -> None:
    call(tickerq, 1, task_id="order-1", kwargs={"b": 2}, link=tickerq.app.signature("shop.add"))
    assert list(way_out(tickerq, later).hand_back()) == [Became.SENT]
    [message] = messages(tickerq)
    headers, (args, kwargs, embed) = message.headers, message.decode()
    assert (headers["id"], headers["task"], args, kwargs) == ("order-1", "shop.add", [1], {"b": 2})
    assert datetime.fromisoformat(headers["eta"]) - START == timedelta(seconds=600)
    assert [each["task"] for each in embed["callbacks"]] == ["shop.add"]
    assert headers["tickerq_call"] is None
    [run] = tickerq.runs.find()
    assert (run.status, run.published_at is not None) == (TickerStatus.DONE, True)


def test_a_ticker_of_a_task_is_sent_with_its_moment_and_not_kept_again(tickerq: TickerQ, later: Path) -> None:
    queue = tickerq.app.conf.task_default_queue
    ticker = add(tickerq, args=(3,), queue=queue, options={"headers": {"trace": "x"}})
    assert list(way_out(tickerq, later).hand_back()) == [Became.SENT]
    [message] = messages(tickerq)
    assert (message.headers["id"], message.headers["trace"]) == (str(ticker), "x")
    assert datetime.fromisoformat(message.headers["eta"]) == START + timedelta(seconds=600)
    assert row_of(tickerq, ticker).status == TickerStatus.DONE
    assert len(tickerq.runs.find()) == 1


def test_what_was_handed_back_is_not_handed_back_again(tickerq: TickerQ, later: Path) -> None:
    for number in range(3):
        call(tickerq, number)
    assert list(way_out(tickerq, later).hand_back()) == [Became.SENT] * 3
    assert list(way_out(tickerq, later).hand_back()) == []
    assert len(messages(tickerq)) == 3


def test_a_broker_that_takes_nothing_ends_it_and_nothing_is_recorded(
    tickerq: TickerQ, later: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call(tickerq, 1)
    out = way_out(tickerq, later)

    def refuse() -> None:
        raise PublishError("the broker is unreachable")

    monkeypatch.setattr(out._publisher, "connect", refuse)
    with pytest.raises(PublishError):
        list(out.hand_back())
    assert [run.status for run in tickerq.runs.find()] == [TickerStatus.IDLE]


def test_a_call_that_cannot_be_sent_waits_and_the_others_go(tickerq: TickerQ, later: Path) -> None:
    broken = add(tickerq)
    change_row(tickerq, broken, request=b"no call")
    call(tickerq, 1)
    refused, sent = sorted(way_out(tickerq, later).hand_back(), key=lambda each: isinstance(each, Became))
    assert isinstance(refused, Refused)
    assert (refused.id, sent) == (broken, Became.SENT)
    assert row_of(tickerq, broken).status == TickerStatus.IDLE


def test_what_is_due_beyond_the_horizon_is_a_line_from_which_celery_makes_the_message(
    tickerq: TickerQ, later: Path
) -> None:
    options = {"link": tickerq.app.signature("shop.add"), "priority": 4, "headers": {"trace": "x"}}
    call(tickerq, 1, kwargs={"at": START}, countdown=7200, task_id="order-1", time_limit=9, **options)
    call(tickerq, 2, countdown=1800)
    became = list(way_out(tickerq, later, HOUR).hand_back())
    assert became == [Became.LATER, Became.SENT]
    messages(tickerq)
    [line] = later.read_text().splitlines()
    kept = json.loads(line)
    assert (kept["task"], kept["task_id"], datetime.fromisoformat(kept["eta"])) == (
        "shop.add", "order-1", START + 2 * HOUR,
    )  # fmt: skip
    tickerq.app.send_task(kept["task"], kept["args"], kept["kwargs"], task_id="order-1", **kept["options"])
    [message] = messages(tickerq)
    args, kwargs, embed = message.decode()
    assert (args, kwargs, message.properties["priority"]) == ([1], {"at": START}, 4)
    assert [each["task"] for each in embed["callbacks"]] == ["shop.add"]
    assert (message.headers["trace"], message.headers["timelimit"]) == ("x", [9, None])


@pytest.mark.row_locks
def test_a_row_that_another_process_has_locked_is_left(tickerq: TickerQ, later: Path, store_url: str) -> None:
    if store_url.startswith("sqlite"):
        pytest.skip("SQLite has no row locks")
    held, free = add(tickerq), add(tickerq)
    with locked(tickerq.core, tickers, tickers.c.id == held):
        assert list(way_out(tickerq, later).hand_back()) == [Became.LOCKED, Became.SENT]
    assert row_of(tickerq, held).status == TickerStatus.IDLE
    assert row_of(tickerq, free).status == TickerStatus.DONE


def test_what_celery_cannot_hold_is_counted_by_reason(tickerq: TickerQ, later: Path) -> None:
    tickerq.function("Send")(lambda context: None)
    enrol_worker(tickerq)
    due = START + HOUR
    tickerq.time_tickers.add(TimeTicker(function="Send", execution_time=due))
    add(tickerq, children=[TimeTicker(task="shop.add")])
    tickerq.cron_tickers.add(CronTicker(task="shop.add", expression="0 9 * * 5L"))
    tickerq.cron_tickers.add(CronTicker(task="shop.add", expression="0 9 * * FRI"))
    found = way_out(tickerq, later).look()
    assert list(found.left) == [
        LeftRuns(function="Send", why=Why.FUNCTION, runs=1),
        LeftRuns(function="shop.add", why=Why.CHILD, runs=1),
    ]
    assert [(each.task, each.calls, each.later) for each in found.calls] == [("shop.add", 1, 0)]
    assert ([each.expression for each in found.crons.left], len(found.crons.entries)) == (["0 9 * * 5L"], 1)
    assert not found.is_all_held


def test_what_workers_have_is_not_counted_as_left(tickerq: TickerQ, later: Path) -> None:
    enrol_worker(tickerq)
    tickerq.time_tickers.add(TimeTicker(task="shop.add"))
    assert len(messages(tickerq)) == 1
    found = way_out(tickerq, later).look()
    assert (list(found.left), list(found.calls), found.is_all_held) == ([], [], True)


def test_a_file_in_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        later_file(str(tmp_path / "missing" / "later.jsonl"))


@pytest.mark.parametrize("of", ["options", "task"])
def test_seconds_of_expires_count_from_the_moment_that_the_call_is_due(
    tickerq: TickerQ, later: Path, of: str
) -> None:
    fields: dict[str, Any] = {"options": {"expires": 60}} if of == "options" else {}
    tickerq.app.tasks["shop.add"].expires = None if of == "options" else 60
    add(tickerq, **fields)
    add(tickerq, **fields)
    dead = START + timedelta(seconds=660)
    assert next(iter(way_out(tickerq, later).hand_back())) is Became.SENT
    [message] = messages(tickerq)
    assert datetime.fromisoformat(message.headers["expires"]) == dead
    assert list(way_out(tickerq, later, timedelta(minutes=1)).hand_back()) == [Became.LATER]
    assert loads(later.read_text())["options"]["expires"] == dead


def test_a_call_with_a_pause_that_will_hold_it_stays(tickerq: TickerQ, later: Path) -> None:
    add(tickerq)
    tickerq.pauses.pause(function="shop.add", reason="month end")
    found = way_out(tickerq, later).look()
    assert (list(found.calls), list(found.left)) == (
        [],
        [LeftRuns(function="shop.add", why=Why.HELD, runs=1)],
    )
    assert list(way_out(tickerq, later).hand_back()) == [Became.HELD]
    assert (messages(tickerq), [run.status for run in tickerq.runs.find()]) == ([], [TickerStatus.IDLE])


def test_a_call_that_ended_meanwhile_is_gone_and_not_locked(tickerq: TickerQ, later: Path) -> None:
    _, second = sorted([add(tickerq), add(tickerq)])
    became = way_out(tickerq, later).hand_back()
    assert next(became) is Became.SENT
    tickerq.runs.cancel(second)
    assert list(became) == [Became.GONE]


def test_a_transaction_that_is_repeated_sends_no_second_message(
    tickerq: TickerQ, later: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call(tickerq, 1)
    out = way_out(tickerq, later)
    once: Any = out._hand_back_one

    def twice(tx: Any, run_id: UUID) -> Became:
        refused = tx.connection.begin_nested()
        once(tx, run_id)
        refused.rollback()
        became: Became = once(tx, run_id)
        return became

    monkeypatch.setattr(out, "_hand_back_one", twice)
    assert list(out.hand_back()) == [Became.SENT]
    assert len(messages(tickerq)) == 1


def test_with_quorum_queues_celery_makes_the_message_of_a_kept_call_again(
    tickerq: TickerQ, later: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call(tickerq, 1, task_id="order-1", link=tickerq.app.signature("shop.add"))
    call(tickerq, 2)
    sent: list[Any] = []
    looks: list[Any] = []
    monkeypatch.setattr(handed_back, "detect_quorum_queues", lambda *_: looks.append(_) or (True, ""))
    monkeypatch.setattr(tickerq.app, "send_task", lambda *args, **options: sent.append((args, options)))
    assert list(way_out(tickerq, later).hand_back()) == [Became.SENT] * 2
    assert len(looks) == 1
    [((name, args, _), options)] = [each for each in sent if each[1]["task_id"] == "order-1"]
    assert (name, args, options["task_id"]) == ("shop.add", (1,), "order-1")
    assert options["eta"] == START + timedelta(seconds=600)
    assert [each["task"] for each in options["link"]] == ["shop.add"]


class TestDroppingTables:
    """On a database of its own."""

    @pytest.fixture
    def store_url(self, empty_database_url: str) -> str:
        return empty_database_url

    @pytest.fixture(autouse=True)
    def _schema(self, tickerq: TickerQ) -> None:
        tickerq.create_schema()

    def test_the_tables_go_and_migrate_makes_them_anew(self, tickerq: TickerQ, later: Path) -> None:
        call(tickerq, 1)
        out = way_out(tickerq, later)
        assert list(out.hand_back()) == [Became.SENT]
        out.drop_tables()
        assert tickerq.core.database.read(lambda connection: inspect(connection).get_table_names()) == []
        tickerq.create_schema()
        assert len(tickerq.runs.find()) == 0

    def test_they_stay_while_another_namespace_has_a_row(
        self, tickerq: TickerQ, later: Path, store_url: str, clock: ManualClock
    ) -> None:
        with ticker_app(store_url, "billing", clock) as other:
            other.cron_tickers.add(CronTicker(task="shop.add", expression="0 9 * * *"), allow_unknown=True)
        with pytest.raises(SchemaError, match="the namespace billing"):
            way_out(tickerq, later).drop_tables()
        assert len(tickerq.runs.find()) == 0

    def test_they_stay_while_a_run_has_not_ended(self, tickerq: TickerQ, later: Path) -> None:
        out = way_out(tickerq, later)
        assert list(out.hand_back()) == []
        # A web process that keeps calls is no node.
        call(tickerq, 1)
        with pytest.raises(SchemaError, match="1 runs have not ended"):
            out.drop_tables()
        assert len(tickerq.runs.find()) == 1

    @pytest.mark.parametrize("kind", list(NodeKind))
    def test_they_stay_while_a_node_is_alive(self, tickerq: TickerQ, later: Path, kind: NodeKind) -> None:
        join(tickerq, kind, namespace="billing")
        with pytest.raises(SchemaError, match=f"{kind.value} .* is alive"):
            way_out(tickerq, later).drop_tables()
        assert len(tickerq.runs.find()) == 0
