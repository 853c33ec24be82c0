"""Cron tickers: stored, changed, paused, and what that does to their occurrences."""

import dataclasses
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from tests.integration.apps import (
    dispatch_due,
    enrol_worker,
    fire_crons,
    published,
    row_of,
    ticker_app,
)
from tests.integration.reaching import reach
from tests.manual_clock import START, ManualClock
from tests.statements import occurrences as store
from tickerq_celery import (
    Cron,
    CronSetting,
    CronTicker,
    MisfirePolicy,
    OverlapPolicy,
    Run,
    TickerQ,
    TickerStatus,
    TickerType,
)
from tickerq_celery.errors import (
    InvalidCronError,
    StoreError,
    TickerNotFoundError,
    TickerValidationError,
    UnknownFunctionError,
)

MINUTE = timedelta(minutes=1)

EVERY_MINUTE = "0 * * * * *"


class Digest(BaseModel):
    size: int = 1


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock, time_zone="Europe/Berlin") as made:

        @made.function("Digest", retries=2, retry_intervals=[60], queue="mail")
        def digest(request: Digest) -> None: ...

        @made.function("Clean")
        def clean() -> None: ...

        yield made


def digest(**fields: Any) -> CronTicker:
    return CronTicker(
        **{"function": "Digest", "expression": EVERY_MINUTE, "request": {}, "time_zone": "UTC", **fields}
    )


def fired(tickerq: TickerQ, clock: ManualClock, cron: Cron) -> Run:
    clock.advance(minutes=1)
    fire_crons(tickerq)
    return tickerq.cron_tickers.occurrences(cron.id)[0]


def test_a_batch_of_changes_is_stored_as_a_whole_or_not_at_all(tickerq: TickerQ) -> None:
    one, other = (tickerq.cron_tickers.add(digest()) for _ in range(2))
    changed = tickerq.cron_tickers.update_batch(
        {other.id: {"retries": 5}, str(one.id): {"is_enabled": False}}
    )
    assert [(cron.id, cron.retries, cron.is_enabled) for cron in changed] == [
        (other.id, 5, True),
        (one.id, 2, False),
    ]
    wrong = {"expression": "60 * * * *"}
    for last, error in [
        ({one.id: wrong}, InvalidCronError),
        ({uuid.uuid4(): {}}, TickerNotFoundError),
        ({one.id: {"colour": "red"}}, TickerValidationError),
    ]:
        with pytest.raises(error):
            tickerq.cron_tickers.update_batch({other.id: {"retries": 7}, **last})
        assert tickerq.cron_tickers.get(other.id).retries == 5


def test_an_added_cron_ticker_is_returned_as_it_is_stored(tickerq: TickerQ) -> None:
    cron = tickerq.cron_tickers.add(
        digest(
            expression="0 0 9 * * *", time_zone="Asia/Tokyo", description="daily", retries=1, tags=["eu"],
            misfire=MisfirePolicy.SKIP, misfire_limit=5, misfire_grace=60, overlap=OverlapPolicy.SKIP,
        )
    )  # fmt: skip
    assert tickerq.cron_tickers.get(cron.id) == cron
    assert (cron.function, cron.expression, cron.time_zone) == ("Digest", "0 0 9 * * *", "Asia/Tokyo")
    assert cron.next_run_at == datetime(2026, 1, 16, 0, 0, tzinfo=UTC)
    assert (cron.is_enabled, cron.is_seeded, cron.last_run_at) == (True, False, None)
    assert (cron.retries, cron.retry_intervals, cron.queue) == (1, (MINUTE,), "mail")
    assert (cron.misfire, cron.misfire_limit, cron.misfire_grace) == (MisfirePolicy.SKIP, 5, MINUTE)
    assert (cron.overlap, cron.tags, cron.request) == (OverlapPolicy.SKIP, ("eu",), {"size": 1})
    with pytest.raises(dataclasses.FrozenInstanceError):
        cron.retries = 3  # type: ignore[misc]


