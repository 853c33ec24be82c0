"""What no crash may have done to the runs of an application: the rules, and the record that they look at."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from tests.acceptance.jobs import Jobs
from tickerq_celery import TickerStatus
from tickerq_celery.enums import SUCCEEDED
from tickerq_celery.store.tables import attempts, tickers


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """One row of an attempt."""

    claim_no: int
    number: int
    status: TickerStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run as the store has it, and the claims under which its function began, and ended."""

    id: UUID
    status: TickerStatus
    claim_no: int
    retry_count: int
    rescue_count: int
    attempts: tuple[AttemptRecord, ...]
    begun: tuple[int, ...]
    ended: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """What is counted of a run once it has ended."""

    claims: int = 1
    rescues: int = 0
    retries: int = 0
    bodies: int = 1


CALM = Trail()


def trail_of(run: RunRecord) -> Trail:
    """Return what a run's record comes to."""
    return Trail(
        claims=run.claim_no, rescues=run.rescue_count, retries=run.retry_count, bodies=len(run.begun)
    )


def faults_of(run: RunRecord) -> list[str]:
    """Say what is wrong with one run, once all is over."""
    statuses = [each.status for each in run.attempts]
    claims = [each.claim_no for each in run.attempts]
    found = {
        "it did not succeed": run.status not in SUCCEEDED,
        "a claim was started twice": max(Counter(run.begun).values(), default=0) > 1,
        "a start is not recorded": not set(run.begun) <= set(claims),
        "a second start had no reason": any(status is not TickerStatus.FAILED for status in statuses[:-1]),
        "its last attempt did not succeed": not statuses or statuses[-1] not in SUCCEEDED,
        "its attempts are not numbered through": [each.number for each in run.attempts]
        != list(range(len(run.attempts))),
        "retries and rescues are not its lost attempts": run.retry_count + run.rescue_count
        != len(run.attempts) - 1,
        "it ended under a claim that is not its last": claims[-1:] != [run.claim_no],
        "its function did not end": run.claim_no not in run.ended,
    }
    return [f"{run.id}: {fault}" for fault, is_so in found.items() if is_so]


def runs_of(jobs: Jobs) -> list[RunRecord]:
    """Return the record of each run of an application, the oldest first."""
    begun, ended = _claims_noted(jobs, "begun "), _claims_noted(jobs, "ended ")
    tried = (
        select(attempts.c.ticker_id, attempts.c.claim_no, attempts.c.number, attempts.c.status)
        .join(tickers, tickers.c.id == attempts.c.ticker_id)
        .where(tickers.c.namespace == jobs.namespace)
        .order_by(attempts.c.claim_no)
    )
    stored = select(tickers).where(tickers.c.namespace == jobs.namespace).order_by(tickers.c.id)
    records: dict[UUID, list[AttemptRecord]] = defaultdict(list)
    with jobs.tickerq.core.database.engine.connect() as connection:
        for each in connection.execute(tried):
            record = AttemptRecord(claim_no=each.claim_no, number=each.number, status=each.status)
            records[each.ticker_id].append(record)
        rows = connection.execute(stored).all()
    return [
        RunRecord(
            id=row.id,
            status=row.status,
            claim_no=row.claim_no,
            retry_count=row.retry_count,
            rescue_count=row.rescue_count,
            attempts=tuple(records[row.id]),
            begun=tuple(begun[row.id]),
            ended=tuple(ended[row.id]),
        )
        for row in rows
    ]


def _claims_noted(jobs: Jobs, word: str) -> dict[UUID, list[int]]:
    found: dict[UUID, list[int]] = defaultdict(list)
    for line in jobs.notes(word):
        ticker_id, _, claim_no = line.removeprefix(word).partition(":")
        found[UUID(ticker_id)].append(int(claim_no))
    return found


def assert_nothing_lost_nothing_doubled(jobs: Jobs, expected: Mapping[UUID, Trail]) -> None:
    """Check every run of an application that has come to rest: the rules, and each run's trail."""
    runs = runs_of(jobs)
    faults = [fault for run in runs for fault in faults_of(run)]
    assert not faults, f"{faults}\n{runs}\n{jobs.logs()}"
    assert {run.id: trail_of(run) for run in runs} == expected, jobs.logs()
