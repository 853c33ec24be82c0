"""Rows for a dashboard to show (temporary: over lists)."""

from dataclasses import replace
from uuid import UUID

from tests.dashboard.fake_store import FakeTickerQ, make_attempt, make_cron, make_run


class Seeds:
    def __init__(self, folder) -> None:
        self.tickerq = FakeTickerQ()

    def run(self, **fields) -> UUID:
        run = make_run(**fields)
        self.tickerq.runs.items.insert(0, run)
        return run.id

    def attempt(self, run_id: UUID, **fields) -> None:
        items = self.tickerq.runs.items
        for at, run in enumerate(items):
            if run.id == run_id:
                items[at] = replace(run, attempts=(*run.attempts, make_attempt(**fields)))

    def cron(self, **fields) -> UUID:
        cron = make_cron(**fields)
        self.tickerq.cron_tickers.items.insert(0, cron)
        return cron.id
