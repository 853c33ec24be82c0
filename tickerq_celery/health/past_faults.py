"""Findings about what went wrong lately and is over: runs that were lost for good, and missed instants."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from tickerq_celery.enums import MisfirePolicy
from tickerq_celery.health.findings import fine, warning
from tickerq_celery.health.phrases import counted, listed, span
from tickerq_celery.store.health.past_faults import LostEnds, MissedRecord
from tickerq_celery.tickers.health import Finding, FindingCode
from tickerq_celery.tickers.lifecycle import LOST
from tickerq_celery.tickers.skip_reasons import MissedInstants, missed_in
from tickerq_celery.wording import moment

# As long as a shift: who comes to work sees what the night has left.
LATELY = timedelta(hours=6)
# As long as the start of another beat takes: a deployment is no fault.
_RESTART = timedelta(minutes=1)


def of_lost(lost: Sequence[LostEnds]) -> Iterator[Finding]:
    """Yield that runs failed as their worker died, until they are retried or that is long ago."""
    if lost:
        runs, since = sum(each.runs for each in lost), min(each.since for each in lost)
        its = "its worker" if runs == 1 else "their workers"
        yield warning(
            FindingCode.LOST_RUNS,
            f"{counted(runs, 'run')} of {listed([each.function for each in lost])} failed as {its} died, "
            f"the first at {moment(since)}",
            since=since,
            remedy="the log of the worker says why it died, or the system's: memory, a kill; "
            f"`tickerq runs --status failed --error-type {LOST}` lists them, `tickerq retry ID` starts one "
            "again",
        )


def of_missed(missed: Sequence[MissedRecord]) -> Iterator[Finding]:
    """Yield that instants were missed; a warning is about records of no policy skip and no beat's restart."""
    known = [_Known(each, said) for each in missed if (said := missed_in(each.said)) is not None]
    if not known:
        return
    faults = [each for each in known if not each.is_skipped and not each.is_short]
    said_of = faults or known
    since = min(each.record.at for each in said_of)
    if not faults:
        yield fine(FindingCode.MISSED_INSTANTS, f"{_text(said_of)}{_excuse(known)}", since=since)
        return
    yield warning(
        FindingCode.MISSED_INSTANTS,
        _text(said_of),
        since=since,
        remedy="beat's log says why it did not tick then; `tickerq backfill CRON_ID` runs those that are "
        f"still wanted; a record counts for {span(LATELY)}, or until it is deleted",
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """A record, and what it says of its instants."""

    record: MissedRecord
    said: MissedInstants

    @property
    def is_skipped(self) -> bool:
        return self.said.policy == MisfirePolicy.SKIP

    @property
    def is_short(self) -> bool:
        return self.record.at - self.said.first < _RESTART


def _excuse(known: Sequence[_Known]) -> str:
    if all(each.is_skipped for each in known):
        return " (policy skip)"
    if all(each.is_short for each in known):
        return ", for less than a minute each time"
    return ", for less than a minute or by policy skip each time"


def _text(known: Sequence[_Known]) -> str:
    number = sum(each.said.count for each in known)
    least = "" if all(each.said.is_exact for each in known) else "at least "
    functions = listed(sorted({each.record.function for each in known}))
    them, were = ("it", "was") if number == 1 else ("them", "were")
    which = "that of" if number == 1 else "the first of"
    records = "" if len(known) == 1 else f", in {len(known)} misfire records"
    return (
        f"{least}{counted(number, 'instant')} of {functions} {were} missed while nothing could run {them}, "
        f"{which} {moment(min(each.said.first for each in known))}{records}"
    )
