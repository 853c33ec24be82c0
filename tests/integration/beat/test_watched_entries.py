"""What stands in for ``Scheduler.apply_entry``, as Sentry's does, sees each due run of an entry."""

from collections.abc import Callable
from typing import Any

import pytest
from celery.beat import ScheduleEntry, Scheduler
from celery.schedules import schedule

from tests.integration.beat.entries import EVERY_MINUTE, NIGHTLY, Start, sent, settle, start, statuses
from tests.manual_clock import ManualClock
from tickerq_celery import TickerQ, TickerStatus, TimeTicker
from tickerq_celery.broker.publisher import CeleryPublisher
from tickerq_celery.errors import PublishError
from tickerq_celery.scheduler import TickerScheduler

__all__ = ["start"]  # the fixture


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[ScheduleEntry]:
    """Watch all beats as Sentry does, which numbers the runs in their headers; return what was seen."""
    entries: list[ScheduleEntry] = []
    original = Scheduler.apply_entry

    def watched(*args: Any, **kwargs: Any) -> Any:
        _, entry = args
        entries.append(entry)
        headers = entry.options.pop("headers", {})
        entry.options["headers"] = {**headers, "check-in": len(entries)}
        return original(*args, **kwargs)

    monkeypatch.setattr(Scheduler, "apply_entry", watched)
    return entries


def test_each_due_run_of_an_entry_is_seen_once_and_carries_what_was_added(
    start: Start, seen: list[ScheduleEntry], clock: ManualClock
) -> None:
    beats = [start(minutely=EVERY_MINUTE, other={**NIGHTLY, "schedule": 60, "options": {"priority": 4}})]
    beats.append(start(minutely=EVERY_MINUTE, other={**NIGHTLY, "schedule": 60, "options": {"priority": 4}}))
    for _ in range(2):
        clock.advance(minutes=1)
        settle(*beats, clock=clock)
    assert sorted(entry.name for entry in seen) == ["minutely", "minutely", "other", "other"]
    minutely = next(entry for entry in seen if entry.name == "minutely")
    assert (minutely.task, minutely.schedule) == ("shop.refresh", schedule(EVERY_MINUTE["schedule"]))
    found = sent(beats[0])
    assert sorted(message.headers["check-in"] for message in found) == [1, 2, 3, 4]
    # Not the id of the run before: each has its own.
    assert len({message.headers["id"] for message in found}) == 4
    others = [message for message in found if message.headers["task"] == "shop.report"]
    assert [message.properties["priority"] for message in others] == [4, 4]


def test_other_runs_are_not_seen(start: Start, seen: list[ScheduleEntry], clock: ManualClock) -> None:
    beat = start()
    ticker = TimeTicker(task="shop.refresh", execution_time=clock.now())
    TickerQ.of(beat.app).time_tickers.add(ticker, allow_unknown=True)
    settle(beat, clock=clock)
    assert seen == []


def test_a_run_that_the_broker_did_not_take_is_seen_again_when_it_is_published(
    start: Start, seen: list[ScheduleEntry], clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object) -> None:
        raise PublishError("no broker")

    beat = start(minutely=EVERY_MINUTE)
    clock.advance(minutes=1)
    with monkeypatch.context() as patched:
        patched.setattr(CeleryPublisher, "_send_call", unreachable)
        beat.tick()
    assert statuses(beat) == [TickerStatus.IDLE]
    settle(beat, clock=clock)
    assert [message.headers["check-in"] for message in sent(beat)] == [2]


@pytest.mark.parametrize(
    "stands_in", [lambda *_: None, lambda *_: {}["no such key"]], ids=["silent", "broken"]
)
def test_what_fails_in_its_place_is_set_aside_and_logged_and_the_others_are_published(
    start: Start, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    stands_in: Callable[..., None],
) -> None:  # fmt: skip
    original = Scheduler.apply_entry

    def watched(scheduler: TickerScheduler, entry: ScheduleEntry) -> None:
        (stands_in if entry.name == "minutely" else original)(scheduler, entry)  # type: ignore[operator]

    monkeypatch.setattr(Scheduler, "apply_entry", watched)
    beat = start(minutely=EVERY_MINUTE, other={**NIGHTLY, "schedule": 60})
    clock.advance(minutes=1)
    beat.tick()
    assert "shop.refresh cannot be published" in caplog.text
    assert TickerStatus.DONE in statuses(beat)


def test_who_comes_after_beats_scheduler_sees_entries_too(
    start: Start, clock: ManualClock, request: pytest.FixtureRequest
) -> None:
    beat = start(minutely=EVERY_MINUTE)
    # As in a receiver of beat_init.
    seen: list[ScheduleEntry] = request.getfixturevalue("seen")
    clock.advance(minutes=1)
    settle(beat, clock=clock)
    assert [entry.name for entry in seen] == ["minutely"]


def test_what_fails_after_the_run_was_sent_does_not_set_it_aside(
    start: Start, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    original = Scheduler.apply_entry

    def watched(scheduler: TickerScheduler, entry: ScheduleEntry) -> None:
        original(scheduler, entry)
        raise LookupError("no span")

    monkeypatch.setattr(Scheduler, "apply_entry", watched)
    beat = start(minutely=EVERY_MINUTE)
    clock.advance(minutes=1)
    beat.tick()
    assert statuses(beat) == [TickerStatus.DONE]
    assert "what watches beat failed after entry minutely was sent" in caplog.text
