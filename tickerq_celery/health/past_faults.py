"""Findings about what went wrong lately and is over: runs that were lost for good, and missed instants."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from tickerq_celery.enums import MisfirePolicy
from tickerq_celery.health.findings import fine, warning
from tickerq_celery.health.phrases import counted, listed, moment
from tickerq_celery.store.past_faults import LostEnds, MissedRecord
from tickerq_celery.tickers.health import Finding, FindingCode
from tickerq_celery.tickers.lifecycle import LOST
from tickerq_celery.tickers.skip_reasons import missed_in

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
    """Yield that instants were missed; all is well where all are skipped by policy, or beat was restarted."""
    known = [(each, said) for each in missed if (said := missed_in(each.said)) is not None]
    if not known:
        return
    number = sum(said.count for _, said in known)
    least = "" if all(said.is_exact for _, said in known) else "at least "
    since = min(each.at for each, _ in known)
    functions = listed(sorted({each.function for each, _ in known}))
    them, were = ("it", "was") if number == 1 else ("them", "were")
    recorded = "recorded at" if len(known) == 1 else f"in {len(known)} misfire records, the first of"
    text = (
        f"{least}{counted(number, 'instant')} of {functions} {were} missed while nothing could run {them}, "
        f"{recorded} {moment(since)}"
    )
    if all(said.policy == MisfirePolicy.SKIP for _, said in known):
        yield fine(FindingCode.MISSED_INSTANTS, f"{text} (policy skip)", since=since)
        return
    if all(each.at - said.first < _RESTART for each, said in known):
        yield fine(FindingCode.MISSED_INSTANTS, f"{text}, for less than a minute each time", since=since)
        return
    yield warning(
        FindingCode.MISSED_INSTANTS,
        text,
        since=since,
        remedy="beat's log says why it did not tick then; `tickerq backfill CRON_ID` runs those that are "
        "still wanted",
    )
