"""The example of docs/reference/statistics.md, run as it stands there."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.integration.apps import ticker_app
from tests.integration.stats.rolling import ended, write
from tests.manual_clock import ManualClock
from tickerq_celery import TickerStatus

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "statistics.md").read_text()
FIGURES, OF_ONE_MOMENT, OF_LATE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_the_example_shows_what_it_says(
    store_url: str, namespace: str, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    with ticker_app(store_url, namespace, clock) as tickerq:
        failed = ended(
            tickerq.core,
            clock.now(),
            status=TickerStatus.FAILED,
            exception_type="builtins.OSError",
            exception_message="no route",
        )
        write(tickerq.core, failed, ended(tickerq.core, clock.now()))
        exec(FIGURES, {"tickerq": tickerq})
        shared: dict[str, Any] = {"tickerq": tickerq}
        exec(OF_ONE_MOMENT, shared)
        late: dict[str, Any] = {"tickerq": tickerq, "timedelta": timedelta}
        exec(OF_LATE, late)
    first, *points, group, sample, by_step = capsys.readouterr().out.splitlines()
    assert by_step == f"builtins.OSError {(0,) * 12 + (1,)}"
    assert len(late["by_minute"].points) == 61
    assert first == "1 succeeded, 1 failed since 2026-01-14 12:00:00+00:00"
    assert (len(points), points[-1]) == (25, "2026-01-15 12:00:00+00:00 2")
    assert group == "1 x builtins.OSError in Send, last 2026-01-15 12:00:00+00:00: no route"
    assert (shared["day"].total.ends, shared["lag"].total.count) == (2, 2)
    assert [each.count for each in shared["failures"].groups] == [1]
    assert sample == f"look at run {failed['id']}"
