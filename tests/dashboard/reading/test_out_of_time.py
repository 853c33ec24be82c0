"""What one page had no time left to read, is read anew for the next one."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.dashboard.seeds import Seeds
from tests.integration.apps import join
from tickerq_celery import TickerStatus
from tickerq_celery.enums import NodeKind
from tickerq_dashboard.reading.finding import found_by
from tickerq_dashboard.reading.named import named, names_of
from tickerq_dashboard.reading.overview import known_errors
from tickerq_dashboard.reading.reader import Reader
from tickerq_dashboard.reading.windows import DEFAULT

LOST = "shop.Lost"


def before(reader: Reader) -> object:
    """Return the errors of the window before one that begins in a moment."""
    return known_errors(reader, DEFAULT, reader.now() + timedelta(minutes=1), None)


READINGS: dict[str, Callable[[Reader], object]] = {
    "uncounted ends": lambda reader: reader.uncounted(),
    "functions with the words of a name": lambda reader: found_by(reader, ["lost"]).functions,
    "errors with the words of a name": lambda reader: found_by(reader, ["oserror"]).errors,
    "names of functions": lambda reader: [name for name, _ in names_of(reader) if name == LOST],
    "a function": lambda reader: named(reader, LOST, is_task=False).view,
    "errors of the window before": before,
}


@pytest.mark.parametrize("read", READINGS.values(), ids=READINGS)
def test_what_a_page_had_no_time_left_for_is_no_answer_to_others(
    tmp_path: Path, seeds: Seeds, read: Callable[[Reader], object]
) -> None:
    seeds.now = datetime.now(UTC)
    seeds.run(function=LOST, status=TickerStatus.FAILED, exception_type="builtins.OSError")
    # A worker's process has the function, and that of the dashboard does not.
    with closing(Seeds(f"sqlite:///{tmp_path}/tickers.db")) as worker:
        worker.tickerq.function(LOST)(lambda: None)
        join(worker.tickerq, NodeKind.WORKER)
    reader = Reader(seeds.tickerq, page_size=10)
    with seeds.tickerq.reading_within(1e-6):
        assert not read(reader)
    assert read(reader) not in (None, (), [])
