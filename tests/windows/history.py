"""What no crash may have done to the runs of an application: the soak's rules, and each run's trail."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from tests.acceptance.jobs import Jobs
from tests.soak import body_file
from tests.soak.checker import check
from tests.soak.history import History
from tests.soak.reading import read_store
from tests.soak.traces import Added, Certainty, RunRow

# No rule asks here when a run was due: that is for windows to say.
_ANY_TIME = datetime.min.replace(tzinfo=UTC)
_TRACES = (body_file.START, body_file.DONE, body_file.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """What is counted of a run once it has ended."""

    claims: int = 1
    rescues: int = 0
    retries: int = 0
    bodies: int = 1


CALM = Trail()
NOT_CLAIMED = Trail(claims=0, bodies=0)


def trail_of(history: History, run: RunRow) -> Trail:
    """Return what a run's record comes to."""
    return Trail(
        claims=run.claim_no,
        rescues=run.rescue_count,
        retries=run.retry_count,
        bodies=len(history.starts_of.get(run.id, ())),
    )


def with_plan(stored: History, lines: Iterable[str], expected: Mapping[UUID, Trail]) -> History:
    """Return what is stored with what the bodies noted, and with a ticker added for each expected run.

    Each was to succeed after the retries of its trail, the functions ``Limited`` one at a time. Occurrences
    were fired, not added.
    """
    fired = {each.run_id for each in stored.occurrences}
    started, ended = body_file.parse(lines)
    added = tuple(
        Added(
            serial=serial,
            ticker_id=run_id,
            certainty=Certainty.COMMITTED,
            due=_ANY_TIME,
            fails=trail.retries,
            retries=trail.retries,
        )
        for serial, (run_id, trail) in enumerate(expected.items())
        if run_id not in fired
    )
    return replace(stored, added=added, started=started, ended=ended, limits={"Limited": 1})


def run_ids(jobs: Jobs) -> list[UUID]:
    """Return the ids of all runs of an application."""
    return [run.id for run in read_store(jobs.tickerq.core, lambda row: None).runs]


def assert_nothing_lost_nothing_doubled(jobs: Jobs, expected: Mapping[UUID, Trail]) -> None:
    """Check every run of an application that has come to rest: the rules, and each run's trail."""
    serials = {run_id: serial for serial, run_id in enumerate(expected)}
    stored = read_store(jobs.tickerq.core, lambda row: serials.get(row.id))
    traces = [line for line in jobs.notes() if line.partition(" ")[0] in _TRACES]
    history = with_plan(stored, traces, expected)
    violations = check(history)
    assert not violations, f"{violations}\n{jobs.logs()}"
    assert {run.id: trail_of(history, run) for run in history.runs} == expected, jobs.logs()
