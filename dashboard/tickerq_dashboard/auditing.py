"""What the dashboard refuses, in its log and in the audit."""

import logging

from flask import request

from tickerq_celery import TickerQ
from tickerq_celery.errors import TickerError
from tickerq_celery.views import Actor
from tickerq_dashboard.access.visitors import Visitor, current_request_id

logger = logging.getLogger(__name__)
# Never the name that was tried: it may be a password, typed into the wrong field.
UNAUTHENTICATED = "not logged in"
_LONGEST_ADDRESS = 100


class RefusalAudit:
    """Records refusals: the audit has one entry a minute for each action and address, and a count."""

    def __init__(self, tickerq: TickerQ) -> None:
        self._tickerq = tickerq

    def __call__(
        self, action: str, error: str, *, visitor: Visitor | None = None, account: str | None = None
    ) -> None:
        """Record that ``action`` was refused, with the account whose log-in was tried."""
        logger.warning("the dashboard refused %s to %s: %s", action, _address(), error)
        try:
            actor = actor_of(visitor)
            self._tickerq.acting_as(actor).audit.record(action, "refused", object_id=account, error=error)
        except TickerError as failure:
            # It stays refused, whether the store answers or not.
            logger.warning("the dashboard could not record a refusal in the audit: %s", failure)


def _address() -> str | None:
    """Return where this request comes from, on one line: a server or a proxy may take it from a header."""
    shown = (request.remote_addr or "").strip().encode("unicode_escape").decode("ascii")
    return shown[:_LONGEST_ADDRESS] or None


def actor_of(visitor: Visitor | None, operation_id: str | None = None) -> Actor:
    """Return as whom the audit knows the user of this request.

    Raises:
        TickerValidationError: The operation's id is no UUID, or a host's user has a name that no audit holds.
    """
    return Actor(
        visitor.name if visitor is not None and visitor.name else UNAUTHENTICATED,
        role=None if visitor is None else visitor.role,
        address=_address(),
        via="dashboard" if visitor is None else visitor.via,
        request_id=current_request_id(),
        operation_id=operation_id,
    )
