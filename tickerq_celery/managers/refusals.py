"""What a refusal carries: the run or the cron ticker as it is now."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tickerq_celery.errors import StoreError, TickerBusyError, TickerStateError
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.cron import cron_tickers
from tickerq_celery.store.runs import runs
from tickerq_celery.tickers.audit import ObjectKind


@contextmanager
def current_added(core: Core, kind: ObjectKind) -> Iterator[None]:
    """Add to refusals of the body what they are about, of this ``kind``, as it is committed by then."""
    try:
        yield
    except (TickerStateError, TickerBusyError) as error:
        if error.current is None:
            _add_current(core, kind, error)
        raise


def _add_current(core: Core, kind: ObjectKind, error: TickerStateError | TickerBusyError) -> None:
    with suppress(StoreError):
        if kind is ObjectKind.RUN:
            error.current = core.read(runs.get, error.ticker_id, codec=core.codec)
        elif kind is ObjectKind.CRON_TICKER:
            error.current = core.read(cron_tickers.get, error.ticker_id, codec=core.codec)
