"""Changes of many runs, however different, with few statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import update

from tickerq_celery.enums import TickerStatus
from tickerq_celery.store.database.batches import AT_ONCE, value_by_id
from tickerq_celery.store.database.transaction import Transaction, rowcount
from tickerq_celery.store.row_mapping import run_columns
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.run_rows import RunRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """The columns ``names`` of ``row``, which a time ticker is to get."""

    id: UUID
    row: RunRow
    names: frozenset[str]


def edit_all(tx: Transaction, edits: Sequence[Edit]) -> None:
    """Write changes into Idle runs that this transaction has locked, however many with one statement."""
    alike: dict[frozenset[str], list[Edit]] = {}
    for each in edits:
        alike.setdefault(each.names, []).append(each)
    for group in alike.values():
        for first in range(0, len(group), AT_ONCE):
            _edit_part(tx, group[first : first + AT_ONCE])


def _edit_part(tx: Transaction, edits: Sequence[Edit]) -> None:
    columns = {each.id: run_columns(each.row, each.names) for each in edits}
    statement = (
        update(tickers)
        .where(tickers.c.id.in_(list(columns)), tickers.c.status == TickerStatus.IDLE)
        .values(
            {
                name: value_by_id(
                    tickers.c.id, tickers.c[name], {each: columns[each][name] for each in columns}
                )
                for name in edits[0].names
            }
        )
        .values(updated_at=tx.sql_now())
    )
    written = rowcount(tx, statement)
    if written != len(edits):
        raise AssertionError(f"edited {written} of {len(edits)} locked runs")
