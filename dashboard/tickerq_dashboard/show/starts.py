"""The single moments at which an item of an outlook starts, as charts and collisions need them."""

from collections.abc import Sequence
from datetime import datetime

from tickerq_celery.views import OutlookItem
from tickerq_dashboard.show.durations import duration

# A band with more starts is drawn, and its moments are not counted one by one.
MOST_MOMENTS = 300


def starts_of(item: OutlookItem) -> Sequence[datetime]:
    """Return the moments of its starts; of a band with too many, or that are not known one by one, none."""
    if item.starts == 1:
        return (item.moment + item.delay,)
    if item.starts == len(item.marks):
        return item.marks
    if item.marks or item.every is None or item.starts > MOST_MOMENTS:
        return ()
    return [item.moment + number * item.every for number in range(item.starts)]


def rate_words(item: OutlookItem) -> str:
    """Return how often a band starts: "every 20 s, 4,320 in this window"."""
    how_often = "" if item.every is None else f"every {duration(item.every)}, "
    return f"{how_often}{item.starts:,} in this window"
