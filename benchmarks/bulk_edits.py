"""How long one ``update_batch`` takes, and one ``add_batch`` that replaces all unique tickers.

python -m benchmarks.bulk_edits [--count 20000] URL; the URL is that of an empty database. A quarter of the
``count`` is updated: time, request and description of each.
"""

import argparse
import time
from collections.abc import Callable
from datetime import timedelta

from benchmarks.bulk_add import Mail, case_of, mails, ticker_app
from benchmarks.measured import Measured, Unit
from benchmarks.subjects import OURS
from tickerq_celery import Run, TickerQ


def measure(*, count: int, store_url: str, broker_url: str = "") -> tuple[Measured, ...]:
    """Replace ``count`` unique time tickers by one call, and update a quarter of them by another."""
    case = case_of(store_url)
    with ticker_app(store_url) as tickerq:
        batch = mails(count, unique=True)
        before = tickerq.time_tickers.add_batch(batch)
        made: list[Run] = []
        replacing = seconds_of(
            lambda: made.extend(tickerq.time_tickers.add_batch(batch, on_conflict="replace"))
        )
        assert not {run.id for run in before} & {run.id for run in made}
        updated, updating = updated_in(tickerq, made[: count // 4])
    return (
        took(f"replacing {count:,}", replacing, case, len(made)),
        took(f"updating {count // 4:,}", updating, case, updated),
    )


def updated_in(tickerq: TickerQ, runs: list[Run]) -> tuple[int, float]:
    """Give each run another time, request and description; return how many got them, and the seconds."""
    changes = {
        run.id: {
            "execution_time": run.created_at + timedelta(days=2, seconds=number),
            "request": Mail(number, "other@example.org", "Changed"),
            "description": f"number {number}",
        }
        for number, run in enumerate(runs)
    }
    after: list[Run] = []
    seconds = seconds_of(lambda: after.extend(tickerq.time_tickers.update_batch(changes)))
    return sum(run.description == changes[run.id]["description"] for run in after), seconds


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long a call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def took(quantity: str, seconds: float, case: str, count: int) -> Measured:
    """Return how long something took."""
    return Measured(subject=OURS, quantity=quantity, value=seconds, unit=Unit.SECONDS, case=case, count=count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("url")
    given = parser.parse_args()
    for each in measure(count=given.count, store_url=given.url):
        print(f"{each.case}: {each.quantity} in {each.value:.2f} s")


if __name__ == "__main__":
    main()
