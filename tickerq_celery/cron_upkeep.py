"""The sweep's part for cron tickers: what a fire, a resumption or an end could not do in its own time."""

from uuid import UUID

from tickerq_celery.core import Core
from tickerq_celery.overlapping import give_turns
from tickerq_celery.pausing import unpark


class CronUpkeep:
    """Looks at a batch of each kind in a pass, and in the next pass at those behind it."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._after_turn = ""
        self._after_parked: UUID | None = None

    def look_after(self) -> None:
        """Give turns and let parked cron tickers go on, where nobody else has.

        Raises:
            StoreError: The database is away.
        """
        core = self._core
        self._after_turn, self._after_parked = core.database.write(
            lambda connection: (
                give_turns(connection, core, after=self._after_turn),
                unpark(connection, core, after=self._after_parked),
            )
        )
