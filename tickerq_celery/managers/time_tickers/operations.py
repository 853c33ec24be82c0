"""Change and delete time tickers, cancel them, let them start now or again."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Generic, Unpack
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.deferred import Deferred
from tickerq_celery.enums import HoldReason, TickerType
from tickerq_celery.errors import TickerNotFoundError, TickerStateError
from tickerq_celery.managers.batches import IdT, checked_changes
from tickerq_celery.managers.changes import change_of, deletion_of
from tickerq_celery.managers.operations import KIND_NAMES, Operation, operation_on
from tickerq_celery.managers.unit_of_work import UnitOfWork, refuse_async_session
from tickerq_celery.store.database.transaction import Transaction, savepoint
from tickerq_celery.store.runs import runs
from tickerq_celery.tickers.audit import ObjectKind
from tickerq_celery.tickers.call import Changes
from tickerq_celery.tickers.effect import NO_CHANGE, Effect
from tickerq_celery.tickers.explanations import RunExplanation
from tickerq_celery.tickers.fields import TimeTickerChanges
from tickerq_celery.tickers.inputs import TimeTicker
from tickerq_celery.tickers.sessions import SessionT
from tickerq_celery.tickers.surroundings import Surroundings
from tickerq_celery.tickers.versions import (
    ExpectedBatchLike,
    ExpectedLike,
    check_versions,
    expected_of,
    wanted_versions,
)
from tickerq_celery.tickers.views import Run

if TYPE_CHECKING:
    from tickerq_celery.managers.runs.deletes import delete_all
    from tickerq_celery.managers.runs.runs import RunManager
    from tickerq_celery.managers.time_tickers.edits import edit
    from tickerq_celery.runs.cancelling import Canceller
else:
    delete_all = Deferred("tickerq_celery.managers.runs.deletes", "delete_all")
    RunManager = Deferred("tickerq_celery.managers.runs.runs", "RunManager")
    edit = Deferred("tickerq_celery.managers.time_tickers.edits", "edit")

FIXED = {"namespace", "unique_key", "run_condition", "children"}
_operation = partial(operation_on, ObjectKind.RUN)


class TimeTickerOperations(Generic[SessionT]):
    """What is done to time tickers that are there. Every call is one transaction."""

    def __init__(self, storing: UnitOfWork, canceller: "Canceller", surroundings: Surroundings) -> None:
        self._storing = storing
        self._canceller = canceller
        self._surroundings = surroundings

    @cached_property
    def _runs(self) -> "RunManager[SessionT]":
        return RunManager(self._storing, self._canceller, self._surroundings, TickerType.TIME_TICKER)

    def get(self, ticker_id: UUID | str) -> Run:
        """Return a time ticker with its attempts and log lines; raises what ``runs.get`` does."""
        return self._runs.get(ticker_id)

    def explain(self, ticker_id: UUID | str) -> RunExplanation:
        """Return why a time ticker does not run, in words; raises what ``runs.explain`` does."""
        return self._runs.explain(ticker_id)

    def cancel(
        self,
        ticker_id: UUID | str | None = None,
        *,
        unique_key: str | None = None,
        session: SessionT | None = None,
        terminate: bool = False,
        expected: ExpectedLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> Run:
        """Cancel a time ticker, from any process; does and raises what ``runs.cancel`` does."""
        return self._runs.cancel(
            ticker_id,
            unique_key=unique_key,
            session=session,
            terminate=terminate,
            expected=expected,
            reason=reason,
            by=by,
        )

    def retry(
        self,
        ticker_id: UUID | str,
        *,
        session: SessionT | None = None,
        expected: ExpectedLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> Run:
        """Let a time ticker that did not succeed start again; does and raises what ``runs.retry`` does."""
        return self._runs.retry(ticker_id, session=session, expected=expected, reason=reason, by=by)

    def run_now(
        self,
        ticker_id: UUID | str,
        *,
        session: SessionT | None = None,
        expected: ExpectedLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> Run:
        """Let a time ticker start now that waits for its moment or for a retry, and return it.

        One whose moment has passed keeps it. What still holds it, such as a full limit, holds it again.

        Raises:
            TickerNotFoundError: There is none.
            TickerStateError: It is not Idle any more, or waits for its parent.
            TickerChangedError: It is not the ``expected`` one any more.
        """
        found = validation.identifier(ticker_id)
        versions = expected_of(found, expected)
        operation = replace(
            _operation("time_tickers.run_now", [found], by, reason, expected=versions), only_adds=True
        )
        wanted: dict[UUID, Changes] = {found: {"execution_time": None}}
        return self._edit(operation, wanted, versions, session, allow_unknown=True, runs_now=True)[0]

    def update(
        self,
        ticker_id: UUID | str,
        *,
        session: SessionT | None = None,
        allow_unknown: bool = False,
        expected: ExpectedLike = None,
        reason: str | None = None,
        by: str | None = None,
        **changes: Unpack[TimeTickerChanges],
    ) -> Run:
        """Change fields of a time ticker that has not been claimed, and return it.

        Raises:
            TickerNotFoundError: There is none.
            TickerStateError: It is not Idle any more.
            TickerChangedError: It is not the ``expected`` one any more.
            TickerValidationError: A field does not exist, is fixed, or its value cannot be stored.
        """
        refuse_async_session(session, verb="time_tickers.update")
        return self.update_batch(
            {ticker_id: changes},
            session=session,
            allow_unknown=allow_unknown,
            expected=expected_of(validation.identifier(ticker_id), expected),
            reason=reason,
            by=by,
        )[0]

    def update_batch(
        self,
        changes: Mapping[IdT, TimeTickerChanges],
        *,
        session: SessionT | None = None,
        allow_unknown: bool = False,
        expected: ExpectedBatchLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> list[Run]:
        """Change fields of time tickers, by their ids, all or none; return and raise what ``update`` does.

        ``expected`` has those that were read, or their versions by their ids.
        """
        wanted = checked_changes(changes, TimeTicker, FIXED)
        versions = wanted_versions(expected, wanted)
        operation = _operation(
            "time_tickers.update",
            list(wanted),
            by,
            reason,
            changes=wanted,
            allow_unknown=allow_unknown,
            expected=versions,
        )
        return self._edit(operation, wanted, versions, session, allow_unknown=allow_unknown)

    def delete(
        self,
        ticker_id: UUID | str,
        *,
        session: SessionT | None = None,
        expected: ExpectedLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> None:
        """Delete a time ticker with its attempts and all below it, whatever their status.

        The body of an active one runs on, and no longer takes up a slot of its limits; ``runs.delete``
        refuses to delete such a one.

        Raises:
            TickerNotFoundError: There is none.
            TickerChangedError: It is not the ``expected`` one any more.
        """
        found = validation.identifier(ticker_id)
        versions = expected_of(found, expected)
        operation = _operation("time_tickers.delete", [found], by, reason, expected=versions)
        self._delete(operation, versions, session, needed=[found])

    def delete_batch(
        self,
        ids: Collection[UUID | str],
        *,
        session: SessionT | None = None,
        expected: ExpectedBatchLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> int:
        """Delete time tickers with their attempts, all or none; return how many were there.

        Raises:
            TickerChangedError: One is not the ``expected`` one any more.
        """
        wanted = [validation.identifier(each) for each in ids]
        versions = wanted_versions(expected, wanted)
        return self._delete(
            _operation("time_tickers.delete", wanted, by, reason, expected=versions), versions, session
        )

    def _delete(
        self,
        operation: Operation,
        versions: Mapping[UUID, str],
        session: SessionT | None,
        *,
        needed: Collection[UUID] = (),
    ) -> int:
        def work(tx: Transaction) -> Effect[int]:
            seen = self._locked(tx, operation.ids)
            for each in needed:
                if each not in seen:
                    raise TickerNotFoundError(KIND_NAMES[TickerType.TIME_TICKER], each)
            check_versions(versions, seen)
            effect = delete_all(tx, operation.ids, type=TickerType.TIME_TICKER)
            return replace(effect, change=deletion_of(list(seen.values())))

        return self._storing.operate(operation, work, recall=lambda tx, entry: entry.count, session=session)

    def _edit(
        self,
        operation: Operation,
        wanted: Mapping[UUID, Changes],
        versions: Mapping[UUID, str],
        session: SessionT | None,
        *,
        allow_unknown: bool,
        runs_now: bool = False,
    ) -> list[Run]:
        storing = self._storing
        is_kept = storing.operations.keeps(operation)

        def work(tx: Transaction) -> Effect[list[Run]]:
            # All or none also where the caller goes on after an error.
            with savepoint(tx):
                before = self._locked(tx, wanted)
                check_versions(versions, before)
                for run in before.values():
                    if runs_now and run.held_for is HoldReason.PARENT:
                        raise TickerStateError(run.id, "held until its parent ends", "run now")
                due = edit(storing, tx, wanted, before, allow_unknown=allow_unknown, runs_now=runs_now)
            after = self._runs.got_all(tx, wanted) if is_kept or session is not None else []
            change = change_of(before, after) if is_kept else NO_CHANGE
            return Effect(result=after, due=due, change=change)

        changed = storing.operate(
            operation,
            work,
            recall=lambda tx, entry: self._runs.got_all(tx, wanted, locks=session is not None),
            session=session,
            verb="time_tickers.update_batch",
        )
        is_final = session is not None or (is_kept and not any(map(_is_due, changed)))
        # Some may have been published since.
        return changed if is_final else storing.core.read(self._runs.got_all, wanted)

    def _locked(self, tx: Transaction, ids: Collection[UUID]) -> dict[UUID, Run]:
        return runs.lock_all(tx, ids, codec=self._storing.core.codec, type=TickerType.TIME_TICKER)


def _is_due(run: Run) -> bool:
    """Whether a run was due when it was changed."""
    return run.next_attempt_at is not None and run.next_attempt_at <= run.updated_at
