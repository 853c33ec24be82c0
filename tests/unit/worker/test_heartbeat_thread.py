"""When a worker tries to give a sign of life again, after one that failed."""

import itertools
import random
from collections.abc import Callable
from queue import Empty
from typing import Any, cast

import pytest

from tickerq_celery.errors import ConfigError, StoreError
from tickerq_celery.worker import heartbeat
from tickerq_celery.worker.heartbeat import Heartbeat, HeartbeatThread

INTERVAL = 10.0
LONGEST_PAUSE = 5.0
WRITE = "a report"


class TheEnd(BaseException):
    """Ends a thread's run at the end of the test's time."""


class Store:
    """Fake time, which passes only while the thread waits, and a store that is unreachable for some of it."""

    def __init__(self, outage: range, until: float = 100.0) -> None:
        self.now = 0.0
        self._outage = outage
        self._until = until
        self.tried: list[float] = []
        self.reports: list[str] = []

    def monotonic(self) -> float:
        return self.now

    def beat(self) -> None:
        self.tried.append(self.now)
        self.answer()

    def answer(self, *_: object) -> None:
        if self._outage.start <= self.now < self._outage.stop:
            raise StoreError("unreachable")

    def get(self, timeout: float) -> str:
        if self.reports:
            return self.reports.pop()
        self.pass_by(max(timeout, 0.01))
        raise Empty

    def put(self, report: str) -> None:
        self.reports.append(report)

    def pass_by(self, seconds: float) -> bool:
        self.now += seconds
        if self.now > self._until:
            raise TheEnd
        return False


def run(store: Store, monkeypatch: pytest.MonkeyPatch, enrol: Callable[[], None] = lambda: None) -> None:
    """Let a worker's thread beat until the end of the store's time."""
    monkeypatch.setattr(heartbeat, "time", store)
    queue = cast("Any", store)
    thread = HeartbeatThread(
        cast("Heartbeat", store), INTERVAL,
        enrol=enrol, reports=queue, handle=store.answer, count=lambda: None, refused=print,
    )  # fmt: skip
    monkeypatch.setattr(thread._stopped, "wait", store.pass_by)
    with pytest.raises(TheEnd):
        thread.run()


def pauses(moments: list[float]) -> list[float]:
    return [later - earlier for earlier, later in itertools.pairwise(moments)]


def test_a_beat_that_failed_is_made_up_for_soon_and_by_growing_pauses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, high: high)
    store = Store(outage=range(15, 45))
    run(store, monkeypatch)
    # 20 s is the first that meets the outage, 47 s the first after it.
    expected = [10, 20, 21, 23, 27, 32, 37, 42, 47, 57, 67, 77, 87, 97]
    assert [round(moment) for moment in store.tried] == expected


def test_pauses_after_a_failure_are_spread_at_random(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(outage=range(10_000), until=1_000.0)
    run(store, monkeypatch)
    found = pauses(store.tried)[4:]
    assert max(found) <= LONGEST_PAUSE + 0.1
    assert max(found) - min(found) > 1


def test_a_worker_that_cannot_enrol_tries_again_by_growing_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(outage=range(30))
    run(store, monkeypatch, enrol=store.beat)
    enrolling = [moment for moment in store.tried if moment <= 30 + LONGEST_PAUSE]
    assert max(pauses(enrolling)) <= LONGEST_PAUSE
    assert len(enrolling) < 15


def test_a_store_that_may_not_be_used_ends_the_worker(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def enrol() -> None:
        raise ConfigError("store_url", "not for tests")

    run(Store(outage=range(0)), monkeypatch, enrol=enrol)
    assert capsys.readouterr().out.startswith("store_url: not for tests\n")


def test_a_report_that_cannot_be_written_keeps_no_beat_from_being_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = Store(outage=range(15, 45))
    store.now = 15.0
    store.reports.append(WRITE)
    run(store, monkeypatch)
    assert store.reports == []
    assert max(pauses(store.tried)) <= INTERVAL + LONGEST_PAUSE
