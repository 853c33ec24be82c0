"""Store the tickers of another beat's periodic tasks: each once, however often it is imported."""

from dataclasses import replace

from tickerq_celery.cli.periodic_task import KEY_PREFIX
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.managers.cron.rows import cron_rows
from tickerq_celery.managers.time_tickers.time_tickers import TimeTickerManager
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.store.cron import cron_tickers
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs import runs
from tickerq_celery.tickers.inputs import CronTicker, TimeTicker


class Importer:
    """Adds tickers under a key; what is stored under that key already stays as it is.

    It serves one command: what others import meanwhile, it may not see.
    """

    def __init__(self, storing: UnitOfWork, time_tickers: TimeTickerManager) -> None:
        self._storing = storing
        self._time_tickers = time_tickers
        self._keys: set[str] | None = None

    def add_once(self, key: str, ticker: CronTicker | TimeTicker, *, applying: bool) -> bool:
        """Store a ticker, or where not ``applying`` only check it; return True if it was not there yet.

        Raises:
            TickerValidationError: It cannot be stored, or its moment has passed.
            StoreError: The database is unreachable.
        """
        if isinstance(ticker, TimeTicker):
            return self._add_time_ticker(key, ticker, applying)
        return self._storing.core.write(self._add_cron_ticker, key, ticker, applying)

    def _add_cron_ticker(self, tx: Transaction, key: str, ticker: CronTicker, applying: bool) -> bool:
        if cron_tickers.seeded(tx, [key]):
            return False
        (row,) = cron_rows(self._storing, tx, {"": ticker}, allow_unknown=False)
        if applying:
            cron_tickers.insert_new(tx, [replace(row, seed_key=key)])
        return True

    def _add_time_ticker(self, key: str, ticker: TimeTicker, applying: bool) -> bool:
        core = self._storing.core
        if ticker.execution_time is not None and ticker.execution_time <= core.clock.now():
            raise TickerValidationError("execution_time", ticker.execution_time, "it has passed")
        if key in self._imported_keys():
            return False
        if applying:
            # As its cron tickers: another beat has sent such a task until now.
            self._time_tickers.add(ticker, allow_unknown=ticker.task is not None)
            self._imported_keys().add(key)
        return True

    def _imported_keys(self) -> set[str]:
        """Return the keys of all time tickers that were ever imported, and not deleted since.

        Not the active ones only: what was cancelled, or has run before its moment, must not run after all.
        An index of the others' keys would cost every run a write, for a command that is rarely called. So
        all of them are read in one pass over the store, whatever the number of tickers to import.
        """
        if self._keys is None:
            core = self._storing.core
            self._keys = core.read(runs.unique_keys, prefix=KEY_PREFIX)
        return self._keys
