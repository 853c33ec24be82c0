"""Store new occurrences, each with its own copy of its cron ticker's chain."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from tickerq_celery.drafts import occurrence_children
from tickerq_celery.models import tickers
from tickerq_celery.store import cron_tickers
from tickerq_celery.store.engine import insert_rows


def store(
    connection: Connection, cron: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], *, now: datetime
) -> None:
    """Insert occurrences of a locked cron ticker; those whose instant is there already stay as they are."""
    cron_tickers.add_occurrences(connection, rows)
    heads = {row["id"]: row for row in rows if row["has_children"]}
    # Where the instant had its occurrence already, ours was not stored, and that one has its chain.
    for head_id in cron_tickers.stored_among(connection, heads):
        insert_rows(connection, tickers, occurrence_children(cron, heads[head_id], now=now))
