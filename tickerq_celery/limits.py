"""The limits of what tickers hold and of what is asked of them, for a form or an API of yours.

Whatever is over a limit is a ``TickerValidationError`` where a ticker is added or changed, or runs are asked
for. Lengths are in characters.
"""

from tickerq_celery.schedule.planner import MOST_INSTANTS
from tickerq_celery.validation import (
    LONGEST_CONCURRENCY_KEY,
    LONGEST_DESCRIPTION,
    LONGEST_ERROR_TYPE,
    LONGEST_EXPRESSION,
    LONGEST_FUNCTION,
    LONGEST_HOLD_KEY,
    LONGEST_KEY,
    LONGEST_QUEUE,
    LONGEST_SEARCH,
    LONGEST_TAG,
    LONGEST_TASK_ID,
    MOST_A_MINUTE,
    MOST_ATTEMPTS,
    MOST_DATES,
    MOST_FAILURES,
    MOST_FUNCTIONS,
    MOST_MISFIRES,
    MOST_RETRIES,
    MOST_SEARCHED,
    MOST_TAGS,
)

__all__ = [
    "LONGEST_CONCURRENCY_KEY",
    "LONGEST_DESCRIPTION",
    "LONGEST_ERROR_TYPE",
    "LONGEST_EXPRESSION",
    "LONGEST_FUNCTION",
    "LONGEST_HOLD_KEY",
    "LONGEST_KEY",
    "LONGEST_QUEUE",
    "LONGEST_SEARCH",
    "LONGEST_TAG",
    "LONGEST_TASK_ID",
    "MOST_ATTEMPTS",
    "MOST_A_MINUTE",
    "MOST_DATES",
    "MOST_FAILURES",
    "MOST_FUNCTIONS",
    "MOST_INSTANTS",
    "MOST_MISFIRES",
    "MOST_RETRIES",
    "MOST_SEARCHED",
    "MOST_TAGS",
]
