"""Whatever the timetables, a span of time fires each of their instants once and in order."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from celery import Celery
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.thoroughness import in_verify
from tickerq_celery import CronTicker, TickerQ
from tickerq_celery.schedule.timetable import make_timetable
from tickerq_celery.testing import take_over

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
# Around the days on which clocks change.
starts = st.integers(0, 40 * 86_400).map(
    lambda later: datetime(2027, 3, 1, tzinfo=UTC) + timedelta(seconds=later)
)
expressions = st.one_of(
    st.builds("{} {} * * *".format, st.integers(0, 59), st.integers(0, 23)),
    st.builds("{} */{} * * *".format, st.integers(0, 59), st.integers(2, 12)),
    st.builds("{} 2 * * {}".format, st.integers(0, 59), st.integers(0, 6)),
)
crons = st.lists(st.tuples(expressions, st.sampled_from(ZONES)), min_size=1, max_size=3)


@pytest.mark.parametrize("examples", [3, in_verify(80)])
def test_a_span_fires_each_instant_of_each_timetable_in_the_order_of_time(examples: int) -> None:
    app = Celery("timetables", set_as_current=False)
    tickerq = TickerQ(app, "sqlite:///nowhere.db")
    tickerq.function("Fire")(lambda: None)

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(crons, starts, st.lists(st.integers(1, 60), min_size=1, max_size=3))
    def fires(crons: list[tuple[str, str]], start: datetime, steps: list[int]) -> None:
        with tempfile.TemporaryDirectory() as folder, take_over(tickerq, folder=Path(folder)) as kit:
            kit.clock.set(start)
            for expression, zone in crons:
                kit.cron_tickers.add(CronTicker("Fire", expression=expression, time_zone=zone))
            fired = []
            for hours in steps:
                kit.clock.advance(hours=hours)
                fired += [run.execution_time for run in kit.run_due()]
            assert fired == instants(crons, start, start + timedelta(hours=sum(steps)))

    fires()
    tickerq.close()
    app.close()


def instants(crons: list[tuple[str, str]], start: datetime, end: datetime) -> list[datetime]:
    found = []
    for expression, zone in crons:
        timetable = make_timetable(expression, time_zone=zone, now=start)
        instant = timetable.next_after(start)
        while instant is not None and instant <= end:
            found.append(instant)
            instant = timetable.next_after(instant)
    return sorted(found)
