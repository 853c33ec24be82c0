"""Chains as wholes: their tree, and what to do with the rest of one."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Final, Generic
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.enums import TickerStatus
from tickerq_celery.errors import TickerBusyError, TickerChangedError, TickerNotFoundError, TickerStateError
from tickerq_celery.managers.asynchronous import AsyncManager, AsyncVerb
from tickerq_celery.managers.operations import Operation, operation_on
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.runs.cancelling import CancelledRun, Canceller
from tickerq_celery.runs.chain_cancelling import cancel_members, check_any_left
from tickerq_celery.runs.chain_retrying import apply_retry_plan
from tickerq_celery.runs.lock_tries import first_locked
from tickerq_celery.store.cron import cron_tickers
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs import chain_trees
from tickerq_celery.store.runs.chain_trees import LockedMember
from tickerq_celery.tickers.audit import ObjectKind
from tickerq_celery.tickers.chain_retries import retry_plan
from tickerq_celery.tickers.chain_trees import ChainChange, ChainTree, size_in
from tickerq_celery.tickers.chains import MOST_NODES
from tickerq_celery.tickers.effect import Change, Effect, Shown
from tickerq_celery.tickers.sessions import AsyncSessionLike, SessionT
from tickerq_celery.tickers.skip_reasons import who_and_why
from tickerq_celery.tickers.versions import ExpectedLike, wanted_version

# Of more the audit has the ids only.
_MOST_SHOWN = 100
_KIND = "run"


class ChainManager(Generic[SessionT]):
    """Chains as wholes, each named by any of its runs.

    Every call is one transaction, or a part of its caller's ``session``.
    """

    def __init__(self, storing: UnitOfWork, canceller: Canceller) -> None:
        self._storing = storing
        self._canceller = canceller

    def tree(self, ticker_id: UUID | str, *, limit: int = MOST_NODES) -> ChainTree:
        """Return the chain that a run belongs to, from its head down; up to ``limit`` runs (1,000 at most).

        Raises:
            TickerNotFoundError: There is no such run.
        """
        found = validation.identifier(ticker_id)
        validation.whole("limit", limit, 1, MOST_NODES)
        return self._storing.core.read_bounded(_tree, found, limit=limit)

    def retry_failed(
        self,
        ticker_id: UUID | str,
        *,
        session: SessionT | None = None,
        expected: ExpectedLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> ChainChange:
        """Let all that failed in a chain start again, and what was skipped for it, all or nothing.

        A failed run is due now, with all of its retries; below one that starts again, or has not ended, it
        waits for its parent instead. A run that was skipped for its condition waits again for a parent that
        starts again or has not ended, and is due now where that has met the condition since. What succeeded,
        was cancelled, or was skipped by its own function stays as it is.

        Raises:
            TickerNotFoundError: There is no such run.
            TickerStateError: Nothing in its chain is to be retried; or the head is no run, but the record of
                instants that did not run.
            TickerChangedError: The chain is not the ``expected`` one any more; the error has its tree.
            TickerBusyError: Another process keeps a run of the chain locked.
            DuplicateTickerError: Another ticker has taken the unique key of one meanwhile.
        """
        found, version = validation.identifier(ticker_id), _version(expected)
        operation = operation_on(ObjectKind.RUN, "chains.retry_failed", [found], by, reason, expected=version)

        def work(tx: Transaction) -> Effect[ChainChange]:
            cron_id = chain_trees.head_cron(tx, found)
            if cron_id is not None:
                # The cron ticker first, as a fire does.
                cron_tickers.lock(tx, cron_id)
            members = _locked(tx, found, version, "retried")
            plan = retry_plan(members)
            if not plan.ids:
                raise TickerStateError(found, "in a chain without a failure", "retried")
            apply_retry_plan(tx, plan, members)
            return _changed(tx, found, Change(ids=plan.ids), members, due=plan.at_once)

        return self._operate(operation, work, session)

    def cancel_rest(
        self,
        ticker_id: UUID | str,
        *,
        session: SessionT | None = None,
        terminate: bool = False,
        expected: ExpectedLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> ChainChange:
        """Cancel all of a chain that has not ended, so that nothing of it starts any more.

        What waits is Cancelled at once. What runs is asked to end: its ``cancel_requested`` is True until it
        does. With ``terminate`` the processes of the pools that run it are killed; without, a Celery task
        that runs goes on, since it cannot be asked.

        Raises:
            TickerNotFoundError: There is no such run.
            TickerStateError: All of its chain has ended, or only Celery tasks run, and ``terminate`` is
                False.
            TickerChangedError: The chain is not the ``expected`` one any more; the error has its tree.
            TickerBusyError: Another process keeps a run of the chain locked.
        """
        found, version = validation.identifier(ticker_id), _version(expected)
        said = who_and_why(self._storing.operations.who(by), reason)
        operation = operation_on(
            ObjectKind.RUN,
            "chains.cancel_rest",
            [found],
            by,
            reason,
            terminate=terminate,
            expected=version,
        )
        cancelled: list[CancelledRun] = []

        def work(tx: Transaction) -> Effect[ChainChange]:
            members = _locked(tx, found, version, "cancelled")
            asked = next(each for each in members if each.id == found)
            check_any_left(asked, members, terminate=terminate)
            done = cancel_members(tx, members, terminate=terminate, who_and_why=said)
            # A transaction that the database refused is run again.
            cancelled[:] = done.result
            return _changed(tx, found, done.change, members, due=done.due)

        return self._operate(
            operation,
            work,
            session,
            after=lambda _: self._canceller.notify_all(cancelled, terminate=terminate),
        )

    def _operate(
        self,
        operation: Operation,
        work: Callable[[Transaction], Effect[ChainChange]],
        session: SessionT | None,
        *,
        after: Callable[[ChainChange], object] | None = None,
    ) -> ChainChange:
        found = operation.ids[0]
        changed = self._storing.operate(
            operation,
            work,
            recall=lambda tx, entry: ChainChange(
                tree=_tree(tx, found, limit=MOST_NODES), ids=tuple(entry.ids)
            ),
            session=session,
            after=after,
        )
        if session is not None:
            return changed
        # Some may have been published since.
        return replace(changed, tree=self._storing.core.read(_tree, found, limit=MOST_NODES))


def _version(expected: ExpectedLike) -> str | None:
    version = wanted_version(expected)
    if version is not None:
        size_in(version)
    return version


def _tree(tx: Transaction, found: UUID, *, limit: int) -> ChainTree:
    tree = chain_trees.tree(tx, found, limit=limit)
    if tree is None:
        raise TickerNotFoundError(_KIND, found)
    return tree


def _locked(tx: Transaction, found: UUID, version: str | None, done: str) -> Sequence[LockedMember]:
    """Lock the chain of a run, never waiting for a process that is stalled, and check its version."""
    members = first_locked(lambda: chain_trees.lock(tx, found))
    if members is None:
        raise TickerBusyError(found, done)
    if not members:
        raise TickerNotFoundError(_KIND, found)
    if version is not None:
        seen = _tree(tx, found, limit=size_in(version))
        if seen.version != version:
            raise TickerChangedError(found, _tree(tx, found, limit=MOST_NODES))
    return members


def _changed(
    tx: Transaction, found: UUID, change: Change, members: Sequence[LockedMember], *, due: Collection[UUID]
) -> Effect[ChainChange]:
    tree = _tree(tx, found, limit=MOST_NODES)
    done = ChainChange(tree=tree, ids=tuple(change.ids))
    if len(change.ids) <= _MOST_SHOWN:
        changed = set(change.ids)
        before = {
            str(each.id): _shown(each.status, each.run.cancel_request is not None)
            for each in members
            if each.id in changed
        }
        after = {str(each.run.id): _shown(each.run.status, each.run.cancel_requested) for each in done.runs}
        change = replace(change, before=before, after=after)
    return Effect(result=done, due=due, change=change)


def _shown(status: TickerStatus, is_cancel_requested: bool) -> Shown:
    return {"status": str(status)} | ({"cancel_requested": True} if is_cancel_requested else {})


class AsyncChains(AsyncManager):
    """Chains as wholes: their tree, and what to do with the rest of one."""

    tree: Final = AsyncVerb(ChainManager.tree)
    retry_failed: Final = AsyncVerb(ChainManager[AsyncSessionLike].retry_failed)
    cancel_rest: Final = AsyncVerb(ChainManager[AsyncSessionLike].cancel_rest)
