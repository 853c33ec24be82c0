"""The call of a Celery task, where that is what a run consists of."""

from typing import Any

from sqlalchemy import ColumnElement, Row, case

from tickerq_celery.codec import Packed
from tickerq_celery.enums import TickerKind
from tickerq_celery.models import tickers

# The only request that a publisher needs.
CALL: tuple[ColumnElement[Any], ...] = (
    case((tickers.c.kind == TickerKind.CELERY_TASK.value, tickers.c.request)).label("call"),
    tickers.c.encoding,
)


def call_from(row: Row[Any]) -> Packed | None:
    """Return the call that a row of these columns holds, or None where it is a ticker function's run."""
    return None if row.call is None else Packed(row.call, row.encoding)
