"""What many ends come to, as users read it: how many by status, and how long they took."""

from collections import Counter
from collections.abc import Iterable

from tickerq_celery.enums import SUCCEEDED, TickerStatus
from tickerq_celery.tickers.figures import DurationBucket, EndCounts, TimingSummary
from tickerq_celery.tickers.histograms import Spread
from tickerq_celery.tickers.tallies import Tally


def end_counts(found: Iterable[tuple[TickerStatus, Tally]]) -> EndCounts:
    """Return how many ended with each status; calls that are only known to be published stand apart."""
    counts: Counter[str] = Counter()
    for status, tally in found:
        counts[status.name.lower()] += tally.ends - (tally.published if status in SUCCEEDED else 0)
        counts["published"] += tally.published
        counts["late"] += tally.late
        counts["retried"] += tally.retried
    return EndCounts(**counts)


def buckets_of(spread: Spread) -> tuple[DurationBucket, ...]:
    """Return the histogram of durations."""
    return tuple(
        DurationBucket(above=above, up_to=up_to, count=count)
        for above, up_to, count in spread.histogram.bounds()
    )


def timing_summary(spread: Spread) -> TimingSummary:
    """Return the summary of durations."""
    return TimingSummary(
        count=spread.count,
        mean=spread.mean,
        p50=spread.percentile(50),
        p95=spread.percentile(95),
        p99=spread.percentile(99),
        longest=spread.longest if spread.count else None,
    )