def test_the_default_zone_is_the_settings(tickerq: TickerQ) -> None:
    cron = tickerq.cron_tickers.add(digest(expression="0 9 * * *", time_zone=None))
    assert (cron.time_zone, cron.next_run_at) == ("Europe/Berlin", datetime(2026, 1, 16, 8, 0, tzinfo=UTC))


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("expression", ["30 9 * * *", "0 30 9 * * *"])
def test_five_fields_and_six_are_taken_wherever_an_expression_stands(
    tickerq: TickerQ, expression: str
) -> None:
    tickerq.app.conf.clean_cron = expression
    tickerq.function("FromCode", cron=expression, time_zone="UTC")(lambda: None)
    tickerq.function("FromSetting", cron=CronSetting("clean_cron"), time_zone="UTC")(lambda: None)
    tickerq.seed()
    tickerq.cron_tickers.add(digest(expression=expression))
    tickerq.cron_tickers.update(tickerq.cron_tickers.add(digest()).id, expression=expression)
    half_past_nine = datetime(2026, 1, 16, 9, 30, tzinfo=UTC)
    assert tickerq.cron_tickers.preview(expression, count=1) == [half_past_nine]
    assert [cron.next_run_at for cron in tickerq.cron_tickers.find()] == [half_past_nine] * 4


def test_an_occurrence_is_the_first_instant_after_now(tickerq: TickerQ, clock: ManualClock) -> None:
    cron = tickerq.cron_tickers.add(digest())
    assert cron.next_run_at == START + timedelta(minutes=1)
    fire_crons(tickerq)
    assert not tickerq.cron_tickers.occurrences(cron.id)
    run = fired(tickerq, clock, cron)
    assert (run.type, run.cron_ticker_id) == (TickerType.CRON_TICKER_OCCURRENCE, cron.id)
    assert (run.execution_time, run.request, run.queue) == (START + timedelta(minutes=1), {"size": 1}, "mail")
    advanced = tickerq.cron_tickers.get(cron.id)
    assert (advanced.last_run_at, advanced.next_run_at) == (run.execution_time, START + timedelta(minutes=2))


REFUSED = [
    ({"expression": "61 * * * *"}, InvalidCronError, "expression"),
    ({"expression": "* * * *"}, InvalidCronError, "expression"),
    ({"expression": "0 0 30 2 *"}, InvalidCronError, "expression"),
    ({"expression": ""}, InvalidCronError, "expression"),
    ({"expression": None}, InvalidCronError, "expression"),
    ({"time_zone": "Mars/Olympus"}, TickerValidationError, "time_zone"),
    ({"function": "Unknown"}, UnknownFunctionError, "function"),
    ({"function": "x" * 201}, TickerValidationError, "function"),
    ({"description": "x" * 501}, TickerValidationError, "description"),
    ({"retries": -1}, TickerValidationError, "retries"),
    ({"retry_intervals": [-1]}, TickerValidationError, "retry_intervals[0]"),
    ({"tags": ["x" * 51]}, TickerValidationError, "tags[0]"),
    ({"request": {"size": "big"}}, TickerValidationError, "request.size"),
    ({"day_or": "yes"}, TickerValidationError, "day_or"),
    ({"is_enabled": 1}, TickerValidationError, "is_enabled"),
    ({"misfire": "never"}, TickerValidationError, "misfire"),
    ({"misfire_limit": 0}, TickerValidationError, "misfire_limit"),
    ({"misfire_grace": -1}, TickerValidationError, "misfire_grace"),
    ({"overlap": "maybe"}, TickerValidationError, "overlap"),
    ({"pause_on_failure": 0}, TickerValidationError, "pause_on_failure"),
]


