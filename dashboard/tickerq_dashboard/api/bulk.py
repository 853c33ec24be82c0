"""Bulk jobs: one action on many runs, started, watched and stopped by programs."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Self
from uuid import UUID

from flask import Response
from pydantic import AwareDatetime, ConfigDict, Field, model_validator

from tickerq_celery.enums import BulkAction
from tickerq_celery.errors import TickerStateError
from tickerq_celery.views import BulkJob
from tickerq_dashboard.access.roles import ForbiddenError, Permission
from tickerq_dashboard.api.acting import Doing, done
from tickerq_dashboard.api.answering import answered, marks_of, opened
from tickerq_dashboard.api.fields import Answer, ListAnswer, Moment, Word, all_of
from tickerq_dashboard.api.queries import MeantRuns
from tickerq_dashboard.commands.bulk import StopBulk
from tickerq_dashboard.commands.command import LONGEST_REASON, Once
from tickerq_dashboard.filters import ListQuery
from tickerq_dashboard.payload_rights import check_filter
from tickerq_dashboard.problem_details import RefusedError
from tickerq_dashboard.rendering import url_for
from tickerq_dashboard.show.bulk import MOST, BulkVerb, is_large
from tickerq_dashboard.visits import Visit

_STOPPED = Doing(undone="Not stopped", noun="bulk job")


class BulkFilter(MeantRuns):
    """Which runs are meant: the filters of the lists, without a place in one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cursor: None = None


class NewBulk(Once):
    """Which runs are meant as they were at ``as_of``: those of ``ids``, or all that a ``filter`` meets.

    With a filter, ``expected`` is how many the program takes them for: if there are more, nothing is done.
    """

    ids: Annotated[tuple[UUID, ...], Field(max_length=1_000)] = ()
    filter: BulkFilter | None = None
    expected: Annotated[int, Field(ge=0, le=MOST)] | None = None
    as_of: AwareDatetime | None = None
    reason: Annotated[str, Field(max_length=LONGEST_REASON)] | None = None

    @model_validator(mode="after")
    def _check_meant(self) -> Self:
        if bool(self.ids) == (self.filter is not None):
            raise ValueError("say ids or a filter")
        if self.filter is not None and (not self.filter.words or self.expected is None):
            raise ValueError("a filter says something, and expected how many it meets")
        return self

    @property
    def meant(self) -> Mapping[str, Any]:
        """Which runs are meant, as criteria of the core."""
        return {"ids": self.ids} if self.filter is None else self.filter.criteria


class BulkSkipAnswer(Answer):
    """How many runs were skipped for one reason, with the ids of a few."""

    reason: str
    count: int
    examples: tuple[UUID, ...]


class BulkJobAnswer(Answer):
    """A bulk job as far as beat has got with it; ``total`` is how many ids were given."""

    id: UUID
    action: Word
    state: Word
    what: str
    total: int | None
    as_of: Moment
    actor: str
    reason: str | None
    changed: int
    skipped: int
    skips: tuple[BulkSkipAnswer, ...]
    error: str | None
    created_at: Moment
    started_at: Moment | None
    updated_at: Moment
    ended_at: Moment | None


class BulkJobList(ListAnswer):
    """Part of the list of bulk jobs, the newest first."""

    items: tuple[BulkJobAnswer, ...]


def jobs(visit: Visit, query: ListQuery) -> Response:
    """Return bulk jobs."""
    page = visit.dashboard.reader.bulk_jobs(opened(visit, query))
    return answered(BulkJobList(items=all_of(BulkJobAnswer, page), **marks_of(visit, page)))


def job(visit: Visit, job_id: UUID) -> Response:
    """Return one bulk job."""
    return answered(BulkJobAnswer.model_validate(visit.dashboard.tickerq.bulk.get(job_id)))


def starting(verb: BulkVerb) -> Callable[[Visit, NewBulk], Response]:
    """Return what starts a bulk job of one action."""
    doing = Doing(undone=verb.undone, noun="list of runs")

    def start(visit: Visit, command: NewBulk) -> Response:
        check_filter(visit, command.filter)
        _check_count(visit, verb, command)
        found: BulkJob = done(
            visit,
            doing,
            command.operation_id,
            lambda managers: managers.bulk.start(
                BulkAction(verb.action), as_of=command.as_of, reason=command.reason, **command.meant
            ),
        )
        response = answered(BulkJobAnswer.model_validate(found))
        response.status_code = 202
        response.headers["Location"] = url_for(".api_bulk_job", job_id=found.id)
        return response

    start.__doc__ = f"{verb.word} many runs, a batch at a time."
    return start


def stop(visit: Visit, command: StopBulk, job_id: UUID) -> Response:
    """End a bulk job after its current batch."""
    try:
        found = done(
            visit,
            _STOPPED,
            command.operation_id,
            lambda managers: managers.bulk.stop(job_id, reason=command.reason),
        )
    except RefusedError as error:
        if isinstance(error.__cause__, TickerStateError):
            said = f"Not stopped: the bulk job is {error.__cause__.status}."
            raise RefusedError(409, _STOPPED.undone, said) from error
        raise
    return answered(BulkJobAnswer.model_validate(found))


def _check_count(visit: Visit, verb: BulkVerb, command: NewBulk) -> None:
    """Let a job start that means no more runs than the program knows, and than its role may change."""
    if command.filter is None or command.expected is None:
        return
    count = visit.dashboard.tickerq.bulk.count(
        BulkAction(verb.action), as_of=command.as_of, limit=MOST, **command.meant
    )
    if is_large(count) and not visit.may(Permission.BULK_LARGE):
        error = ForbiddenError(Permission.BULK_LARGE)
        visit.dashboard.tickerq.acting_as(visit.actor()).audit.record(
            "bulk.start", "refused", error=str(error)
        )
        raise error
    if count.is_partial or count.number > command.expected:
        more = "or more" if count.or_more else "by now"
        raise RefusedError(409, verb.undone, f"{verb.undone}: there are {count.number:,} {more}.")
