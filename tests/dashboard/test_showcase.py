"""What pictures and the browser's tests look at does not grow old with the calendar."""

from datetime import timedelta

from tests.dashboard.seeds import NOW, Seeds
from tests.dashboard.showcase import Showcase
from tests.tables import attempts, cron_tickers, tickers


def test_no_row_of_the_showcase_has_a_fixed_moment(seeds: Seeds) -> None:
    Showcase(seeds, runs=5)
    for table in (tickers, attempts, cron_tickers):
        rows = seeds.tickerq.core.read(lambda tx, each: tx.execute(each).mappings().all(), table.select())
        assert rows
        assert [row for row in rows if NOW in row.values()] == []


def test_a_run_of_the_showcase_starts_at_most_a_minute_late(seeds: Seeds) -> None:
    Showcase(seeds, runs=60)
    at_once = tickers.select().where(tickers.c.ended_at.is_not(None), tickers.c.retry_count == 0)
    ran = at_once.where(tickers.c.execution_time < tickers.c.started_at)
    rows = seeds.tickerq.core.read(lambda tx, each: tx.execute(each).all(), ran)
    assert len(rows) > 50
    assert max(row.started_at - row.execution_time for row in rows) < timedelta(minutes=1)
