"""Celery's own beat entries under our beats: kept, published plainly, ended by the stamp, shared by beats."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from celery import Celery
from celery.beat import ScheduleEntry
from celery.schedules import crontab, schedule
from kombu.utils import json as kombu_json
from sqlalchemy import select, update

from tests.integration.apps import enrol_worker, ticker_app
from tests.integration.beat.entries import (
    EVERY_MINUTE,
    NIGHTLY,
    Start,
    crons,
    sent,
    settle,
    start,
    statuses,
    tickerq_of,
)
from tests.manual_clock import START, ManualClock
from tests.statements import nodes, publications
from tests.tables import cron_tickers, tickers
from tickerq_celery import TickerStatus, TimeTicker
from tickerq_celery.beat import entry_reconciler
from tickerq_celery.beat.beat_schedule import read_entries
from tickerq_celery.broker.publisher import CeleryPublisher
from tickerq_celery.cron.seeding import prune
from tickerq_celery.enums import HoldReason, TickerKind
from tickerq_celery.errors import PublishError, TickerValidationError
from tickerq_celery.scheduler import TickerScheduler
from tickerq_celery.store.cron.cron_pauses import ORPHANED
from tickerq_celery.store.runs.holds import Hold, hold

__all__ = ["start"]  # the fixture
PAUSES: list[dict[str, Any]] = [
    {}, {"reason": "stocktaking"}, {"by": "ada"}, {"reason": ORPHANED, "by": "ada"}, {"is_enabled": False},
]  # fmt: skip


def reap(beat: TickerScheduler) -> None:
    """Remove a beat's node row, as another beat does that saw no sign of life for a lease."""
    core = beat._loop._core
    core.write(nodes.remove, core.node.id)


def test_entries_become_cron_tickers_of_celery_tasks(start: Start) -> None:
    beat = start(minutely=EVERY_MINUTE, nightly=NIGHTLY)
    found = crons(beat)
    assert {cron.kind for cron in found.values()} == {TickerKind.CELERY_TASK}
    minutely, nightly = found["shop.refresh"], found["shop.report"]
    assert (minutely.expression, minutely.time_zone) == ("@every 1m", "UTC")
    assert minutely.next_run_at == START + timedelta(minutes=1)
    assert (nightly.expression, nightly.queue) == ("30 2 * * *", "reports")
    assert nightly.request == {
        "args": ["sales", 7],
        "kwargs": {"to": "ops"},
        "options": NIGHTLY["options"],
    }
    assert nightly.is_seeded
    assert nightly.description == "beat_schedule entry nightly"


def test_a_due_entry_is_published_as_a_plain_message_and_ended_by_its_stamp(
    start: Start, clock: ManualClock
) -> None:
    beat = start(job={**NIGHTLY, "schedule": 60, "options": {"expires": 3600, "headers": {"team": "ops"}}})
    clock.advance(minutes=1)
    beat.tick()
    (message,) = sent(beat)
    [run] = tickerq_of(beat).runs.find()
    assert (run.status, run.kind) == (TickerStatus.DONE, TickerKind.CELERY_TASK)
    assert (run.published_at, run.started_at, run.ended_at) == (clock.now(), None, clock.now())
    assert not run.outcome_known
    assert tickerq_of(beat).runs.count(status=TickerStatus.DONE, outcome_known=True) == 0
    assert tickerq_of(beat).runs.count(outcome_known=False) == 1
    headers = message.headers
    assert (headers["task"], headers["id"]) == ("shop.report", str(run.id))
    assert (headers["celery_beat_task"], headers["team"]) == (True, "ops")
    assert "ticker" not in headers
    assert headers["expires"] is not None
    assert json.loads(message.body)[:2] == [["sales", 7], {"to": "ops"}]


def test_what_celerys_json_keeps_of_an_entry_comes_to_its_task(start: Start, clock: ManualClock) -> None:
    given = {"at": START, "id": UUID(int=7), "rate": Decimal("2.5")}
    beat = start(job={**EVERY_MINUTE, "kwargs": given, "options": {"task_id": "the report"}})
    clock.advance(minutes=1)
    beat.tick()
    (message,) = sent(beat)
    assert kombu_json.loads(message.body)[1] == given
    assert message.headers["id"] == "the report"
    [run] = tickerq_of(beat).runs.find(task_id="the report")
    assert run.function == "shop.refresh"


