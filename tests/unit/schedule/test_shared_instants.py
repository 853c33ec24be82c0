"""Cron tickers with one timetable share its instants, whenever each of them is asked for them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerq_celery.schedule import shared_instants
from tickerq_celery.schedule.shared_instants import SharedInstants
from tickerq_celery.schedule.timetable import timetable_of

NOW = datetime(2026, 3, 28, 12, tzinfo=UTC)
EXPRESSIONS = ["30 2 * * *", "0 9 * * MON", "*/20 * * * *", "0 0 29 2 *", "@every 50m"]


@dataclass(frozen=True, kw_only=True)
class Cron:
    """A definition of a cron ticker."""

    expression: str
    time_zone: str = "Europe/Berlin"
    day_or: bool = False
    start_at: datetime | None = None
    end_at: datetime | None = None
    exclude: tuple[date, ...] = ()
    created_at: datetime = NOW


CRONS = st.builds(
    Cron,
    expression=st.sampled_from(EXPRESSIONS),
    end_at=st.sampled_from([None, NOW + timedelta(hours=30)]),
    created_at=st.sampled_from([NOW, NOW + timedelta(minutes=7)]),
)
MOMENTS = st.integers(0, 60 * 48).map(lambda minutes: NOW + timedelta(minutes=minutes))


@given(st.lists(st.tuples(CRONS, MOMENTS)))
def test_they_are_those_of_each_timetable(asked: list[tuple[Cron, datetime]]) -> None:
    shared = SharedInstants()
    for cron, moment in asked:
        next_after = shared.next_after(cron)
        assert next_after is not None
        assert next_after(moment) == timetable_of(cron).next_after(moment)


def test_those_of_a_thousand_cron_tickers_are_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    computed = []

    class Noting:
        def next_after(self, moment: datetime) -> datetime:
            computed.append(moment)
            return NOW + timedelta(hours=1)

    monkeypatch.setattr(shared_instants, "timetable_of", lambda _: Noting())
    shared = SharedInstants()
    for number in range(1_000):
        next_after = shared.next_after(Cron(expression="0 9 * * *", created_at=NOW + timedelta(number)))
        assert next_after is not None
        assert next_after(NOW + timedelta(seconds=number)) == NOW + timedelta(hours=1)
    assert computed == [NOW]


@pytest.mark.parametrize("wrong", [Cron(expression="x"), Cron(expression="* * * * *", time_zone="Nowhere")])
def test_what_cannot_be_read_has_none(wrong: Cron) -> None:
    assert SharedInstants().next_after(wrong) is None
