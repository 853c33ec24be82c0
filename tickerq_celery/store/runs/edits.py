"""Changes of many runs, however different, with few statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tickerq_celery.enums import TickerStatus
from tickerq_celery.store.database.batches import update_columns
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading.row_mapping import columns_of_runs
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.run_rows import RunRow
from tickerq_celery.tickers.versions import after_change


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """The columns ``names`` of ``row``, which a time ticker is to get that was changed ``edited_before``."""

    id: UUID
    edited_before: datetime
    row: RunRow
    names: frozenset[str]


def edit_all(tx: Transaction, edits: Sequence[Edit]) -> None:
    """Write changes into Idle runs that this transaction has locked, however many with one statement."""
    alike: dict[frozenset[str], list[Edit]] = {}
    for each in edits:
        alike.setdefault(each.names, []).append(each)
    is_idle = tickers.c.status == TickerStatus.IDLE
    for names, group in alike.items():
        columns = columns_of_runs([each.row for each in group], names)
        columns["updated_at"] = [after_change(each.edited_before, tx.now) for each in group]
        written = update_columns(tx, tickers, [each.id for each in group], columns, is_idle)
        if written != len(group):
            raise AssertionError(f"edited {written} of {len(group)} locked runs")
