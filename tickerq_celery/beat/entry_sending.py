"""Sends the due runs of Celery's beat entries through ``Scheduler.apply_entry``, where others watch them.

Sentry and Datadog put a method of their own there: Sentry's begins a check-in, and adds headers to the
entry's options, by which a worker ends it.
"""

import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

from celery import Celery
from celery.beat import ScheduleEntry

from tickerq_celery.beat.entry_rows import Entry
from tickerq_celery.payload.celery_call import CeleryCall
from tickerq_celery.tickers.claims import Claim

logger = logging.getLogger(__name__)
AppliesEntry = Callable[["DueEntry"], object]
Send = Callable[[dict[str, Any]], None]


class DueEntry(ScheduleEntry):
    """An entry whose run is due: what Celery's beat has, with one run's call."""

    def __init__(self, entry: Entry, call: CeleryCall, send: Send, app: Celery) -> None:
        super().__init__(
            entry.name,
            entry.task,
            None,
            0,
            entry.schedule,
            call.args,
            call.kwargs,
            dict(call.options),
            app=app,
        )
        self.options: dict[str, Any]
        self._send = send
        self.is_sent = False
        self.error: Exception | None = None

    def publish(self) -> None:
        """Send the run with the options as they are now; Celery's ``apply_entry`` would drop the error."""
        self.is_sent = True
        try:
            self._send(self.options)
        except Exception as error:  # noqa: BLE001 - a user's router may raise anything
            self.error = error


class EntrySending:
    """Sends the calls of one beat; ``entry_of`` finds the entry that a cron ticker is of."""

    def __init__(
        self, app: Celery, entry_of: Callable[[UUID | None], Entry | None], apply_entry: AppliesEntry
    ) -> None:
        self._app = app
        self._entry_of = entry_of
        self._apply_entry = apply_entry

    def send(self, claim: Claim, call: CeleryCall, send: Send) -> None:
        """Send a call by ``send``, which takes its options: one of an entry as Celery's beat does.

        Raises:
            PublishError: The broker did not take it.
            Exception: What the app's router raised.
        """
        entry = self._entry_of(claim.cron_ticker_id)
        if entry is None:
            send(call.options)
            return
        due = DueEntry(entry, call, send, self._app)
        try:
            self._apply_entry(due)
        except Exception:  # whoever watches may raise anything: what was sent must not count as refused
            if not due.is_sent:
                raise
            logger.exception("what watches beat failed after entry %s was sent", entry.name)
        if due.error is not None:
            raise due.error
        if not due.is_sent:
            raise RuntimeError("what stands in for Scheduler.apply_entry did not send the entry")
