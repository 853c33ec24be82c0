"""Beat entries with odd schedules, names and settings: kept, or refused by name, and never in others' way."""

from typing import Any

import pytest
from celery.schedules import crontab

from tests.integration.apps import ticker_app
from tests.integration.beat.entries import (
    EVERY_MINUTE,
    NIGHTLY,
    Start,
    crons,
    sent,
    settle,
    start,
    statuses,
)
from tests.manual_clock import ManualClock
from tickerq_celery import TickerStatus
from tickerq_celery.beat import entry_reconciler
from tickerq_celery.beat.entry_rows import Entry, entry_row
from tickerq_celery.errors import InvalidCronError
from tickerq_celery.scheduler import TickerScheduler

__all__ = ["start"]  # the fixture
BLANKS = ("a", "a ", "a  ", "n" * 300, "n" * 300 + " ", "a\t")


def test_an_entry_that_cannot_be_stored_stops_neither_the_others_nor_the_sweep(
    start: Start, clock: ManualClock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def row(entry: Entry, **options: Any) -> dict[str, Any]:
        if entry.name == "odd one":
            raise InvalidCronError(entry.expression, "not on this machine")
        return entry_row(entry, **options)

    monkeypatch.setattr(entry_reconciler, "entry_row", row)
    beat = start(minutely=EVERY_MINUTE, **{"odd one": NIGHTLY})
    for _ in range(4):
        settle(beat, clock=clock)
    assert list(crons(beat)) == ["shop.refresh"]
    assert caplog.text.count("entry 'odd one' of beat_schedule cannot be kept") == 1
    clock.advance(seconds=30)
    beat.tick()
    assert caplog.text.count("entry 'odd one' of beat_schedule cannot be kept") == 2
    assert "a tick failed" not in caplog.text


def test_a_sweep_goes_on_where_entries_cannot_be_written(
    start: Start, clock: ManualClock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat = start(minutely=EVERY_MINUTE)

    def fail(*_: object, **__: object) -> None:
        raise ArithmeticError("odd")

    monkeypatch.setattr(entry_reconciler, "keys_of", fail)
    swept = []
    monkeypatch.setattr(beat._loop._sweeper, "sweep", lambda between: swept.append(1))
    clock.advance(seconds=60)
    beat.tick()
    assert swept
    assert "entries of beat_schedule could not be kept" in caplog.text
    assert statuses(beat) == [TickerStatus.DONE]


def test_a_crontab_of_long_ranges_is_kept(start: Start, clock: ManualClock) -> None:
    office = crontab(minute="0-58", hour="8-18", day_of_week="mon-fri")
    beat = start(office={"task": "shop.office", "schedule": office}, minutely=EVERY_MINUTE)
    assert crons(beat)["shop.office"].expression == "0-58 8-18 * * 1-5"
    clock.advance(minutes=1)
    beat.tick()
    assert len(sent(beat)) == 2


def test_names_that_differ_in_their_last_blanks_are_two_entries(start: Start, clock: ManualClock) -> None:
    for seconds, every in ((60, "@every 1m"), (50, "@every 50s")):
        entries = {name: {"task": f"t.{number}", "schedule": seconds} for number, name in enumerate(BLANKS)}
        beat = start(**entries)
        settle(beat, clock=clock)
        found = {cron.function: cron.expression for cron in crons(beat).values()}
        assert found == {f"t.{number}": every for number in range(len(BLANKS))}
        beat.close()


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_names_that_are_no_text_are_refused_by_name_beside_those_that_are(
    store_url: str, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    with ticker_app(store_url, namespace) as tickerq:
        tickerq.app.conf.beat_schedule = {"fine": EVERY_MINUTE, 1: EVERY_MINUTE, None: EVERY_MINUTE}
        TickerScheduler(tickerq.app).close()
    for name in ("1", "None"):
        assert f"entry {name} of beat_schedule cannot be kept: name: pass a str" in caplog.text
    assert "fine" not in caplog.text


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("deadline", ["soon", -1, float("inf")])
def test_a_starting_deadline_that_is_none_is_refused_with_the_crontab_it_is_for(
    store_url: str, namespace: str, caplog: pytest.LogCaptureFixture, deadline: object
) -> None:
    with ticker_app(store_url, namespace) as tickerq:
        conf = {"beat_schedule": {"fine": EVERY_MINUTE, "nightly": NIGHTLY}}
        tickerq.app.conf.update(conf, beat_cron_starting_deadline=deadline)
        TickerScheduler(tickerq.app).close()
    refused = "entry 'nightly' of beat_schedule cannot be kept: beat_cron_starting_deadline: must be"
    assert refused in caplog.text
    assert "fine" not in caplog.text
