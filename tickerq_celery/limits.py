"""The limits of what tickers hold: a form or an API of yours can refuse more before it is sent.

Whatever is over a limit is a ``TickerValidationError`` where a ticker is added or changed. Lengths are in
characters.
"""

from tickerq_celery.schedule.bounds import MOST_DATES
from tickerq_celery.schedule.grammar import LONGEST_EXPRESSION
from tickerq_celery.schedule.planner import MOST_INSTANTS
from tickerq_celery.validation import (
    LONGEST_CONCURRENCY_KEY,
    LONGEST_DESCRIPTION,
    LONGEST_FUNCTION,
    LONGEST_KEY,
    LONGEST_QUEUE,
    LONGEST_TAG,
    MOST_FAILURES,
    MOST_MISFIRES,
    MOST_RETRIES,
    MOST_TAGS,
)

__all__ = [
    "LONGEST_CONCURRENCY_KEY",
    "LONGEST_DESCRIPTION",
    "LONGEST_EXPRESSION",
    "LONGEST_FUNCTION",
    "LONGEST_KEY",
    "LONGEST_QUEUE",
    "LONGEST_TAG",
    "MOST_DATES",
    "MOST_FAILURES",
    "MOST_INSTANTS",
    "MOST_MISFIRES",
    "MOST_RETRIES",
    "MOST_TAGS",
]
