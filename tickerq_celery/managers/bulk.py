"""One action on many runs, done by beat: start, watch, stop."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Final, Generic, Unpack
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.enums import BulkAction, BulkActionLike, BulkState, BulkStateLike
from tickerq_celery.errors import TickerNotFoundError, TickerStateError, TickerValidationError
from tickerq_celery.ids import new_id
from tickerq_celery.managers.asynchronous import AsyncManager, AsyncVerb
from tickerq_celery.managers.operations import Operation
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading.filter_json import filter_as_json
from tickerq_celery.store.records import bulk_counts, bulk_jobs
from tickerq_celery.store.records.bulk_jobs import NewJob
from tickerq_celery.tickers.audit import ObjectKind
from tickerq_celery.tickers.bulk import BulkJob
from tickerq_celery.tickers.counts import MOST_COUNTED, Count
from tickerq_celery.tickers.criteria import RunFilters, run_filter
from tickerq_celery.tickers.effect import Change, Effect
from tickerq_celery.tickers.pages import Page
from tickerq_celery.tickers.sessions import AsyncSessionLike, SessionT
from tickerq_celery.tickers.versions import ExpectedLike, check_version, wanted_version

MOST_IDS = 10_000


class BulkManager(Generic[SessionT]):
    """Bulk jobs: beat does them in batches, and what a batch has done is kept, whatever ends beat."""

    def __init__(self, storing: UnitOfWork) -> None:
        self._storing = storing
        self._core = storing.core

    def start(
        self,
        action: BulkActionLike,
        *,
        session: SessionT | None = None,
        ids: Collection[UUID | str] | None = None,
        everything: bool = False,
        as_of: datetime | None = None,
        reason: str | None = None,
        by: str | None = None,
        **filters: Unpack[RunFilters],
    ) -> BulkJob:
        """Store a job that does ``action`` to many runs, and return it; any beat does it, a batch at a time.

        The runs are either those of ``ids`` (10,000 at most), or those that meet all ``filters``, which are
        the ones of ``runs.find``, and that the action can be done to; without a filter, say
        ``everything=True``. Runs that came to be as they are after ``as_of``, which is now unless it is
        given, are not meant: one that was retried and failed again is not retried a second time.

        Raises:
            TickerValidationError: It is not one of ids, filters and everything, a filter does not exist, or a
                value means nothing.
        """
        wanted_action = validation.member("action", action, BulkAction)
        wanted = _wanted(filters, ids=ids, everything=everything)
        those = None if ids is None else _checked_ids(ids)
        moment = None if as_of is None else validation.moment("as_of", as_of)
        operation = Operation(
            action="bulk.start",
            kind=ObjectKind.BULK_JOB,
            by=by,
            reason=reason,
            arguments={"action": wanted_action, "ids": those, "wanted": wanted, "as_of": moment},
        )
        job = NewJob(
            id=new_id(),
            action=wanted_action,
            ids=those,
            wanted=wanted,
            as_of=moment,
            who=replace(self._storing.operations.draft("bulk.start", ObjectKind.BULK_JOB), said_by=by),
            reason=reason,
        )
        return self._storing.operate(
            operation,
            lambda tx: _added(tx, job),
            recall=lambda tx, entry: _got(tx, entry.ids[0]),
            session=session,
        )

    def count(
        self,
        action: BulkActionLike,
        *,
        everything: bool = False,
        as_of: datetime | None = None,
        limit: int = MOST_COUNTED,
        **filters: Unpack[RunFilters],
    ) -> Count:
        """Return how many runs a job would look at, counting to ``limit`` (10,000 at most) and no further.

        It looks at 10,000 runs, of those that the action can be done to or, where an index has them, of
        those that meet a filter: the latest ends first. Where that ends it, the number ``is_partial``.

        Raises:
            TickerValidationError: As ``start``.
        """
        wanted_action = validation.member("action", action, BulkAction)
        validation.whole("limit", limit, 1, MOST_COUNTED)
        _wanted(filters, ids=None, everything=everything)
        moment = None if as_of is None else validation.moment("as_of", as_of)
        return self._core.read_bounded(
            bulk_counts.count, run_filter(filters), action=wanted_action, as_of=moment, limit=limit
        )

    def get(self, job_id: UUID | str) -> BulkJob:
        """Return a job, as far as beat has got with it.

        Raises:
            TickerNotFoundError: There is none.
        """
        return self._core.read_bounded(_got, validation.identifier(job_id))

    def find(
        self,
        *,
        action: BulkActionLike | None = None,
        state: BulkStateLike | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[BulkJob]:
        """Return a page of the jobs that meet all filters, the newest first.

        Raises:
            TickerValidationError: A filter's value means nothing.
        """
        return self._core.read_bounded(
            bulk_jobs.find,
            action=None if action is None else validation.member("action", action, BulkAction),
            state=None if state is None else validation.member("state", state, BulkState),
            limit=limit,
            cursor=cursor,
        )

    def stop(
        self,
        job_id: UUID | str,
        *,
        session: SessionT | None = None,
        expected: ExpectedLike = None,
        reason: str | None = None,
        by: str | None = None,
    ) -> BulkJob:
        """End a job after its current batch, and return it; what it has changed stays changed.

        Raises:
            TickerNotFoundError: There is none.
            TickerStateError: It has ended already.
            TickerChangedError: It is not the ``expected`` one any more: it has got further.
            TickerValidationError: ``reason`` or ``by`` is too long.
        """
        found, version = validation.identifier(job_id), wanted_version(expected)
        operation = Operation(
            action="bulk.stop", kind=ObjectKind.BULK_JOB, ids=[found], by=by, reason=reason
        ).expecting(version)
        return self._storing.operate(
            operation,
            lambda tx: _stopped(tx, found, version),
            recall=lambda tx, entry: _got(tx, found),
            session=session,
        )


def _added(tx: Transaction, job: NewJob) -> Effect[BulkJob]:
    if job.as_of is not None and job.as_of > tx.now:
        raise TickerValidationError("as_of", job.as_of, "it is not to come: pass a moment of the past")
    bulk_jobs.add(tx, job)
    stored = _got(tx, job.id)
    shown = {**stored.asked(), "as_of": stored.as_of.isoformat()}
    return Effect(result=stored, change=Change(ids=[job.id], after=shown))


def _got(tx: Transaction, job_id: UUID) -> BulkJob:
    found = bulk_jobs.get(tx, job_id)
    if found is None:
        raise TickerNotFoundError("bulk job", job_id)
    return found


def _stopped(tx: Transaction, job_id: UUID, version: str | None) -> Effect[BulkJob]:
    before = _got(tx, job_id)
    check_version(version, before, job_id)
    is_stopped = bulk_jobs.stop(tx, job_id)
    job = _got(tx, job_id)
    if not is_stopped:
        raise TickerStateError(job_id, job.state.value, "stopped", what="bulk job")
    change = Change(ids=[job_id], before={"state": before.state.value}, after=job.outcome())
    return Effect(result=job, change=change)


def _wanted(
    filters: RunFilters, *, ids: Collection[UUID | str] | None, everything: object
) -> dict[str, object] | None:
    """Return the filter as it is stored, or None where ids are meant."""
    validation.flag("everything", everything)
    # To exclude nothing is no filter: it must not pass for one.
    wanted = {name: value for name, value in filter_as_json(run_filter(filters)).items() if value != {}}
    if (ids is not None) + bool(wanted) + bool(everything) != 1:
        asked = {"ids": ids, "everything": everything, **wanted}
        raise TickerValidationError("ids", asked, "pass one of ids=, filters and everything=True")
    return wanted if ids is None else None


def _checked_ids(ids: object) -> list[UUID]:
    if isinstance(ids, str) or not isinstance(ids, Collection):
        raise TickerValidationError("ids", ids, "pass a list of ids")
    if not 1 <= len(ids) <= MOST_IDS:
        raise TickerValidationError("ids", len(ids), f"pass from 1 to {MOST_IDS:,} ids, or filters")
    return sorted({validation.identifier(each, "ids") for each in ids})


class AsyncBulk(AsyncManager):
    """One action on many runs, done by beat: start, watch, stop."""

    start: Final = AsyncVerb(BulkManager[AsyncSessionLike].start)
    count: Final = AsyncVerb(BulkManager.count)
    get: Final = AsyncVerb(BulkManager.get)
    find: Final = AsyncVerb(BulkManager.find)
    stop: Final = AsyncVerb(BulkManager[AsyncSessionLike].stop)
