"""Changes of many cron tickers, however different, with few statements."""

from collections.abc import Sequence

from sqlalchemy import update

from tickerq_celery.store.database.batches import AT_ONCE, value_by_id
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.row_mapping import changed_columns
from tickerq_celery.store.tables import cron_tickers
from tickerq_celery.tickers.cron_rows import CronEdit


def edit_all(tx: Transaction, edits: Sequence[CronEdit]) -> None:
    """Write what has changed of cron tickers that this transaction has locked, and read as ``before``."""
    alike: dict[frozenset[str], list[CronEdit]] = {}
    for each in edits:
        alike.setdefault(frozenset(changed_columns(each.before, each.after)), []).append(each)
    for names, group in alike.items():
        for first in range(0, len(group), AT_ONCE):
            _edit_part(tx, group[first : first + AT_ONCE], names)


def _edit_part(tx: Transaction, edits: Sequence[CronEdit], names: frozenset[str]) -> None:
    columns = {each.after.id: changed_columns(each.before, each.after) for each in edits}
    table = cron_tickers.c
    values = {
        name: value_by_id(table.id, table[name], {each: columns[each][name] for each in columns})
        for name in names
    }
    tx.execute(
        update(cron_tickers).where(table.id.in_(list(columns))).values({**values, "updated_at": tx.sql_now()})
    )
