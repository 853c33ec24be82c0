"""What is wrong with a message at the moment when it is sent."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from tests.inner import Claim, Database
from tests.manual_clock import ManualClock
from tests.stateful.troubles import Process
from tests.tables import tickers
from tickerq_celery.enums import TickerStatus


class _Written(NamedTuple):
    """When a process last wrote to the store, by a wall clock that had been set back so many times."""

    at: datetime
    steps_back: int


class Publications:
    """Looks at the store when a message is sent.

    What it finds is said later: production code would take an exception for a message's bad route.
    """

    def __init__(
        self, database: Database, clock: ManualClock, *, may_be_gone: Callable[[UUID], bool]
    ) -> None:
        self.complaints: list[str] = []
        self.steps_back = 0
        self.steps_ahead = 0
        self._database = database
        self._clock = clock
        self._may_be_gone = may_be_gone
        self._wrote: dict[Process, _Written] = {}
        self._took: dict[Process, _Written] = {}
        self._began: dict[Process, int] = {}

    def note_begin(self, process: Process) -> None:
        """Know that a process begins to do something."""
        self._began[process] = self.steps_ahead
        self._took.pop(process, None)

    def note_write(self, process: Process) -> None:
        """Know that a process has just written to the store."""
        self._wrote[process] = _Written(self._clock.now(), self.steps_back)

    def note_offer(self, process: Process) -> None:
        """Know that a process offers a claim to the broker; its last write before the first took them all."""
        self._took.setdefault(process, self._wrote[process])

    def check(self, process: Process, claim: Claim) -> None:
        """A message names a committed claim, and a sweep's answers a check that was put off before."""
        columns = (tickers.c.claim_no, tickers.c.status, tickers.c.check_at, tickers.c.published_at)
        statement = select(*columns).where(tickers.c.id == claim.id)
        found = self._database.read(lambda connection: connection.execute(statement).one_or_none())
        if found is None:
            if not self._may_be_gone(claim.id):
                self.complaints.append(f"a message for {claim}, which is not in the store")
            return
        if found.claim_no < claim.number:
            self.complaints.append(f"a message before its commit: {claim}")
        is_current = (found.claim_no, found.status) == (claim.number, TickerStatus.QUEUED)
        # While a sweep was stalled in its batch, a message may have come whose sender died before its stamp.
        is_of_a_sweep = claim.due_at is None
        wrote = (self._took if is_of_a_sweep else self._wrote)[process]
        # One that was stalled at the broker's door may find that another has published its claim meanwhile.
        was_stamped = found.published_at is not None and found.published_at < wrote.at
        is_again = claim.call is not None and found.claim_no == claim.number and was_stamped
        # Nor does one that was stalled see a clock that was set ahead, by which another took its claim.
        was_set_ahead = self._began[process] != self.steps_ahead
        was_set_back = wrote.steps_back != self.steps_back
        if is_again and not was_set_back and not was_set_ahead:
            self.complaints.append(f"a stamped call is published again: {claim}")
        if is_current and is_of_a_sweep and not was_set_back and found.check_at < wrote.at:
            self.complaints.append(f"two messages may answer one check: {claim}")
