"""Findings about beat's maintenance: retention, the roll-up, and dropped messages."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from tickerq_celery.health.findings import fine, warning
from tickerq_celery.health.phrases import span
from tickerq_celery.tickers.health import Finding, FindingCode, Subject, SubjectKind
from tickerq_celery.wording import meant_by, moment

# A beat prunes everything at least once a day.
RETENTION_GRACE = timedelta(days=1)
_ROLL_UP_LATE = timedelta(minutes=15)


def of_retention(past_since: datetime | None, *, at: datetime) -> Iterator[Finding]:
    """Yield that runs have been expired for a long time; ``past_since`` is when the first of them ended."""
    if past_since is not None:
        yield warning(
            FindingCode.RETENTION_LATE,
            f"history is kept longer than the setting `retention` says, by more than "
            f"{span(RETENTION_GRACE)}: the first run that should be gone ended {span(at - past_since)} ago, "
            f"at {moment(past_since)}",
            since=past_since,
            remedy="beat's log says what keeps its maintenance from it; `tickerq prune --apply` does it now",
        )


def of_roll_up(uncounted_since: datetime | None, *, at: datetime) -> Iterator[Finding]:
    """Yield that figures lag behind; ``uncounted_since`` is when the first run ended that they lack."""
    if uncounted_since is not None and at - uncounted_since > _ROLL_UP_LATE:
        yield warning(
            FindingCode.ROLL_UP_LATE,
            f"figures lack what ended {span(at - uncounted_since)} ago and since, from "
            f"{moment(uncounted_since)} on; history is not pruned beyond that",
            since=uncounted_since,
            remedy="beat counts ends every minute: its log says what keeps it from that",
        )


def of_retention_names(unknown: Iterable[str], known: Iterable[str]) -> Iterator[Finding]:
    """Yield the functions that `retention` names and that nothing is known of."""
    among = list(known)
    for name in sorted(unknown):
        yield warning(
            FindingCode.RETENTION_NAME,
            f"the setting `retention` names a function {name}, of which there is none{meant_by(name, among)}",
            subject=Subject(SubjectKind.FUNCTION, name),
            remedy="correct the name, or remove it",
        )


def of_drops(dropped: Mapping[str, int]) -> Iterator[Finding]:
    """Yield which messages workers dropped lately; each was refused for a reason, and its run is safe."""
    if dropped:
        shown = ", ".join(f"{count} {reason}" for reason, count in dropped.items())
        yield fine(FindingCode.DROPPED, f"messages dropped in the last 24 hours: {shown}")
