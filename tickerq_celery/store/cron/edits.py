"""Changes of many cron tickers, however different, with few statements."""

from collections.abc import Sequence

from tickerq_celery.store.database.batches import update_columns
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading.row_mapping import changed_columns, cron_columns
from tickerq_celery.store.tables import cron_tickers
from tickerq_celery.tickers.cron_rows import CronEdit
from tickerq_celery.tickers.versions import after_change


def edit_all(tx: Transaction, edits: Sequence[CronEdit]) -> None:
    """Write what has changed of cron tickers that this transaction has locked, and read as ``before``."""
    alike: dict[frozenset[str], list[CronEdit]] = {}
    for each in edits:
        alike.setdefault(frozenset(changed_columns(each.before, each.after)), []).append(each)
    for names, group in alike.items():
        changed = [cron_columns(each.after, names) for each in group]
        columns: dict[str, list[object]] = {name: [each[name] for each in changed] for name in names}
        columns["updated_at"] = [after_change(each.before.updated_at, tx.now) for each in group]
        update_columns(tx, cron_tickers, [each.after.id for each in group], columns)