@pytest.mark.parametrize(("fields", "error", "field"), REFUSED, ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_field_that_cannot_be_stored_is_named_and_nothing_is_stored(
    tickerq: TickerQ, fields: dict[str, Any], error: type[TickerValidationError], field: str
) -> None:
    with pytest.raises(error) as caught:
        tickerq.cron_tickers.add_batch([digest(), digest(**fields)])
    assert (type(caught.value), caught.value.field) == (error, f"[1].{field}")
    assert not tickerq.cron_tickers.find()
    kept = tickerq.cron_tickers.add(digest())
    with pytest.raises(error):
        tickerq.cron_tickers.update(kept.id, **fields)
    assert tickerq.cron_tickers.get(kept.id) == kept


def test_a_batch_is_stored_as_a_whole(tickerq: TickerQ) -> None:
    crons = tickerq.cron_tickers.add_batch([digest(description=f"{n}") for n in range(5)])
    assert [cron.description for cron in crons] == ["0", "1", "2", "3", "4"]
    with pytest.raises(TickerValidationError, match="pass a CronTicker"):
        tickerq.cron_tickers.add_batch([digest(), {"function": "Digest"}])  # type: ignore[list-item]
    assert len(tickerq.cron_tickers.find()) == 5


def test_another_expression_moves_the_next_run(tickerq: TickerQ, clock: ManualClock) -> None:
    cron = tickerq.cron_tickers.add(digest())
    clock.advance(seconds=90)
    changed = tickerq.cron_tickers.update(cron.id, expression="0 30 * * * *")
    assert changed.next_run_at == START + timedelta(minutes=30)
    moved = tickerq.cron_tickers.update(cron.id, expression="0 0 9 * * *", time_zone="Asia/Tokyo")
    assert moved.next_run_at == datetime(2026, 1, 16, 0, 0, tzinfo=UTC)
    assert (moved.created_at, changed.updated_at) == (START, START + timedelta(seconds=90))


def test_a_change_that_is_no_time_leaves_the_next_run(tickerq: TickerQ, clock: ManualClock) -> None:
    cron = tickerq.cron_tickers.add(digest())
    clock.advance(minutes=5)
    assert tickerq.cron_tickers.update(cron.id, description="new").next_run_at == cron.next_run_at
    as_it_is = {name: getattr(cron, name) for name in ("expression", "time_zone", "day_or", "is_enabled")}
    assert tickerq.cron_tickers.update(cron.id, **as_it_is).next_run_at == cron.next_run_at


def test_a_change_reaches_unclaimed_occurrences(tickerq: TickerQ, clock: ManualClock) -> None:
    cron = tickerq.cron_tickers.add(digest())
    ended = fired(tickerq, clock, cron)
    reach(tickerq, ended.id, TickerStatus.DONE)
    queued = fired(tickerq, clock, cron)
    reach(tickerq, queued.id, TickerStatus.QUEUED)
    idle = fired(tickerq, clock, cron)
    tickerq.cron_tickers.update(cron.id, request=Digest(size=5), description="new", retries=7, tags=["us"])
    assert tickerq.runs.get(ended.id).request == tickerq.runs.get(queued.id).request == {"size": 1}
    rewritten = tickerq.runs.get(idle.id)
    assert (rewritten.request, rewritten.description, rewritten.retries) == ({"size": 5}, "new", 7)
    assert (rewritten.tags, rewritten.execution_time) == (("us",), idle.execution_time)


def test_held_occurrences_run_once_their_function_is_another(tickerq: TickerQ, clock: ManualClock) -> None:
    enrol_worker(tickerq)
    cron = tickerq.cron_tickers.add(
        CronTicker(function="Unknown", expression=EVERY_MINUTE), allow_unknown=True
    )
    run = fired(tickerq, clock, cron)
    dispatch_due(tickerq)
    assert tickerq.runs.get(run.id).held_for == "function"
    tickerq.cron_tickers.update(cron.id, function="Clean")
    dispatch_due(tickerq)
    assert published(tickerq) == [run.id]


@pytest.mark.parametrize("field", ["colour", "namespace", "next_run_at", "id", "seed_key"])
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_an_unknown_field_cannot_be_changed(tickerq: TickerQ, field: str) -> None:
    cron = tickerq.cron_tickers.add(digest())
    with pytest.raises(TickerValidationError) as caught:
        tickerq.cron_tickers.update(cron.id, **{field: "x"})
    assert caught.value.field == field


def pause(tickerq: TickerQ, cron: Cron) -> Cron:
    return tickerq.cron_tickers.pause(cron.id, reason="holidays", by="ann")


def pause_by_update(tickerq: TickerQ, cron: Cron) -> Cron:
    return tickerq.cron_tickers.update(cron.id, is_enabled=False)


@pytest.mark.parametrize("stop", [pause, pause_by_update])
@pytest.mark.parametrize(
    "go_on",
    [
        lambda tickerq, cron: tickerq.cron_tickers.resume(cron.id),
        lambda tickerq, cron: tickerq.cron_tickers.update(cron.id, is_enabled=True),
    ],
    ids=["resume", "update"],
)
def test_a_pause_holds_what_is_pending_and_a_resume_lets_it_run(
    tickerq: TickerQ, clock: ManualClock, stop: Any, go_on: Any
) -> None:
    enrol_worker(tickerq)
    cron = tickerq.cron_tickers.add(digest(function="Clean", request=None, queue=tickerq.app.main))
    run = fired(tickerq, clock, cron)
    assert (stop(tickerq, cron).is_enabled, stop(tickerq, cron).next_run_at) == (False, None)
    assert tickerq.runs.get(run.id).held_for == "paused"
    clock.advance(minutes=10)
    fire_crons(tickerq)
    dispatch_due(tickerq)
    assert published(tickerq) == []
    assert [each.held_for for each in tickerq.cron_tickers.occurrences(cron.id)] == ["paused"]
    resumed = go_on(tickerq, cron)
    assert (resumed.is_enabled, resumed.next_run_at) == (True, START + timedelta(minutes=12))
    assert (resumed.paused_reason, resumed.paused_by, resumed.paused_at) == (None, None, None)
    dispatch_due(tickerq)
    assert published(tickerq) == [run.id]


def test_a_pause_keeps_who_why_and_when(tickerq: TickerQ, clock: ManualClock) -> None:
    cron = tickerq.cron_tickers.add(digest())
    pause(tickerq, cron)
    clock.advance(minutes=1)
    again = tickerq.cron_tickers.pause(cron.id, reason="other", by="bob")
    assert (again.paused_reason, again.paused_by, again.paused_at) == ("holidays", "ann", START)
    changed = tickerq.cron_tickers.update(cron.id, expression="0 0 9 * * *")
    assert (changed.is_enabled, changed.next_run_at, changed.paused_by) == (False, None, "ann")
    assert tickerq.cron_tickers.resume(cron.id).next_run_at == datetime(2026, 1, 16, 9, 0, tzinfo=UTC)


def test_a_cron_ticker_can_be_stored_disabled(tickerq: TickerQ, clock: ManualClock) -> None:
    cron = tickerq.cron_tickers.add(digest(is_enabled=False))
    assert (cron.is_enabled, cron.next_run_at) == (False, None)
    clock.advance(days=1)
    fire_crons(tickerq)
    assert not tickerq.cron_tickers.occurrences(cron.id)


def test_a_deleted_cron_ticker_takes_its_occurrences_along(tickerq: TickerQ, clock: ManualClock) -> None:
    cron, kept = tickerq.cron_tickers.add_batch([digest(), digest()])
    run = fired(tickerq, clock, cron)
    tickerq.cron_tickers.delete(cron.id)
    assert row_of(tickerq, run.id) is None
    with pytest.raises(TickerNotFoundError):
        tickerq.cron_tickers.delete(cron.id)
    assert tickerq.cron_tickers.delete_batch([cron.id, kept.id, uuid.uuid4()]) == 1
    assert not tickerq.runs.find()


def test_a_long_history_is_deleted_piece_by_piece(
    tickerq: TickerQ, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    cron, kept = tickerq.cron_tickers.add_batch([digest(), digest()])
    for _ in range(5):
        fired(tickerq, clock, cron)
    monkeypatch.setattr(store, "_LARGEST_DELETE", 2)
    remove_occurrences, removed = store.remove_some, []

    def remove(*args: Any) -> int:
        if len(removed) == 2:
            raise StoreError("gone")
        removed.append(remove_occurrences(*args))
        return removed[-1]

    with monkeypatch.context() as outage:
        outage.setattr(store, "remove_some", remove)
        with pytest.raises(StoreError):
            tickerq.cron_tickers.delete(cron.id)
    left = tickerq.cron_tickers.get(cron.id)
    assert (removed, left.is_enabled, left.next_run_at) == ([2, 2], False, None)
    assert left.paused_reason == "it is being deleted"
    assert len(tickerq.cron_tickers.occurrences(cron.id)) == 1
    tickerq.cron_tickers.delete(cron.id)
    assert not tickerq.cron_tickers.occurrences(cron.id)
    assert tickerq.cron_tickers.get(kept.id).is_enabled
    assert len(tickerq.cron_tickers.occurrences(kept.id)) == 5


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_cron_ticker_of_another_namespace_is_not_deleted(
    tickerq: TickerQ, store_url: str, namespace: str, clock: ManualClock
) -> None:
    cron = tickerq.cron_tickers.add(digest())
    fired(tickerq, clock, cron)
    with ticker_app(store_url, f"{namespace}-2", clock) as other, pytest.raises(TickerNotFoundError):
        other.cron_tickers.delete(cron.id)
    assert tickerq.cron_tickers.get(cron.id).is_enabled
    assert len(tickerq.cron_tickers.occurrences(cron.id)) == 1


@pytest.mark.parametrize("verb", ["get", "update", "pause", "resume"])
def test_a_cron_ticker_that_is_not_there_is_an_error_that_names_it(tickerq: TickerQ, verb: str) -> None:
    missing = uuid.uuid4()
    with pytest.raises(TickerNotFoundError, match=str(missing)):
        getattr(tickerq.cron_tickers, verb)(missing)


def test_occurrences_are_listed_newest_first_page_by_page(tickerq: TickerQ, clock: ManualClock) -> None:
    cron = tickerq.cron_tickers.add(digest(retries=0))
    made = [fired(tickerq, clock, cron).id for _ in range(5)]
    reach(tickerq, made[0], TickerStatus.FAILED)
    page = tickerq.cron_tickers.occurrences(cron.id, limit=3)
    rest = tickerq.cron_tickers.occurrences(cron.id, limit=3, cursor=page.next_cursor)
    assert [run.id for run in (*page, *rest)] == made[::-1]
    failed = tickerq.cron_tickers.occurrences(cron.id, status=TickerStatus.FAILED)
    assert [run.id for run in failed] == made[:1]


def test_cron_tickers_are_found_by_function_and_state(tickerq: TickerQ) -> None:
    first = tickerq.cron_tickers.add(digest())
    second = tickerq.cron_tickers.add(digest(function="Clean", request=None, is_enabled=False))
    find = tickerq.cron_tickers.find
    assert [cron.id for cron in find()] == [second.id, first.id]
    assert [cron.id for cron in find(function="Digest")] == [first.id]
    assert [cron.id for cron in find(is_enabled=False)] == [second.id]
    page = find(limit=1)
    assert [cron.id for cron in find(limit=1, cursor=page.next_cursor)] == [first.id]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_preview_says_when_an_expression_fires(tickerq: TickerQ) -> None:
    preview = tickerq.cron_tickers.preview
    assert preview("*/20 * * * *", count=2) == [START + timedelta(minutes=20), START + timedelta(minutes=40)]
    after = datetime(2026, 3, 28, 8, 0, tzinfo=UTC)
    berlin = preview("0 0 9 * * *", time_zone="Europe/Berlin", after=after, count=2)
    assert berlin == [datetime(2026, 3, 29, 7, 0, tzinfo=UTC), datetime(2026, 3, 30, 7, 0, tzinfo=UTC)]
    with pytest.raises(InvalidCronError):
        preview("nonsense")
    with pytest.raises(TickerValidationError, match="naive"):
        preview("* * * * *", after=datetime(2026, 1, 1))  # noqa: DTZ001 - what is refused
