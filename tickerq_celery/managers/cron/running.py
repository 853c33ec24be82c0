"""Run cron tickers once, now, beside their schedules."""

from collections.abc import Collection
from dataclasses import replace
from functools import partial
from typing import Generic
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.cron.overlap import add_manual
from tickerq_celery.enums import TickerKind
from tickerq_celery.managers.cron.locked import LockedCrons, operation_on_one
from tickerq_celery.managers.operations import operation_on
from tickerq_celery.managers.runs.runs import RunManager
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.store.cron import pauses
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.audit import AuditEntry, ObjectKind
from tickerq_celery.tickers.cron_rows import CronRow
from tickerq_celery.tickers.effect import Change, Effect
from tickerq_celery.tickers.inputs import TimeTicker
from tickerq_celery.tickers.kind_fields import OF_FUNCTIONS, refuse
from tickerq_celery.tickers.run_rows import occurrence_row
from tickerq_celery.tickers.sessions import SessionT
from tickerq_celery.tickers.versions import (
    ExpectedBatchLike,
    ExpectedLike,
    wanted_version,
    wanted_versions,
)
from tickerq_celery.tickers.views import Run

# As which field an entry has the run that a cron ticker got.
_RUN = "run"


class CronRunning(Generic[SessionT]):
    """Runs that an operator asks for, in transactions that have their cron tickers locked."""

    _storing: UnitOfWork
    _crons: LockedCrons
    _occurrences: RunManager[SessionT]

    def run_now(
        self,
        cron_id: UUID | str,
        *,
        session: SessionT | None = None,
        request: object = None,
        expected: ExpectedLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> Run:
        """Run a cron ticker once, now, also while it is paused, and return the run.

        A ``request`` replaces the cron ticker's own for this run. Where occurrences may not overlap, the
        run waits for the end of the active one, ahead of those that wait already; one that a
        pause holds gives way to it.

        Raises:
            TickerNotFoundError: There is none.
            TickerChangedError: It is not the ``expected`` one any more.
            TickerValidationError: The request does not fit the function.
        """
        version = wanted_version(expected)
        operation = replace(
            operation_on_one("run_now", cron_id, by, reason, request=request).expecting(version),
            only_adds=True,
        )
        stored = self._storing.operate(
            operation,
            lambda tx: self._run_now(tx, operation.ids[0], request, version),
            recall=lambda tx, entry: self._occurrences.got(tx, entry.ids[0]).id,
            session=session,
        )
        return self._occurrences.reread(stored, session)

    def run_now_batch(
        self,
        ids: Collection[UUID | str],
        *,
        session: SessionT | None = None,
        expected: ExpectedBatchLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> list[Run]:
        """Run cron tickers once each, now, as ``run_now`` does; return the runs of those that are there.

        ``expected`` has those that were read, or their versions by their ids.

        Raises:
            TickerChangedError: One is not the ``expected`` one any more; none runs.
            TickerValidationError: ``reason`` or ``by`` is too long.
        """
        wanted = list(dict.fromkeys(validation.identifier(each) for each in ids))
        versions = wanted_versions(expected, wanted)
        operation = operation_on(
            ObjectKind.CRON_TICKER, "cron_tickers.run_now_batch", wanted, by, reason, expected=versions
        )

        def work(tx: Transaction) -> Effect[list[UUID]]:
            there = self._crons.lock_all_seen(tx, wanted, versions)
            made = {each: self._run_now(tx, each, None, None) for each in sorted(there)}
            runs = {each: made[each].result for each in wanted if each in made}
            shown = {str(cron): {_RUN: str(run)} for cron, run in runs.items()}
            due = [run for effect in made.values() for run in effect.due]
            return Effect(
                result=list(runs.values()), due=due, change=Change(ids=list(runs), after=shown or None)
            )

        def recall(tx: Transaction, entry: AuditEntry) -> list[UUID]:
            shown = entry.after or {}
            return [UUID(shown[str(each)][_RUN]) for each in wanted if str(each) in shown]

        stored = self._storing.operate(
            replace(operation, only_adds=True), work, recall=recall, session=session
        )
        reading = partial(self._occurrences.got_all, ids=stored, locks=session is not None)
        return self._storing.read(reading, session, verb="runs.get")

    def _run_now(self, tx: Transaction, cron_id: UUID, request: object, version: str | None) -> Effect[UUID]:
        """Store a manual run and return its id."""
        cron = self._crons.lock_seen(tx, cron_id, version)
        row = replace(
            occurrence_row(cron, instant=None, now=tx.now), created_by=self._storing.operations.who(None)
        )
        if request is not None:
            if cron.kind is TickerKind.CELERY_TASK:
                refuse("request", request, OF_FUNCTIONS["request"])
            named = TimeTicker(cron.function, namespace=cron.namespace)
            known = self._storing.known(tx, {"": named}, allow_unknown=True)
            function = known[cron.namespace, cron.function]
            packed = self._storing.packed(request, function)
            row = replace(row, request=packed.data, encoding=packed.encoding)
        stored = add_manual(tx, cron, row, in_pause=lambda: self._is_in_pause(tx, cron))
        return replace(stored, change=Change(ids=[stored.result]))

    def _is_in_pause(self, tx: Transaction, cron: CronRow) -> bool:
        return not cron.is_enabled or pauses.of_cron(tx, cron) is not None
