"""Claim due runs, publish them, stamp them; give back what the broker did not take."""

import logging
from collections.abc import Collection, Sequence
from typing import Protocol
from uuid import UUID

from tickerq_celery.claimer import Claimer
from tickerq_celery.core import Core
from tickerq_celery.errors import PublishError, StoreError
from tickerq_celery.store import claims
from tickerq_celery.store.claims import Claim

logger = logging.getLogger(__name__)
_STAMPED_AT_ONCE = 100
_NAMES_SHOWN = 5


class Publisher(Protocol):
    """Hands claims to the broker."""

    def connect(self) -> None:
        """Reach the broker, or raise PublishError."""

    def publish(self, claim: Claim) -> None:
        """Send one claim's message, or raise PublishError."""


class Dispatcher:
    """The way of a due run to the broker, free of Celery."""

    def __init__(self, core: Core, claimer: Claimer, publisher: Publisher) -> None:
        self._core = core
        self._claimer = claimer
        self._publisher = publisher

    def dispatch(self, *, holder: str, ids: Collection[UUID] | None = None) -> bool:
        """Claim and publish a batch; say whether more runs may be due.

        Raises:
            PublishError: The broker is away; nothing stays claimed and unpublished.
            StoreError: The database is away.
        """
        self._publisher.connect()
        claimed = self._claimer.claim(holder=holder, ids=ids)
        self.publish(claimed.claims)
        if claimed.claims:
            names = sorted({claim.function for claim in claimed.claims})
            shown = ", ".join(names[:_NAMES_SHOWN]) + (", …" if len(names) > _NAMES_SHOWN else "")
            logger.info("dispatched %d runs: %s", len(claimed.claims), shown)
        return claimed.is_full

    def publish(self, batch: Sequence[Claim]) -> None:
        """Publish claims and stamp them; give back those of first-time claims that could not be.

        Raises:
            PublishError: The broker did not take all of them.
        """
        for first in range(0, len(batch), _STAMPED_AT_ONCE):
            part = batch[first : first + _STAMPED_AT_ONCE]
            sent = 0
            try:
                for claim in part:
                    self._publisher.publish(claim)
                    sent += 1
            except PublishError:
                self._stamp(part[:sent])
                self._give_back(batch[first + sent :])
                raise
            self._stamp(part)

    def _stamp(self, part: Sequence[Claim]) -> None:
        core = self._core
        if not part:
            return
        try:
            core.database.write(
                lambda connection: claims.stamp(
                    connection, core.clock, part, check_after=core.config.republish_after
                )
            )
        except StoreError as error:
            # Harmless: an unstamped run is checked soon, and its second message is dropped.
            logger.warning("could not stamp %d published runs: %s", len(part), error)

    def _give_back(self, rest: Sequence[Claim]) -> None:
        # A claim without a due time was taken over by the sweep, and stays Queued until its next check.
        fresh = [claim for claim in rest if claim.due_at is not None]
        try:
            self._core.database.write(lambda connection: claims.give_back(connection, fresh))
        except StoreError as error:
            logger.warning(
                "could not give back %d claims, the sweep will publish them: %s", len(fresh), error
            )
