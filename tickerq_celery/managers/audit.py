"""Read the audit, and let hosts add what they know: log-ins, and what they refuse themselves."""

from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final, Generic
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.enums import AuditOutcome, AuditOutcomeLike
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.managers.asynchronous import AsyncListing, AsyncManager, AsyncVerb
from tickerq_celery.managers.operations import LONGEST_ERROR, check_words
from tickerq_celery.managers.runs.runs import checked_page_size
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.records import audit
from tickerq_celery.tickers.audit import AuditEntry, ObjectKind
from tickerq_celery.tickers.effect import Effect
from tickerq_celery.tickers.pages import Page, Walk
from tickerq_celery.tickers.sessions import AsyncSessionLike, SessionT

_LONGEST = {"actor": 200, "action": 50, "object_kind": 20, "object_id": 200}


class AuditManager(Generic[SessionT]):
    """Who did what, when, and what came of it. Entries are never changed, and deleted by their age only."""

    def __init__(self, storing: UnitOfWork) -> None:
        self._storing = storing

    def find(
        self,
        *,
        actor: str | None = None,
        action: str | None = None,
        object_kind: str | None = None,
        object_id: UUID | str | None = None,
        outcome: AuditOutcomeLike | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[AuditEntry]:
        """Return a page of entries that meet all filters, the newest first.

        ``since`` is inclusive, ``until`` exclusive. It reads 2,000 entries at most: a page that ends early
        has a ``next_cursor`` all the same, which goes on from there.

        Raises:
            TickerValidationError: A filter's value means nothing, or ``object_id`` has no ``object_kind``.
        """
        page_after = self._pages(
            {"actor": actor, "action": action, "object_kind": object_kind, "object_id": object_id},
            outcome,
            since=since,
            until=until,
        )
        return page_after(cursor, limit=limit)

    def iterate(
        self,
        *,
        actor: str | None = None,
        action: str | None = None,
        object_kind: str | None = None,
        object_id: UUID | str | None = None,
        outcome: AuditOutcomeLike | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        page_size: int = 100,
    ) -> Walk[AuditEntry]:
        """Return an iterator over the entries of all pages; takes and raises what ``find`` does."""
        page_after = self._pages(
            {"actor": actor, "action": action, "object_kind": object_kind, "object_id": object_id},
            outcome,
            since=since,
            until=until,
        )
        return Walk(partial(page_after, limit=checked_page_size(page_size)))

    def record(
        self,
        action: str,
        outcome: AuditOutcomeLike = AuditOutcome.DONE,
        *,
        session: SessionT | None = None,
        object_id: str | None = None,
        reason: str | None = None,
        error: str | None = None,
    ) -> None:
        """Store what a host knows of an action of its own, such as ``dashboard.log_in``.

        What is refused is counted: one entry a minute for each action and address, whatever names are tried.
        With a ``session`` each refusal is an entry. An ``operation_id`` of the actor is not used up.

        Raises:
            TickerValidationError: A text cannot be stored.
        """
        found = validation.member("outcome", outcome, AuditOutcome)
        check_words(reason, None)
        draft = replace(
            self._storing.operations.draft(_text("action", action), ObjectKind.HOST),
            object_id=None if object_id is None else _text("object_id", object_id),
            reason=reason,
        )
        text = None if error is None else validation.words("error", error, LONGEST_ERROR)
        # An entry that counts would stay locked in a caller's transaction.
        is_counted = found is AuditOutcome.REFUSED and session is None

        def record(tx: Transaction) -> Effect[None]:
            if is_counted:
                self._storing.operations.count(
                    tx, draft, text or "", per=("host", draft.address, draft.action)
                )
            else:
                audit.add_record(tx, draft, found, text)
            return Effect(result=None)

        self._storing.in_transaction(record, session, verb="audit.record")

    def _pages(
        self,
        texts: dict[str, UUID | str | None],
        outcome: AuditOutcomeLike | None,
        *,
        since: datetime | None,
        until: datetime | None,
    ) -> "partial[Page[AuditEntry]]":
        given = {name: str(value) if isinstance(value, UUID) else value for name, value in texts.items()}
        wanted = {name: _text(name, value) for name, value in given.items() if value is not None}
        if "object_id" in wanted and "object_kind" not in wanted:
            raise TickerValidationError("object_id", given["object_id"], "pass its object_kind, too")
        if outcome is not None:
            wanted["outcome"] = validation.member("outcome", outcome, AuditOutcome).value
        return partial(
            self._page_after,
            wanted=wanted,
            since=None if since is None else validation.moment("since", since),
            until=None if until is None else validation.moment("until", until),
        )

    def _page_after(
        self,
        cursor: str | None,
        *,
        wanted: dict[str, str],
        since: datetime | None,
        until: datetime | None,
        limit: int,
    ) -> Page[AuditEntry]:
        core = self._storing.core
        return core.read_bounded(audit.find, wanted, since=since, until=until, limit=limit, cursor=cursor)


def _text(field: str, value: object) -> str:
    return validation.name(field, value, _LONGEST[field])


class AsyncAudit(AsyncManager):
    """Who did what, when, and what came of it."""

    find: Final = AsyncVerb(AuditManager.find)
    iterate: Final = AsyncListing(AuditManager.iterate)
    record: Final = AsyncVerb(AuditManager[AsyncSessionLike].record)
