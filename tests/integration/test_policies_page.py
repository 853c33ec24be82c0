"""The examples of docs/reference/cron-policies.md run, one after the other, as they stand there."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.integration.apps import enrol_worker, ticker_app
from tests.manual_clock import ManualClock
from tests.pages import BLOCK, text_of
from tickerq_celery import MisfirePolicy, OverlapPolicy, TickerContext, TickerStatus


def test_the_examples_of_the_page_do_what_it_says(store_url: str, namespace: str, clock: ManualClock) -> None:
    clock.set(datetime(2026, 2, 2, 12, tzinfo=UTC))
    with ticker_app(store_url, namespace, clock) as tickerq:

        @tickerq.function("SendDailyDigest")
        def digest(context: TickerContext) -> None: ...

        enrol_worker(tickerq)
        names: dict[str, Any] = {"tickerq": tickerq}
        for block in BLOCK.finditer(text_of("docs/reference/cron-policies.md")):
            exec(block["text"], names)
        [cron] = tickerq.cron_tickers.find()
        assert (cron.pause_on_failure, cron.misfire_limit, cron.overlap) == (3, 5, "buffer_one")
        assert (cron.is_enabled, tickerq.pauses.find()) == (True, ())
        assert cron.next_run_at == datetime(2026, 2, 3, 9, tzinfo=UTC)
        # The page takes its skip back.
        assert list(tickerq.cron_tickers.occurrences(cron.id, status=TickerStatus.SKIPPED)) == []
        assert len(names["created"]) == 22
        assert len(tickerq.cron_tickers.occurrences(cron.id)) == 23


@pytest.mark.parametrize("policies", [MisfirePolicy, OverlapPolicy])
def test_the_page_has_a_row_for_each_policy(policies: type[MisfirePolicy | OverlapPolicy]) -> None:
    page = text_of("docs/reference/cron-policies.md")
    assert [policy for policy in policies if f"\n| `{policy.value}`" not in page] == []
