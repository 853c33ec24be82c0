"""Claim due runs, publish them, stamp them; give back what the broker did not take."""

import logging
from collections.abc import Callable, Collection, Sequence
from typing import Protocol
from uuid import UUID

from sqlalchemy import Connection

from tickerq_celery.claimer import Claimer
from tickerq_celery.core import Core
from tickerq_celery.errors import PublishError, StoreError
from tickerq_celery.failpoints import Place, failpoint
from tickerq_celery.store import publications
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
    """The way of a due run to the broker, free of Celery.

    ``must_stop`` is asked now and then in the middle of a batch: whether the rest is to be given back.
    """

    def __init__(
        self,
        core: Core,
        claimer: Claimer,
        publisher: Publisher,
        *,
        must_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._core = core
        self._claimer = claimer
        self._publisher = publisher
        self._must_stop = must_stop

    def dispatch(self, *, holder: str, ids: Collection[UUID] | None = None) -> bool:
        """Claim and publish a batch; say whether more runs may be due.

        Raises:
            PublishError: The broker is away; nothing stays claimed and unpublished.
            StoreError: The database is away.
        """
        self._publisher.connect()
        claimed = self._claimer.claim(holder=holder, ids=ids)
        if claimed.claims:
            failpoint(Place.CLAIMED)
        sent = self.publish(claimed.claims)
        if sent:
            names = sorted({claim.function for claim in sent})
            shown = ", ".join(names[:_NAMES_SHOWN]) + (", …" if len(names) > _NAMES_SHOWN else "")
            logger.info("dispatched %d runs: %s", len(sent), shown)
        return claimed.is_full

    def publish(self, batch: Sequence[Claim]) -> list[Claim]:
        """Publish claims, stamp and return them; give back those of first-time claims that could not be.

        One that the broker would never take, as its queue or its route is wrong, waits without the others.

        Raises:
            PublishError: The broker did not take all of them.
        """
        published: list[Claim] = []
        for first in range(0, len(batch), _STAMPED_AT_ONCE):
            if self._must_stop():
                self._give_back(batch[first:])
                break
            part = batch[first : first + _STAMPED_AT_ONCE]
            sent: list[Claim] = []
            refused: list[Claim] = []
            try:
                for claim in part:
                    (sent if self._takes(claim) else refused).append(claim)
            except PublishError:
                self._give_back(batch[first + len(sent) + len(refused) :])
                raise
            finally:
                self._stamp(sent)
                self._postpone(refused)
            published += sent
        return published

    def _takes(self, claim: Claim) -> bool:
        try:
            self._publisher.publish(claim)
        except PublishError:
            raise
        except Exception:
            # The user's router runs here and may raise anything, and so does Celery for a queue that it does
            # not know. That is this run's own trouble: those behind it must not wait for it.
            wait = self._core.config.republish_after.total_seconds()
            logger.exception(
                "run %s of %s cannot be published, it is tried again in %d s", claim.id, claim.function, wait
            )
            return False
        failpoint(Place.PUBLISHED)
        return True

    def _stamp(self, part: Sequence[Claim]) -> None:
        core = self._core
        if not part:
            return
        try:
            core.database.write(
                lambda connection: publications.stamp(
                    connection, core.clock, part, check_after=core.config.republish_after
                )
            )
        except StoreError as error:
            # Harmless: an unstamped run is checked soon, and its second message is dropped.
            logger.warning("could not stamp %d published runs: %s", len(part), error)
            return
        failpoint(Place.STAMPED)

    def _postpone(self, refused: Sequence[Claim]) -> None:
        def postpone(connection: Connection) -> None:
            for claim in refused:
                publications.postpone(
                    connection, core.clock, claim.id, claim.number, core.config.republish_after
                )

        core = self._core
        if not refused:
            return
        try:
            core.database.write(postpone)
        except StoreError as error:
            # Harmless: they stay Queued, and the sweep tries them again.
            logger.warning("could not postpone %d runs that cannot be published: %s", len(refused), error)

    def _give_back(self, rest: Sequence[Claim]) -> None:
        # A claim without a due time was taken over by the sweep, and stays Queued until its next check.
        fresh = [claim for claim in rest if claim.due_at is not None]
        failpoint(Place.REFUSED)
        try:
            self._core.database.write(lambda connection: publications.give_back(connection, fresh))
        except StoreError as error:
            logger.warning(
                "could not give back %d claims, the sweep will publish them: %s", len(fresh), error
            )
