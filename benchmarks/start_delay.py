"""How long after its time a run starts at a steady rate: from its due moment to its start in a child.

python -m benchmarks.start_delay [runs a second …]; needs BENCHMARK_STORE and BENCHMARK_BROKER, new and empty.
"""

import os
import sys
from datetime import UTC, datetime, timedelta

from benchmarks.fleet import fleet, started_late, store_of, wait_until
from benchmarks.fleet_app import BROKER, OTHER, STORE
from benchmarks.measured import Measured, delays
from benchmarks.subjects import OURS
from tickerq_celery import TimeTicker

_AHEAD = timedelta(seconds=3)
_LONGEST = 60.0


def measure(
    *, count: int, store_url: str, broker_url: str, per_second: int = 100, case: str = "PostgreSQL"
) -> tuple[Measured, ...]:
    """Let ``count`` runs fall due evenly, so many a second; return the delays of their starts."""
    with store_of(store_url, broker_url) as tickerq, fleet(tickerq, store_url, broker_url):
        first = datetime.now(UTC) + _AHEAD + timedelta(milliseconds=count)
        tickerq.time_tickers.add_batch(
            [
                TimeTicker(function=OTHER, execution_time=first + timedelta(seconds=number / per_second))
                for number in range(count)
            ]
        )
        wait_until(lambda: len(started_late(tickerq, OTHER)) == count, seconds=count / per_second + _LONGEST)
        return delays(OURS, started_late(tickerq, OTHER), case=f"{case}, {per_second} runs a second")


def main(rates: list[str]) -> None:
    """Measure at one rate after the other, ten seconds each."""
    for rate in map(int, rates or ["100"]):
        found = measure(
            count=10 * rate,
            store_url=os.environ[STORE],
            broker_url=os.environ[BROKER],
            per_second=rate,
        )
        print(f"{found[0].case}: " + ", ".join(f"{each.quantity} {each.value:.1f} ms" for each in found))


if __name__ == "__main__":
    main(sys.argv[1:])
