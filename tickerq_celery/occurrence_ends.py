"""What an occurrence's end means for its cron ticker: whose turn it is, and whether it failed too often."""

from uuid import UUID

from sqlalchemy import Connection

from tickerq_celery.core import Core
from tickerq_celery.enums import TickerStatus
from tickerq_celery.lifecycle import Outcome
from tickerq_celery.pausing import after_a_failure
from tickerq_celery.store import overlaps
from tickerq_celery.store.claims import Started


def tell_cron(connection: Connection, core: Core, run: Started, outcome: Outcome) -> list[UUID]:
    """Do what the policies of an occurrence's cron ticker want at its end; return whose turn it is now.

    Nothing is done for other runs, nor where the run goes on: a retry keeps its place.
    """
    if run.cron_ticker_id is None or outcome.goes_on:
        return []
    made_due: list[UUID] = []
    if run.active_key is not None:
        made_due = overlaps.pass_on(connection, core.clock, run.cron_ticker_id)
    if outcome.status is TickerStatus.FAILED and run.instant is not None:
        after_a_failure(connection, core, run.cron_ticker_id)
    return made_due
