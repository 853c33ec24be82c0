"""The instants that the dashboard shows beforehand are those that beat stores, also where clocks change."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.dashboard.access.users import SECRET, by_role
from tests.dashboard.api.conftest import Program, tokens
from tests.integration.apps import sending_app
from tests.integration.cron.firing import fire, instants
from tests.manual_clock import ManualClock
from tickerq_celery import CronTicker, TickerQ
from tickerq_dashboard import create_app

# When the clocks of a zone change, and an hour and a minute within what they skip, or repeat.
GAPS = {
    "Europe/Berlin": (datetime(2026, 3, 29, 1, tzinfo=UTC), 2, 30),
    "America/New_York": (datetime(2026, 3, 8, 7, tzinfo=UTC), 2, 30),
    "Australia/Lord_Howe": (datetime(2026, 10, 3, 15, 30, tzinfo=UTC), 2, 15),
}
FOLDS = {
    "Europe/Berlin": (datetime(2026, 10, 25, 1, tzinfo=UTC), 2, 30),
    "America/New_York": (datetime(2026, 11, 1, 6, tzinfo=UTC), 1, 30),
    "Australia/Lord_Howe": (datetime(2026, 4, 4, 15, tzinfo=UTC), 1, 45),
}
CHANGES = [
    pytest.param(zone, change, (f"0 {minute} * * * *", f"0 {minute} {hour} * * *"), word, id=f"{zone}-{word}")
    for word, changes in (("skip", GAPS), ("repeat", FOLDS))
    for zone, (change, hour, minute) in changes.items()
]
# A preview has fifty instants at most: each hour of two days, with the change in their middle.
BEFORE, HOURS, SHOWN = timedelta(hours=24, minutes=40), 49, 50
LOOK = timedelta(minutes=15)


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with sending_app(store_url, namespace, clock) as made:
        yield made


@pytest.fixture
def program(tickerq: TickerQ) -> Program:
    return Program(create_app(tickerq, auth=by_role, secret=SECRET, api_tokens=tokens()), "admin")


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("zone", "change", "expressions", "word"), CHANGES)
def test_beat_stores_what_was_previewed_over_a_change_of_the_clocks(
    program: Program,
    tickerq: TickerQ,
    clock: ManualClock,
    zone: str,
    change: datetime,
    expressions: tuple[str, str],
    word: str,
) -> None:
    clock.set(change - BEFORE)
    crons = {
        expression: tickerq.cron_tickers.add(
            CronTicker(function="Send", expression=expression, time_zone=zone)
        ).id
        for expression in expressions
    }
    previewed = {expression: previewed_by(program, expression, zone, word) for expression in crons}
    listed = {expression: listed_by(program, crons[expression]) for expression in crons}
    for _ in range(HOURS * 4):
        clock.advance(seconds=LOOK.total_seconds())
        fire(tickerq.core)
    stored = {expression: instants(tickerq.core, cron_id) for expression, cron_id in crons.items()}
    assert stored == {expression: until(clock, found) for expression, found in previewed.items()}
    assert stored == {expression: until(clock, found) for expression, found in listed.items()}
    hourly, daily = (len(each) for each in stored.values())
    assert (hourly in {48, 49, 50}, daily in {2, 3}) == (True, True)


def previewed_by(program: Program, expression: str, zone: str, word: str) -> list[datetime]:
    """Return the instants that an expression is said to have, one at least with a note on the change."""
    asked = {"expression": expression, "time_zone": zone, "count": SHOWN}
    found = program.send("POST", "/crons/preview", json=asked).json["instants"]
    assert any(f"the clocks {word}" in (each["note"] or "") for each in found)
    return [datetime.fromisoformat(each["instant"]) for each in found]


def listed_by(program: Program, cron_id: object) -> list[datetime]:
    """Return the instants that a stored cron ticker is said to have."""
    found = program.get(f"/crons/{cron_id}/instants?count={SHOWN}").json["items"]
    return [datetime.fromisoformat(each) for each in found]


def until(clock: ManualClock, found: list[datetime]) -> list[datetime]:
    """Return those that have come."""
    return [each for each in found if each <= clock.now()]
