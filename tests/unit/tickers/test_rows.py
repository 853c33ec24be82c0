"""Rows are frozen values: what a builder fills in, and what each column of the tables holds."""

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from tests.inner import Bounds, Misfire
from tests.tables import cron_tickers, tickers
from tickerq_celery.enums import HoldReason, MisfirePolicy, OverlapPolicy, TickerStatus, TickerType
from tickerq_celery.errors import InvalidCronError
from tickerq_celery.store.reading.row_mapping import changed_columns, cron_columns, run_columns
from tickerq_celery.tickers.cron_rows import CronEdit, CronRow, new_cron_row, with_times_of_code
from tickerq_celery.tickers.run_rows import RunRow, misfire_record, new_run_row, occurrence_row, terminal
from tickerq_celery.tickers.work import WORK_FIELDS, Work

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
WORK = Work(namespace="main", function="Send", tags=("eu",), retry_intervals=(timedelta(seconds=30),))


def cron(**changes: object) -> CronRow:
    row = new_cron_row(WORK, expression="0 * * * *", time_zone="UTC", now=NOW)
    return replace(row, **changes)  # type: ignore[arg-type]


def run() -> RunRow:
    return new_run_row(WORK, type=TickerType.TIME_TICKER, execution_time=NOW, due_at=NOW, now=NOW)


def test_a_cron_tickers_row_has_a_field_for_each_column() -> None:
    assert {each.name for each in fields(CronRow)} - {"flaw"} == {each.name for each in cron_tickers.c}


def test_a_runs_row_has_all_columns_that_must_hold_something() -> None:
    names = {each.name for each in fields(RunRow)}
    assert names <= {each.name for each in tickers.c}
    assert {each.name for each in tickers.c if not each.nullable} <= names
    assert {*WORK_FIELDS} <= names & {each.name for each in cron_tickers.c}


def test_a_new_cron_ticker_fires_from_the_next_instant_on() -> None:
    row = cron()
    assert (row.next_run_at, row.run_count, row.created_at) == (NOW + timedelta(hours=1), 0, NOW)
    assert row.timetable().next_after(NOW) == row.next_run_at
    with pytest.raises(InvalidCronError):
        new_cron_row(WORK, expression="no", time_zone="UTC", now=NOW)


def test_a_cron_ticker_without_runs_left_has_no_next_one() -> None:
    row = cron(max_runs=3, run_count=3)
    assert (row.has_runs_left, row.next_run_after(NOW)) == (False, None)
    assert cron(max_runs=3, run_count=2).next_run_after(NOW) == NOW + timedelta(hours=1)


def test_columns_hold_plain_values() -> None:
    bounds = Bounds(exclude=(date(2026, 12, 25),), jitter=timedelta(seconds=2))
    columns = cron_columns(
        new_cron_row(WORK, expression="@every 1h", time_zone="UTC", bounds=bounds, now=NOW)
    )
    assert (columns["exclude"], columns["jitter"], columns["start_at"]) == (
        ["2026-12-25"], timedelta(seconds=2), NOW,
    )  # fmt: skip
    assert (columns["misfire"], columns["tags"]) == ("run_once", ["eu"])
    assert type(columns["misfire"]) is str
    assert cron_columns(cron())["exclude"] is None
    held = run_columns(replace(run(), held_for=HoldReason.OVERLAP))
    assert (held["held_for"], held["type"], held["priority"]) == ("overlap", 1, 2)
    assert {type(held["type"]), type(held["priority"])} == {int}


def test_an_edit_writes_what_it_changes_and_reaches_occurrences_with_what_they_have_too() -> None:
    before = cron()
    after = replace(before, overlap=OverlapPolicy.SKIP, retries=3, tags=("us",))
    assert changed_columns(before, after) == {"overlap": "skip", "retries": 3, "tags": ["us"]}
    assert CronEdit(before=before, after=after).changed_work == {"retries", "tags"}
    assert changed_columns(before, before) == {}


@pytest.mark.parametrize(
    ("own", "expression"),
    [({}, "0 5 * * *"), ({"expression": "0 7 * * *"}, "0 7 * * *"), ({"day_or": True}, None)],
)
def test_times_that_an_operator_has_changed_stay(own: dict[str, object], expression: str | None) -> None:
    row = replace(cron().seeded("Send"), **own)  # type: ignore[arg-type]
    timed = with_times_of_code(row, expression="0 5 * * *", time_zone="UTC", day_or=False)
    assert timed.seed_expression == "0 5 * * *"
    assert timed.expression == (expression or "0 * * * *")


def test_an_occurrence_is_its_cron_tickers_work() -> None:
    row = cron(description="what it does", hard_timeout=timedelta(seconds=3))
    occurrence = occurrence_row(row, instant=NOW, now=NOW)
    assert all(getattr(occurrence, name) == getattr(row, name) for name in WORK_FIELDS)
    assert (occurrence.cron_ticker_id, occurrence.instant, occurrence.status) == (
        row.id,
        NOW,
        TickerStatus.IDLE,
    )


def test_a_misfire_record_has_ended_and_stands_for_no_single_instant() -> None:
    missed = Misfire(first=NOW, last=NOW, count=1, count_is_exact=True)
    record = misfire_record(cron(misfire=MisfirePolicy.SKIP), missed, reason="Missed", now=NOW)
    assert (record.instant, record.execution_time, record.due_at) == (None, NOW, None)
    assert (record.status, record.ended_status, record.ended_at) == (
        TickerStatus.SKIPPED,
        TickerStatus.SKIPPED,
        NOW,
    )


def test_an_end_leaves_neither_a_hold_nor_a_key() -> None:
    end = terminal(TickerStatus.CANCELLED, NOW, "by ada")
    assert (end.status, end.ended_status, end.ended_at, end.skipped_reason) == (
        TickerStatus.CANCELLED, TickerStatus.CANCELLED, NOW, "by ada",
    )  # fmt: skip
    assert {end.due_at, end.not_before, end.held_for, end.hold_key, end.active_key} == {None}
    assert isinstance(run().id, UUID)