def test_two_beats_publish_an_instant_once_and_need_no_worker_with_the_function(
    start: Start, clock: ManualClock
) -> None:
    beats = [start(minutely=EVERY_MINUTE) for _ in range(2)]
    for _ in range(3):
        clock.advance(minutes=1)
        for beat in beats:
            beat.tick()
    assert len(sent(beats[0])) == 3
    assert statuses(beats[0]) == [TickerStatus.DONE] * 3
    assert len(crons(beats[0])) == 1


def test_an_outage_is_made_up_for_by_one_late_run(start: Start, clock: ManualClock) -> None:
    beat = start(minutely=EVERY_MINUTE)
    clock.advance(hours=1, seconds=20)
    beat.tick()
    assert len(sent(beat)) == 1
    assert sorted(statuses(beat)) == [TickerStatus.DUE_DONE, TickerStatus.SKIPPED]


def test_celerys_starting_deadline_holds_for_crontab_entries(
    store_url: str, namespace: str, clock: ManualClock
) -> None:
    with ticker_app(store_url, namespace, clock) as tickerq:
        tickerq.app.conf.update(beat_schedule={"nightly": NIGHTLY}, beat_cron_starting_deadline=600)
        beat = TickerScheduler(tickerq.app)
        beat.tick()
        clock.advance(days=1)
        beat.tick()
        assert statuses(beat) == [TickerStatus.SKIPPED]
        beat.close()


