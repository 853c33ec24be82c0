"""A batch of a bulk job, in the transaction that it is given: its next runs, and how far it is then."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from tickerq_celery.enums import BulkAction
from tickerq_celery.failpoints import CrashPoint, failpoint
from tickerq_celery.runs.bulk_verbs import VERBS, Applied
from tickerq_celery.runs.cancelling import CancelledRun
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.records import bulk_jobs, bulk_runs
from tickerq_celery.store.records.bulk_jobs import Batch, LockedJob
from tickerq_celery.store.records.bulk_runs import BulkRun, Part
from tickerq_celery.tickers.actor import CODE
from tickerq_celery.tickers.bulk import with_skips
from tickerq_celery.tickers.skip_reasons import who_and_why

NOT_FOUND = "not found"
LOCKED = "locked by another process"
CHANGED = "changed by another process meanwhile"
ADDED_LATER = "added after the moment that the job is about"
RETRIED_LATER = "retried after the moment that the job is about"
ENDED_LATER = "ended after the moment that the job is about"
# What needs the single verb keeps locks of cron tickers and chains: not for long.
MOST_SINGLY = 50
# Of runs that others have locked a job remembers so many, and looks at them once more after this time.
MOST_LATER = 500
LATER = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchDone:
    """What a batch did: the job's action, the runs whose workers are to be notified, and how it went on."""

    action: BulkAction
    cancelled: Sequence[CancelledRun]
    is_last: bool


def do_batch(tx: Transaction, job_id: UUID) -> BatchDone | None:
    """Do the next batch of a bulk job; return None where another beat is at it, or it is to wait.

    Raises:
        ValueError: A newer version has stored what this one does not know.
    """
    job = bulk_jobs.lock(tx, job_id)
    if job is None:
        return None
    part = bulk_runs.next_part(tx, job)
    if part.ids or not part.is_last:
        return _save(tx, job, part, _apply(tx, job, part.ids), is_second_look=False)
    if job.later and tx.now < job.view.updated_at + LATER:
        return None
    return _save(tx, job, part, _apply(tx, job, job.later), is_second_look=True)


def _save(tx: Transaction, job: LockedJob, part: Part, done: Applied, *, is_second_look: bool) -> BatchDone:
    left = list(done.left)
    if is_second_look:
        position, later, is_last = part.position, left, not left
    else:
        # A part that was cut goes on with what was left of it.
        position = part.ids[-len(left) - 1] if left else part.position
        later = [*job.later, *done.busy][:MOST_LATER]
        is_last = part.is_last and not left and not later
    remembered = set(later)
    for each in done.busy:
        if each not in remembered:
            done.skip(each, LOCKED)
    batch = Batch(
        changed=done.changed,
        skips=with_skips(job.view.skips, done.skips),
        position=position,
        later=later,
    )
    bulk_jobs.save(tx, job.view.id, batch, is_last=is_last)
    failpoint(CrashPoint.BULK_UNCOMMITTED)
    return BatchDone(action=job.action, cancelled=done.cancelled, is_last=is_last)


def _apply(tx: Transaction, job: LockedJob, ids: Sequence[UUID]) -> Applied:
    """Do a job's action to those of ``ids``, in their order, that it can be done to."""
    view = job.view
    by = view.said_by or (None if view.actor == CODE else view.actor)
    verb, done = VERBS[job.action], Applied(who_and_why=who_and_why(by, view.reason))
    locked = bulk_runs.lock(tx, job, ids)
    plain: list[BulkRun] = []
    singly: list[BulkRun] = []
    missing: list[UUID] = []
    for number, each in enumerate(ids):
        run = locked.get(each)
        if run is None:
            missing.append(each)
        elif (reason := verb.refusal(run) or _too_late(job, run)) is not None:
            done.skip(each, reason)
        elif verb.is_plain(run):
            plain.append(run)
        elif len(singly) < MOST_SINGLY:
            singly.append(run)
        else:
            done.left = ids[number:]
            break
    _note_missing(tx, job, missing, done)
    if plain:
        verb.at_once(tx, plain, done)
    if singly:
        verb.singly(tx, singly, done)
    return done


def _too_late(job: LockedJob, run: BulkRun) -> str | None:
    """Return why a job does not mean a run that came to be as it is after the job's moment, or None."""
    as_of = job.view.as_of
    if run.created_at > as_of:
        return ADDED_LATER
    if run.retried_at is not None and run.retried_at > as_of:
        return RETRIED_LATER
    # It had not failed then.
    return ENDED_LATER if run.ended_at is not None and run.ended_at > as_of else None


def _note_missing(tx: Transaction, job: LockedJob, missing: Sequence[UUID], done: Applied) -> None:
    """Note of runs that were not locked whether others have them locked, or they are gone."""
    meant = bulk_runs.still_meant(tx, job, missing)
    for each in missing:
        if each in meant:
            done.busy.append(each)
        else:
            done.skip(each, CHANGED if job.ids is None else NOT_FOUND)
