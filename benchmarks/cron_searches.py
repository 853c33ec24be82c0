"""What it costs to explain cron expressions that seldom fire, or never, or in gaps of the clocks only.

It needs no store. The figures are processor time.
"""

import time
from datetime import UTC, datetime

from benchmarks.measured import Measured, Unit
from benchmarks.subjects import OURS
from tickerq_celery.schedule import preview

COUNT = 50
AFTER = datetime(2026, 1, 15, 12, tzinfo=UTC)
SHOWN = 28
_LIST = ",".join(map(str, range(48)))
# Expressions, each with its zone, that let a search go far, or have much to read.
HOSTILE = (
    ("0 0 29 2 *", "UTC"),
    ("0 0 29 2 1", "America/New_York"),
    ("0 0 29 2 MON#5", "UTC"),
    ("0 0 29 2 0L", "Asia/Tokyo"),
    ("0 0 0 29 2 SUN", "Europe/Berlin"),
    ("0 0 31 2,4,6,9,11 *", "UTC"),
    ("0 0 30 2 MON-FRI", "UTC"),
    ("0 0 LW * *", "UTC"),
    ("0 0 1W 1 1#1", "UTC"),
    ("* 2 * 3 0L", "Europe/Berlin"),
    ("* 2 31 3 SUN", "Europe/Berlin"),
    ("*/5 2 8-14 3 SUN", "America/New_York"),
    ("30 2 29-31 3 0L", "Europe/Berlin"),
    ("30 2 * * *", "Australia/Lord_Howe"),
    ("* * * * * *", "America/St_Johns"),
    (f"{_LIST} */2 1-31 * 0-6", "Europe/Berlin"),
    (f"0 {_LIST} 1,2,3 L 1,3,5 *", "Africa/Casablanca"),
)


def measure(*, count: int) -> tuple[Measured, ...]:
    """Find the next ``count`` instants of each expression."""
    return tuple(
        Measured(
            subject=OURS,
            quantity="processor time",
            value=took(expression, zone, count),
            unit=Unit.MILLISECONDS,
            case=f"{_shortened(expression)}, {zone}",
        )
        for expression, zone in HOSTILE
    )


def took(expression: str, zone: str, count: int) -> float:
    """Return the milliseconds of processor time that one search takes."""
    start = time.process_time()
    preview.explain(expression, time_zone=zone, after=AFTER, count=count)
    return (time.process_time() - start) * 1_000


def _shortened(expression: str) -> str:
    return f"{expression[:SHOWN]}…" if len(expression) > SHOWN else expression