def test_what_was_published_but_not_stamped_is_published_once_more_under_the_same_id(
    start: Start, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat, other = (start(minutely=EVERY_MINUTE) for _ in range(2))
    clock.advance(minutes=1)
    with monkeypatch.context() as killed:
        killed.setattr(publications, "stamp", lambda *_, **__: None)
        beat.tick()
    settle(other, clock=clock)
    assert statuses(other) == [TickerStatus.QUEUED]
    settle(other, clock=clock)
    first, second = sent(other)
    assert first.headers["id"] == second.headers["id"]
    assert statuses(other) == [TickerStatus.DONE]


def test_a_beat_that_was_stalled_after_its_claim_publishes_nothing(
    start: Start, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat, other = (start(minutely=EVERY_MINUTE) for _ in range(2))
    clock.advance(minutes=1)
    claim = beat._loop._work._claimer.claim

    def freeze(**options: Any) -> Any:
        claimed = claim(**options)
        clock.advance(seconds=10)
        other.tick()
        return claimed

    monkeypatch.setattr(beat._loop._work._claimer, "claim", freeze)
    beat.tick()
    assert len(sent(beat)) == 1
    assert statuses(beat) == [TickerStatus.DONE]


def test_an_unreachable_broker_gives_the_run_back(
    start: Start, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat = start(minutely=EVERY_MINUTE)
    clock.advance(minutes=1)

    def refuse(self: CeleryPublisher, claim: Any) -> None:
        raise PublishError("unreachable")

    with monkeypatch.context() as broker_failure:
        broker_failure.setattr(CeleryPublisher, "publish", refuse)
        beat.tick()
    assert statuses(beat) == [TickerStatus.IDLE]
    beat.tick()
    assert len(sent(beat)) == 1


def test_a_call_that_no_beat_can_publish_fails_in_the_end(start: Start, clock: ManualClock) -> None:
    beat = start(job={"task": "shop.refresh", "schedule": crontab(minute=1, hour=12), "args": [1]})

    @beat.app.task(name="shop.refresh", shared=False)
    def refresh() -> None:
        pass

    clock.advance(minutes=1)
    for _ in range(4):
        beat.tick()
        assert statuses(beat) in ([TickerStatus.IDLE], [TickerStatus.FAILED])
        clock.advance(minutes=5)
    beat.tick()
    [run] = tickerq_of(beat).runs.find()
    assert (run.status, run.exception_type) == (TickerStatus.FAILED, "TypeError")
    assert sent(beat) == []


def test_an_edited_as_defined_its_cron_ticker_and_an_operators_expression_stays(
    start: Start, clock: ManualClock
) -> None:
    start(minutely=EVERY_MINUTE, nightly=NIGHTLY).close()
    new = {**NIGHTLY, "args": ("stock", 1), "schedule": crontab(minute=0, hour=3)}
    beat = start(minutely={**EVERY_MINUTE, "schedule": 120}, nightly=NIGHTLY)
    found = crons(beat)
    assert found["shop.refresh"].expression == "@every 2m"
    assert found["shop.refresh"].next_run_at == START + timedelta(minutes=2)
    tickerq_of(beat).cron_tickers.update(found["shop.report"].id, expression="0 5 * * *")
    other = start(minutely=EVERY_MINUTE, nightly=new)
    nightly = crons(other)["shop.report"]
    assert (nightly.expression, nightly.seed_expression) == ("0 5 * * *", "0 3 * * *")
    assert nightly.request["args"] == ["stock", 1]


def test_a_call_is_changed_in_the_code_only(start: Start) -> None:
    beat = start(nightly=NIGHTLY)
    manager = tickerq_of(beat).cron_tickers
    cron = crons(beat)["shop.report"]
    for field, value in (("request", {"args": []}), ("children", [TimeTicker(function="Send")])):
        with pytest.raises(TickerValidationError, match=f"{field}: it belongs to the call"):
            manager.update(cron.id, **{field: value})
    with pytest.raises(TickerValidationError, match="request: a Celery task is given args= and kwargs="):
        manager.run_now(cron.id, request=[1])
    assert manager.update(cron.id, tags=["night"]).tags == ("night",)


def test_beats_of_two_versions_share_the_work_until_the_old_code_is_gone(
    start: Start, clock: ManualClock
) -> None:
    old = start(minutely=EVERY_MINUTE, nightly=NIGHTLY)
    new = start(minutely={**EVERY_MINUTE, "schedule": 120}, hourly={**EVERY_MINUTE, "task": "shop.hourly"})
    settle(old, new, clock=clock)
    found = crons(new)
    assert sorted(found) == ["shop.hourly", "shop.refresh", "shop.report"]
    assert all(cron.is_enabled for cron in found.values())
    assert found["shop.refresh"].expression == "@every 2m"
    old.close()
    settle(new, clock=clock)
    gone = crons(new)["shop.report"]
    assert (gone.is_enabled, gone.next_run_at) == (False, None)
    assert gone.paused_reason == "no beat's code defines this entry any more"
    later = TimeTicker(function="Send", execution_time=START.replace(year=2099))
    held = tickerq_of(new).time_tickers.add(later, allow_unknown=True)
    cause = Hold(reason=HoldReason.PAUSED, key=str(gone.id))
    tickerq_of(new).core.write(hold, {held.id: cause})
    back = start(nightly=NIGHTLY)
    returned = crons(back)["shop.report"]
    assert (returned.is_enabled, returned.paused_reason) == (True, None)
    assert returned.next_run_at == START.replace(day=16, hour=2, minute=30)
    audited = tickerq_of(back).audit.find(object_kind="cron_ticker", object_id=returned.id)
    assert [(each.actor, each.action, each.reason) for each in audited] == [
        ("TickerQ", "cron_tickers.resume", "a beat's code defines this entry again"),
        ("TickerQ", "cron_tickers.pause", ORPHANED),
    ]
    assert (audited[0].before, audited[0].after) == (
        {"is_enabled": False},
        {"is_enabled": True, "released": 1},
    )


def test_the_newer_codes_entry_holds_again_after_an_older_beat_was_restarted(
    start: Start, clock: ManualClock
) -> None:
    new = start(minutely={**EVERY_MINUTE, "schedule": 120})
    restarted = start(minutely=EVERY_MINUTE)
    assert crons(new)["shop.refresh"].expression == "@every 1m"
    settle(new, clock=clock)
    restarted.close()
    settle(new, clock=clock)
    assert crons(new)["shop.refresh"].expression == "@every 2m"
    start(minutely=EVERY_MINUTE).close()
    settle(new, clock=clock)
    assert crons(new)["shop.refresh"].expression == "@every 1m", "it came and went between two looks"
    clock.advance(seconds=30)
    new.tick()
    assert crons(new)["shop.refresh"].expression == "@every 2m"


def test_a_beat_that_was_reaped_alive_does_not_put_its_older_entries_back(
    start: Start, clock: ManualClock
) -> None:
    old = start(minutely=EVERY_MINUTE, nightly=NIGHTLY)
    new = start(minutely={**EVERY_MINUTE, "schedule": 120})
    settle(old, new, clock=clock)
    reap(old)
    settle(new, clock=clock)
    assert not crons(new)["shop.report"].is_enabled
    clock.advance(minutes=1)
    settle(old, new, clock=clock)
    settle(old, new, clock=clock)
    assert crons(new)["shop.refresh"].expression == "@every 2m"
    assert crons(new)["shop.report"].is_enabled, "it has come back with the only beat that has it"


def test_an_operators_pause_outlives_restarts_and_holds_what_is_due(start: Start, clock: ManualClock) -> None:
    beat = start(minutely=EVERY_MINUTE)
    cron = crons(beat)["shop.refresh"]
    tickerq_of(beat).cron_tickers.pause(cron.id, reason="stocktaking", by="ada")
    clock.advance(minutes=1)
    beat.tick()
    beat.close()
    again = start(minutely=EVERY_MINUTE)
    assert not crons(again)["shop.refresh"].is_enabled
    assert sent(again) == []


def test_an_entry_that_becomes_an_interval_counts_from_then_on(start: Start, clock: ManualClock) -> None:
    start(nightly=NIGHTLY).close()
    often = {**NIGHTLY, "schedule": timedelta(seconds=90)}
    clock.advance(seconds=20)
    start(nightly=often).close()
    clock.advance(minutes=1)
    beat = start(nightly=often, minutely=EVERY_MINUTE)
    found = crons(beat)
    assert found["shop.report"].next_run_at == START + timedelta(seconds=20 + 90)
    assert found["shop.refresh"].next_run_at is not None


def test_an_entry_that_cannot_be_kept_keeps_no_other_from_it(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    start(nightly=NIGHTLY, minutely=EVERY_MINUTE).close()
    with monkeypatch.context() as patched:
        patched.setattr(
            entry_reconciler, "as_defined", broken_for("shop.refresh", entry_reconciler.as_defined)
        )
        beat = start(
            nightly={**NIGHTLY, "schedule": crontab(minute=0, hour=4)},
            minutely={**EVERY_MINUTE, "schedule": 7},
        )
    assert crons(beat)["shop.report"].expression == "0 4 * * *"
    assert crons(beat)["shop.refresh"].expression == "@every 1m"
    assert "beat_schedule entry minutely could not be kept" in caplog.text


def broken_for(task: str, work: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``work`` with a bug that shows for one task."""

    def broken(entry: Any, *arguments: Any, **options: Any) -> Any:
        if entry.task == task:
            raise TypeError("a bug")
        return work(entry, *arguments, **options)

    return broken


def test_another_spelling_of_an_entrys_times_is_no_edit(start: Start, clock: ManualClock) -> None:
    entry = {**EVERY_MINUTE, "schedule": crontab(minute="0,1,2,30")}
    beat = start(often=entry)
    core = tickerq_of(beat).core
    as_before = {"expression": "0,1,2,30 * * * *", "seed_expression": "0,1,2,30 * * * *"}
    mine = cron_tickers.c.namespace == core.config.namespace
    core.database.write(
        lambda connection: connection.execute(update(cron_tickers).where(mine).values(**as_before))
    )
    beat.close()
    clock.advance(minutes=29)
    again = start(often=entry)
    assert crons(again)["shop.refresh"].expression == "0-2,30 * * * *"
    assert tickerq_of(again).runs.find()
    assert all("Edited" not in (run.skipped_reason or "") for run in tickerq_of(again).runs.find())


def test_an_operators_zone_of_an_entry_stays(start: Start, clock: ManualClock) -> None:
    beat = start(nightly=NIGHTLY)
    cron = crons(beat)["shop.report"]
    tickerq_of(beat).cron_tickers.update(cron.id, time_zone="Asia/Tokyo")
    again = start(nightly=NIGHTLY)
    assert crons(again)["shop.report"].time_zone == "Asia/Tokyo"


def test_other_arguments_of_an_entry_reach_what_waits(start: Start) -> None:
    beat = start(nightly=NIGHTLY)
    manager, cron = tickerq_of(beat).cron_tickers, crons(beat)["shop.report"]
    manager.backfill(cron.id, START - timedelta(days=2), START)
    beat.tick()
    start(nightly={**NIGHTLY, "args": ("stock", 1)})
    published, waiting = manager.occurrences(cron.id)[::-1]
    assert (published.status, waiting.status) == (TickerStatus.DONE, TickerStatus.IDLE)
    assert waiting.request["args"] == ["stock", 1]
    assert published.request["args"] == ["sales", 7]


@pytest.mark.parametrize("words", PAUSES, ids=str)
def test_an_operators_pause_of_an_entry_that_no_code_has_outlives_the_codes_return(
    start: Start, clock: ManualClock, words: dict[str, Any]
) -> None:
    start(minutely=EVERY_MINUTE).close()
    clock.advance(minutes=3)
    other = start()
    manager, gone = tickerq_of(other).cron_tickers, crons(other)["shop.refresh"]
    assert gone.paused_reason == ORPHANED
    clock.advance(minutes=1)
    paused = (manager.update if "is_enabled" in words else manager.pause)(gone.id, **words)
    expected = (False, words.get("reason"), words.get("by"), clock.now(), gone.resume_from)
    for cron in (paused, crons(start(minutely=EVERY_MINUTE))["shop.refresh"]):
        found = (cron.is_enabled, cron.paused_reason, cron.paused_by, cron.paused_at, cron.resume_from)
        assert found == expected
    back = start(minutely=EVERY_MINUTE)
    assert tickerq_of(back).cron_tickers.resume(gone.id).is_enabled
    settle(back, clock=clock)
    assert crons(back)["shop.refresh"].is_enabled


def test_an_entry_that_an_operator_resumes_while_no_code_has_it_is_paused_at_the_next_look(
    start: Start, clock: ManualClock
) -> None:
    start(minutely=EVERY_MINUTE).close()
    other = start()
    gone = crons(other)["shop.refresh"]
    assert tickerq_of(other).cron_tickers.resume(gone.id).is_enabled
    clock.advance(seconds=30)
    other.tick()
    paused = crons(other)["shop.refresh"]
    assert (paused.is_enabled, paused.paused_reason) == (False, gone.paused_reason)
    assert crons(start(minutely=EVERY_MINUTE))["shop.refresh"].is_enabled


def test_what_passed_while_no_code_had_an_entry_is_recorded_and_an_edit_moves_it_afterwards(
    start: Start, clock: ManualClock
) -> None:
    start(minutely=EVERY_MINUTE).close()
    clock.advance(minutes=3)
    other = start()
    settle(other, clock=clock)
    back = start(minutely=EVERY_MINUTE)
    cron = crons(back)["shop.refresh"]
    assert (cron.is_enabled, cron.resume_from) == (True, None)
    (record,) = tickerq_of(back).cron_tickers.occurrences(cron.id)
    assert record.status is TickerStatus.SKIPPED
    moved = tickerq_of(back).cron_tickers.update(cron.id, expression="0 0 1 1 *")
    assert moved.next_run_at == START.replace(year=2027, month=1, day=1, hour=0)


def test_an_entry_whose_runs_are_used_up_stays_so(start: Start, clock: ManualClock) -> None:
    beat = start(minutely=EVERY_MINUTE)
    cron = crons(beat)["shop.refresh"]
    clock.advance(minutes=1)
    beat.tick()
    tickerq_of(beat).cron_tickers.update(cron.id, max_runs=1)
    for _ in range(3):
        clock.advance(minutes=1)
        beat.tick()
    assert (crons(beat)["shop.refresh"].next_run_at, len(sent(beat))) == (None, 1)


def test_an_expression_that_cannot_be_read_here_stops_its_entry_and_no_other(
    start: Start, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    beat = start(minutely=EVERY_MINUTE, nightly=NIGHTLY)
    broken = crons(beat)["shop.report"]
    values = {"expression": "word", "next_run_at": None}
    tickerq_of(beat).core.database.write(
        lambda connection: connection.execute(
            cron_tickers.update().where(cron_tickers.c.id == broken.id).values(**values)
        )
    )
    for _ in range(3):
        clock.advance(minutes=1)
        beat.tick()
    assert len(sent(beat)) == 3
    assert f"cron ticker {broken.id} cannot fire any more" in caplog.text
    assert "a tick failed" not in caplog.text


def test_a_relative_interval_is_rounded_in_the_apps_zone(
    store_url: str, namespace: str, clock: ManualClock
) -> None:
    with ticker_app(store_url, namespace, clock) as tickerq:
        tickerq.app.conf.timezone = "Europe/Berlin"
        daily = {**EVERY_MINUTE, "schedule": schedule(timedelta(days=1), relative=True)}
        entries = read_entries(tickerq.app, {"daily": daily, "plain": EVERY_MINUTE}, payload_limit=10_000)
    assert [(each.expression, each.time_zone) for each in entries.kept] == [
        ("0 0 * * *", "Europe/Berlin"),
        ("@every 1m", "UTC"),
    ]


def test_a_locked_row_is_put_right_at_the_next_look(start: Start, clock: ManualClock, store_url: str) -> None:
    if store_url.startswith("sqlite"):
        pytest.skip("SQLite has no row locks")
    beat = start(minutely=EVERY_MINUTE)
    cron = crons(beat)["shop.refresh"]
    with tickerq_of(beat).core.database.engine.connect() as holder, holder.begin():
        holder.execute(select(cron_tickers.c.id).where(cron_tickers.c.id == cron.id).with_for_update())
        other = start(minutely={**EVERY_MINUTE, "schedule": 120})
        assert crons(other)["shop.refresh"].expression == "@every 1m"
    settle(other, clock=clock)
    assert crons(other)["shop.refresh"].expression == "@every 2m"


def test_an_entry_that_an_older_beat_stopped_is_set_going(start: Start, clock: ManualClock) -> None:
    beat = start(minutely=EVERY_MINUTE)
    stop = update(cron_tickers).where(cron_tickers.c.function == "shop.refresh").values(next_run_at=None)
    tickerq_of(beat).core.database.write(lambda connection: connection.execute(stop))
    other = start(minutely=EVERY_MINUTE)
    assert crons(other)["shop.refresh"].next_run_at == START + timedelta(minutes=1)


def test_pruning_functions_leaves_entries_alone(start: Start) -> None:
    beat = start(minutely=EVERY_MINUTE)
    assert prune(tickerq_of(beat).core) == []
    assert crons(beat)["shop.refresh"].is_enabled


def test_entries_run_beside_ticker_functions_that_are_held_and_limited(
    start: Start, clock: ManualClock, namespace: str
) -> None:
    beat = start(minutely=EVERY_MINUTE)
    tickerq = tickerq_of(beat)
    tickerq.function("shop.refresh", max_concurrency=1)(lambda: None)
    enrol_worker(tickerq)
    clock.advance(minutes=1)
    for _ in range(3):
        beat.tick()
        clock.advance(minutes=1)
    assert len(sent(beat)) == 3
    held_for = select(tickers.c.held_for).where(tickers.c.namespace == namespace)
    held = tickerq.core.database.read(lambda connection: connection.scalars(held_for).all())
    assert set(held) <= {None}


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_the_cleanup_of_results_is_an_entry_where_results_are_kept_and_do_not_expire(
    store_url: str, namespace: str, clock: ManualClock
) -> None:
    for backend, expected in ((None, []), (f"db+{store_url}-results", ["celery.backend_cleanup"])):
        with ticker_app(store_url, namespace, clock) as tickerq:
            tickerq.app.conf.result_backend = backend
            beat = TickerScheduler(tickerq.app)
            beat.tick()
            assert list(crons(beat)) == expected
            beat.close()


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_periodic_tasks_that_signals_add_are_entries(
    store_url: str, namespace: str, clock: ManualClock
) -> None:
    with ticker_app(store_url, namespace) as tickerq:

        @tickerq.app.task(name="shop.refresh", shared=False)
        def refresh(number: int) -> None:
            pass

        def add(sender: Celery, **_: object) -> None:
            sender.add_periodic_task(60.0, refresh.s(1), name="n" * 300)
            sender.add_periodic_task(60.0, refresh.s(2), name="n" * 299, expires=5)

        tickerq.app.on_after_finalize.connect(add)
        add(tickerq.app)
        beat = TickerScheduler(tickerq.app)
        beat.tick()
        requests = [cron.request for cron in tickerq.cron_tickers.find()]
        assert sorted(request["args"][0] for request in requests) == [1, 2]
        beat.close()


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_the_example_of_the_page_is_kept_as_the_page_says(store_url: str) -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "celery-beat.md").read_text()
    [code] = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    broker, store = "redis://localhost/0", "postgresql+psycopg://localhost/shop"
    assert broker in code
    assert store in code
    example: dict[str, Any] = {}
    exec(code.replace(broker, "memory://").replace(store, store_url), example)
    beat = TickerScheduler(example["app"])
    beat.tick()
    found = {cron.function: (cron.expression, cron.time_zone) for cron in crons(beat).values()}
    assert found == {
        "shop.tasks.refresh": ("@every 1m30s", "UTC"),
        "shop.tasks.report": ("30 2 * * 1-5", "Europe/Berlin"),
    }
    beat.close()
    example["app"].close()


class OwnEntry(ScheduleEntry):
    """An entry that might be due at any time."""


DAYS = [number for number in range(1, 32) if number % 3]
# Most minutes and hours, of which none are three in a row.
TWO_OF_THREE = [[number for number in range(count) if number % 3] for count in (60, 24)]
REFUSED = [
    ({"task": "x", "schedule": crontab(nowfun=lambda: START)}, "nowfun"),
    ({"task": "x", "schedule": 60, "args": (object(),)}, "args cannot be kept as JSON"),
    ({"task": "x", "schedule": 60, "kwargs": {"at": {START}}}, "kwargs cannot be kept as JSON"),
    ({"task": "x", "schedule": 60, "kwargs": {"rate": float("nan")}}, "kwargs cannot be kept as JSON"),
    ({"task": "x", "schedule": 60, "options": {"eta": START}}, "its options have an eta"),
    ({"task": "x", "schedule": 60, "options": {"link": object()}}, "options cannot be kept as JSON"),
    ({"task": "x", "schedule": 60, "options": {"task_id": "x" * 256}}, "task_id: at most 255 characters"),
    ({"task": "x", "schedule": 60, "args": "ab"}, "args: pass a list or tuple"),
    ({"task": "x", "schedule": 0.1}, "whole seconds"),
    ({"task": "x", "schedule": 60, "every": 1}, "not an entry of Celery's"),
    ({"schedule": 60}, "task"),
    ({"task": "tickerq.Send", "schedule": 60}, "give the function cron="),
    ({"task": "x", "schedule": 60, "args": ("a" * 2_000_000,)}, "the limit is"),
    ({"task": "x", "schedule": 60, "kwargs": 5}, "its kwargs are no dict"),
    ({"task": "x", "schedule": 60, "kwargs": {1: "a"}}, "its kwargs are no dict whose keys are str"),
    ({"task": "x", "schedule": 60, "options": [1, 2]}, "its options are no dict"),
    ({"task": "x", "schedule": 60, "options": {"headers": ["a"]}}, "its headers are no dict"),
    ({"task": "x", "schedule": float("inf")}, "not an entry of Celery's"),
    ({"task": "x", "schedule": crontab(*TWO_OF_THREE, day_of_month=DAYS)}, "longer than"),
    (OwnEntry(name="odd one", schedule=60, task="x", app=Celery(set_as_current=False)), "class OwnEntry"),
]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("entry", "reason"), REFUSED)
def test_an_entry_that_cannot_be_kept_is_refused_at_start_by_its_name_and_the_others_run(
    start: Start, clock: ManualClock, caplog: pytest.LogCaptureFixture, entry: object, reason: str
) -> None:
    beat = start(minutely=EVERY_MINUTE, **{"odd one": entry})
    assert "entry 'odd one' of beat_schedule cannot be kept: " in caplog.text
    assert reason in caplog.text
    assert "minutely" not in caplog.text
    assert list(crons(beat)) == ["shop.refresh"]
    clock.advance(minutes=1)
    beat.tick()
    assert [message.headers["task"] for message in sent(beat)] == ["shop.refresh"]


def test_an_entry_that_cannot_be_kept_any_more_is_paused_as_one_that_no_code_has(
    start: Start, clock: ManualClock
) -> None:
    start(minutely=EVERY_MINUTE, nightly=NIGHTLY).close()
    broken = start(minutely={**EVERY_MINUTE, "schedule": 0.5}, nightly=NIGHTLY)
    found = crons(broken)
    assert (found["shop.refresh"].is_enabled, found["shop.refresh"].paused_reason) == (False, ORPHANED)
    assert found["shop.report"].is_enabled
    clock.advance(minutes=1)
    broken.tick()
    assert sent(broken) == []
    assert crons(start(minutely=EVERY_MINUTE))["shop.refresh"].is_enabled
