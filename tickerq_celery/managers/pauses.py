"""Pause more than one cron ticker at a time: a function, a tag, or everything."""

import logging
from collections.abc import Sequence
from typing import Final, Generic
from uuid import UUID

from tickerq_celery.cron.pausing import resume_suspended
from tickerq_celery.enums import HoldReason, PauseKind
from tickerq_celery.errors import TickerNotFoundError
from tickerq_celery.managers.asynchronous import AsyncManager, AsyncVerb
from tickerq_celery.managers.changes import pause_in, shown_pause
from tickerq_celery.managers.operations import Operation
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.store.cron import paused_crons, pauses
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.functions import functions
from tickerq_celery.store.runs import holds
from tickerq_celery.tickers.audit import RELEASED, ObjectKind
from tickerq_celery.tickers.effect import Change, Effect
from tickerq_celery.tickers.pauses import Pause, Scope, scope_of
from tickerq_celery.tickers.sessions import AsyncSessionLike, SessionT
from tickerq_celery.tickers.skip_reasons import who_and_why
from tickerq_celery.tickers.versions import ExpectedLike, check_version, wanted_version

logger = logging.getLogger(__name__)
_MOST_RELEASED = 10_000


class PauseManager(Generic[SessionT]):
    """What is paused holds: its cron tickers do not fire, and none of its runs starts, of whatever kind.

    Runs that have been claimed already go on, and occurrences asked for by ``run_now`` run all the same.
    """

    def __init__(self, storing: UnitOfWork) -> None:
        self._storing = storing
        self._core = storing.core

    def pause(
        self,
        *,
        function: str | None = None,
        tag: str | None = None,
        everything: bool = False,
        session: SessionT | None = None,
        expected: ExpectedLike = None,
        reason: str | None = None,
        by: str | None = None,
        allow_unknown: bool = False,
    ) -> Pause:
        """Pause one of a function, a tag and everything, and return the pause; an earlier one stays.

        ``function`` is also the name of a Celery task that cron tickers call. ``allow_unknown`` takes one
        that nothing knows yet.

        Raises:
            TickerNotFoundError: There is none, and one is ``expected``.
            TickerChangedError: It is not the ``expected`` one any more.
            TickerValidationError: Not exactly one is named, or ``reason`` or ``by`` is too long.
            UnknownFunctionError: No worker ever registered the function, and no ticker names it.
        """
        scope = scope_of(function, tag, everything)
        is_checked = scope.kind is PauseKind.FUNCTION and not allow_unknown
        version = wanted_version(expected)
        operation = _operation("pause", scope, by, reason, allow_unknown=allow_unknown).expecting(version)
        who = self._storing.operations.who(by)
        return self._storing.operate(
            operation,
            lambda tx: self._pause(tx, scope, version, reason, who, is_checked=is_checked),
            recall=lambda tx, entry: pause_in(entry.after),
            session=session,
        )

    def resume(
        self,
        *,
        session: SessionT | None = None,
        function: str | None = None,
        tag: str | None = None,
        everything: bool = False,
        missed: bool = False,
        expected: ExpectedLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> Pause:
        """End the pause of one of a function, a tag and everything, and return the pause that it was.

        What was held runs now, where no other pause holds it. Cron tickers fire from their next instant
        on; ``missed=True`` lets their misfire policy decide on the instants that passed. The pause is kept no
        longer, so ``reason`` and ``by`` are logged.

        Raises:
            TickerNotFoundError: There is no such pause.
            TickerChangedError: It is not the ``expected`` one any more.
            TickerValidationError: Not exactly one is named, or ``reason`` or ``by`` is too long.
        """
        scope = scope_of(function, tag, everything)
        version = wanted_version(expected)
        operation = _operation("resume", scope, by, reason, missed=missed).expecting(version)
        said = who_and_why(self._storing.operations.who(by), reason)
        ended = self._storing.operate(
            operation,
            lambda tx: self._resume(tx, scope, version, missed=missed),
            recall=lambda tx, entry: pause_in(entry.before),
            session=session,
            after=lambda _: logger.info("the pause of %s was ended%s", scope, said),
        )
        after = self._resume_some(session, None)
        while after is not None:
            after = self._resume_some(session, after)
        return ended

    def _resume_some(self, session: SessionT | None, after: UUID | None) -> UUID | None:
        """Let the next cron tickers fire again that no pause covers any more."""
        return self._storing.in_transaction(
            lambda tx: Effect(result=resume_suspended(tx, after=after)), session, verb="pauses.resume"
        )

    def find(self) -> tuple[Pause, ...]:
        """Return all pauses of this kind, the oldest first."""
        return tuple(self._core.read_bounded(pauses.list_pauses))

    def _pause(
        self,
        tx: Transaction,
        scope: Scope,
        version: str | None,
        reason: str | None,
        by: str | None,
        *,
        is_checked: bool,
    ) -> Effect[Pause]:
        if is_checked and not self._is_known(tx, scope.name):
            raise self._core.registry.unknown(scope.name, stored=functions.some_names(tx))
        before, _ = _parted(pauses.list_pauses(tx), scope)
        if before is not None:
            check_version(version, before, str(scope))
        elif version is not None:
            raise TickerNotFoundError("pause", str(scope))
        if before is None:
            pauses.add(tx, scope, reason=reason, by=by)
        stored, _ = _parted(pauses.list_pauses(tx), scope)
        if stored is None:
            raise AssertionError(f"{scope} was stored and is not there")
        is_mine = before is None and (stored.paused_by, stored.reason, stored.paused_at) == (
            by,
            reason,
            tx.now,
        )
        was = None if is_mine else shown_pause(stored)
        return Effect(result=stored, change=Change(count=int(is_mine), before=was, after=shown_pause(stored)))

    def _is_known(self, tx: Transaction, function: str) -> bool:
        if self._core.registry.get(function) is not None:
            return True
        return bool(functions.find(tx, [function])) or pauses.is_named(tx, function)

    def _resume(self, tx: Transaction, scope: Scope, version: str | None, *, missed: bool) -> Effect[Pause]:
        ended, others = _parted(pauses.list_pauses(tx), scope)
        if ended is None:
            raise TickerNotFoundError("pause", str(scope))
        check_version(version, ended, str(scope))
        # In the transaction that ends the pause: after it, a beat decides on what it finds.
        if missed:
            paused_crons.resume_as_missed(tx, ended, others)
        else:
            paused_crons.suspend_due(tx, ended)
        released = holds.release(tx, reason=HoldReason.PAUSED, keys=[ended.key], limit=_MOST_RELEASED)
        if not pauses.remove(tx, scope, ended.paused_at):  # another process was faster
            raise TickerNotFoundError("pause", str(scope))
        change = Change(count=1, before=shown_pause(ended), after={RELEASED: len(released)})
        return Effect(result=ended, change=change)


def _operation(verb: str, scope: Scope, by: str | None, reason: str | None, **arguments: object) -> Operation:
    return Operation(
        action=f"pauses.{verb}",
        kind=ObjectKind(scope.kind.value),
        name=scope.name or None,
        by=by,
        reason=reason,
        arguments=arguments,
    )


def _parted(found: Sequence[Pause], scope: Scope) -> tuple[Pause | None, list[Pause]]:
    """Return the pause of ``scope``, or None, and the others."""
    own = [pause for pause in found if (pause.kind, pause.name) == (scope.kind, scope.name)]
    return (own[0] if own else None), [pause for pause in found if pause not in own]


class AsyncPauses(AsyncManager):
    """Pauses of a function, of a tag, or of everything."""

    pause: Final = AsyncVerb(PauseManager[AsyncSessionLike].pause)
    resume: Final = AsyncVerb(PauseManager[AsyncSessionLike].resume)
    find: Final = AsyncVerb(PauseManager.find)
