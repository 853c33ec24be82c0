"""How cron tickers have done lately."""

from collections.abc import Collection
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.store.cron import figures as cron_figures
from tickerq_celery.tickers.cron_figures import CronFigures

MOST_CRONS = 200


class CronFiguresReading:
    """The last ends of cron tickers, and figures of them."""

    _storing: UnitOfWork

    def figures(self, ids: Collection[UUID | str]) -> dict[UUID, CronFigures]:
        """Return how each of up to 200 cron tickers has done lately, by its id.

        An id without a cron ticker has no entry.

        The figures are those of the last 20 instants that have ended, as far as their runs are kept.

        Raises:
            TickerValidationError: There are more than 200 ids, or one is no UUID.
        """
        if isinstance(ids, str):
            raise TickerValidationError("ids", ids, "pass a list of ids")
        wanted = list(dict.fromkeys(validation.identifier(each) for each in ids))
        if len(wanted) > MOST_CRONS:
            raise TickerValidationError("ids", len(wanted), f"pass {MOST_CRONS} at most")
        if not wanted:
            return {}
        return self._storing.core.read_bounded(cron_figures.find, wanted)
