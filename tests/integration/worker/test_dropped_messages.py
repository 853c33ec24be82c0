"""Dropped messages are counted by hour and reason, and counting blocks no other work."""

import re
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import NoReturn

import pytest
from sqlalchemy import func, select

from tests.inner import Core, DropReason, NodeRegistration
from tests.integration.making import at_once, enrolled, processes, worker_profile
from tests.manual_clock import START, ManualClock
from tests.tables import drops
from tickerq_celery.errors import StoreError
from tickerq_celery.worker import drop_counts
from tickerq_celery.worker.drop_counts import DropCounter
from tickerq_celery.worker.heartbeat import Heartbeat, HeartbeatThread

HOUR = timedelta(hours=1)


def tally_of(**counts: int) -> DropCounter:
    tally = DropCounter()
    for reason, count in counts.items():
        for _ in range(count):
            tally.note(DropReason(reason))
    return tally


def write(core: Core, **counts: int) -> None:
    drop_counts.write(core, tally_of(**counts))


def by_hour(core: Core) -> dict[tuple[datetime, str], int]:
    """Return this test's counts by hour and reason."""
    mine = drops.c.namespace == core.config.namespace
    dropped = func.sum(drops.c.dropped)
    statement = (
        select(drops.c.hour, drops.c.reason, dropped).where(mine).group_by(drops.c.hour, drops.c.reason)
    )
    rows = core.database.read(lambda connection: connection.execute(statement).all())
    return {(row[0], row[1]): int(row[2]) for row in rows}


def test_drops_are_counted_by_reason_in_the_hour_in_which_they_are_written(
    core: Core, clock: ManualClock
) -> None:
    write(core, old_claim=2, invalid=1)
    clock.advance(minutes=59, seconds=59)
    write(core, old_claim=1)
    clock.advance(seconds=1)
    write(core, old_claim=5)
    assert by_hour(core) == {
        (START, "old_claim"): 3,
        (START, "invalid"): 1,
        (START + HOUR, "old_claim"): 5,
    }


def test_each_namespace_has_counts_of_its_own(make_core: Callable[..., Core], namespace: str) -> None:
    write(make_core(namespace=f"{namespace}-b"), invalid=1)
    assert by_hour(make_core()) == {}
    assert drop_counts.recent(make_core()) == {}


@pytest.mark.row_locks
def test_workers_that_count_at_once_lose_nothing(core: Core) -> None:
    reasons = [reason.value for reason in DropReason]
    with processes(core, 4) as workers:
        # In an order of each one's own.
        orders = zip(workers, (reasons, reasons[::-1], reasons[4:] + reasons[:4], reasons), strict=True)
        at_once(*(partial(write, worker, **dict.fromkeys(order, 3)) for worker, order in orders))
    assert by_hour(core) == {(START, reason): 12 for reason in reasons}


def test_what_was_dropped_in_the_last_24_hours_is_shown_with_the_most_frequent_first(
    core: Core, clock: ManualClock
) -> None:
    write(core, superseded=100)
    clock.advance(hours=1)
    write(core, invalid=1, old_claim=2)
    clock.advance(hours=22)
    write(core, invalid=4)
    clock.advance(minutes=59)
    assert list(drop_counts.recent(core).items()) == [("superseded", 100), ("invalid", 5), ("old_claim", 2)]
    clock.advance(minutes=1)
    assert list(drop_counts.recent(core).items()) == [("invalid", 5), ("old_claim", 2)]


def test_counts_are_kept_for_thirty_days(
    core: Core, make_core: Callable[..., Core], clock: ManualClock, namespace: str
) -> None:
    other = make_core(namespace=f"{namespace}-b")
    for each in (core, other):
        write(each, invalid=1)
    clock.advance(days=30)
    write(core, old_claim=1)
    assert len(by_hour(core)) == 2
    clock.advance(seconds=1)
    write(core, old_claim=1)
    assert [reason for _, reason in by_hour(core)] == ["old_claim"]
    assert len(by_hour(other)) == 1


def test_a_tally_is_written_once(core: Core) -> None:
    tally = tally_of(invalid=2)
    drop_counts.write(core, tally)
    drop_counts.write(core, tally)
    assert by_hour(core) == {(START, "invalid"): 2}


def test_what_could_not_be_written_is_written_later(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    tally = tally_of(invalid=2)

    def unreachable(*_: object, **__: object) -> NoReturn:
        # What comes meanwhile is counted, too.
        tally.note(DropReason.INVALID)
        raise StoreError("unreachable")

    with monkeypatch.context() as patch:
        patch.setattr(core.database, "run", unreachable)
        with pytest.raises(StoreError):
            drop_counts.write(core, tally)
    drop_counts.write(core, tally)
    assert by_hour(core) == {(START, "invalid"): 3}


only_sqlite = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


@only_sqlite
def test_nothing_dropped_costs_no_transaction(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core.database, "run", None)
    drop_counts.write(core, DropCounter())


class Worker:
    """A worker's heartbeat thread on a real store, whose counting is what the test says."""

    def __init__(self, core: Core, count: Callable[[], None], *, interval: float = 0.01) -> None:
        self.beats = 0
        self.has_beaten_often = threading.Event()
        self._heartbeat = Heartbeat(
            core,
            NodeRegistration(worker_profile(core)),
            held_claims=self._held,
            on_missing=print,
            on_request=print,
        )
        self._thread = HeartbeatThread(
            self._heartbeat,
            interval,
            enrol=lambda: None,
            reports=SimpleQueue(),
            handle=print,
            count=count,
            refused=print,
        )

    def _held(self) -> list[str]:
        self.beats += 1
        if self.beats >= 5:
            self.has_beaten_often.set()
        return []

    def __enter__(self) -> "Worker":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.stop()


@only_sqlite
def test_a_worker_counts_while_it_lives_and_once_more_when_it_ends(core: Core) -> None:
    enrolled(core)
    tally, is_written = tally_of(invalid=1), threading.Event()

    def count() -> None:
        drop_counts.write(core, tally)
        is_written.set()

    with Worker(core, count):
        assert is_written.wait(10)
        assert by_hour(core) == {(START, "invalid"): 1}
        is_written.clear()
        assert is_written.wait(10)
    tally.note(DropReason.INVALID)
    with Worker(core, count, interval=60):
        pass
    assert by_hour(core) == {(START, "invalid"): 2}


@only_sqlite
@pytest.mark.parametrize("error", [StoreError("unreachable"), ValueError("unexpected")])
def test_counts_that_cannot_be_written_do_not_keep_a_worker_from_beating(
    core: Core, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    enrolled(core)

    def count() -> NoReturn:
        raise error

    with Worker(core, count) as worker:
        assert worker.has_beaten_often.wait(10)
    waits = [line for line in caplog.messages if line.startswith("worker paused: store unreachable")]
    assert len(waits) == (1 if isinstance(error, StoreError) else 0)


def test_the_document_explains_each_reason() -> None:
    page = (Path(__file__).parents[3] / "docs" / "operations" / "dropped-messages.md").read_text()
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == [reason.value for reason in DropReason]
