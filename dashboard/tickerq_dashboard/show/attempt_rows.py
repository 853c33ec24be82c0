"""The attempts of a run in the order in which they are shown, with the one that runs and those to come."""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tickerq_celery import Attempt, Run, TickerStatus
from tickerq_dashboard.show.attempts import attempt_error
from tickerq_dashboard.show.statuses import LOOKS, Look, look_of

DRAWN, TO_COME = 30, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """An attempt as it is shown: made, running, or to come; ``same`` says it failed as the one before.

    ``seen`` is when the worker was heard of last, of one that is lost and was not found yet.
    """

    number: int
    look: Look
    attempt: Attempt | None
    due: datetime
    started: datetime | None
    ended: datetime | None
    same: bool = False
    seen: datetime | None = None


def attempt_rows(
    run: Run, now: datetime, *, lost: Container[UUID | None] = (), seen: datetime | None = None
) -> list[AttemptRow]:
    """Return the attempts of a run; ``lost`` are workers that are dead or gone, ``seen`` is of its own."""
    rows = list(_ended(run))
    due = rows[-1].ended if rows else None
    due = due or run.execution_time or run.created_at
    number = rows[-1].number + 1 if rows else 1
    if run.status is TickerStatus.IN_PROGRESS and run.started_at is not None:
        return [
            *rows,
            AttemptRow(
                number=number,
                look=look_of(run, lost),
                attempt=None,
                due=min(due, run.started_at),
                started=run.started_at,
                ended=None,
                seen=seen and max(seen, run.started_at),
            ),
        ]
    if run.status is TickerStatus.IDLE and run.next_attempt_at is not None and rows:
        return [*rows, *_to_come(run, number, now)]
    return rows


def _ended(run: Run) -> Iterator[AttemptRow]:
    before: Attempt | None = None
    due = run.execution_time or run.created_at
    for attempt in run.attempts[-DRAWN:]:
        started = attempt.started_at or attempt.ended_at
        yield AttemptRow(
            number=attempt.number + 1,
            look=look_of(attempt),
            attempt=attempt,
            due=min(due, started),
            started=started,
            ended=attempt.ended_at,
            same=before is not None
            and bool(attempt.exception_type)
            and attempt_error(before) == attempt_error(attempt),
        )
        before, due = attempt, attempt.ended_at


def _to_come(run: Run, number: int, now: datetime) -> Iterator[AttemptRow]:
    """Yield the attempts that will be made if each fails: the next when it is due, the others after it.

    Those wait for the next to end, which is not before now, however long it has been due.
    """
    moment = run.next_attempt_at
    # The next one may be given by a rescue, whatever retries are left.
    left = max(1, run.retries + 1 - run.retry_count)
    for further in range(min(left, TO_COME)):
        if moment is None:
            return
        yield AttemptRow(
            number=number + further,
            look=LOOKS[TickerStatus.IDLE],
            attempt=None,
            due=moment,
            started=None,
            ended=None,
        )
        retry = run.retry_count + further
        waits = run.retry_intervals
        moment = max(moment, now) + waits[min(retry, len(waits) - 1)] if waits else None
