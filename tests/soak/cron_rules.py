"""What must have become of each instant of a cron ticker."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from tests.soak.history import CronSpan, History, Occurrence, SkipRecord
from tests.soak.violation import Rule, Violation


def instants_occur_once(history: History) -> Iterator[Violation]:
    """Each instant has one occurrence, or stands in one record of instants that were missed."""
    occurrences: dict[UUID, list[Occurrence]] = defaultdict(list)
    skips: dict[UUID, list[SkipRecord]] = defaultdict(list)
    for occurrence in history.occurrences:
        occurrences[occurrence.cron_id].append(occurrence)
    for skip in history.skips:
        skips[skip.cron_id].append(skip)
    for cron in history.crons:
        for evidence in _wrong(cron, occurrences[cron.cron_id], skips[cron.cron_id]):
            yield Violation(rule=Rule.ONE_OCCURRENCE, subject=cron.cron_id, evidence=evidence)


def _wrong(cron: CronSpan, occurrences: list[Occurrence], skips: list[SkipRecord]) -> Iterator[str]:
    told = Counter(occurrence.instant for occurrence in occurrences)
    wanted = set(cron.instants())
    for skip in skips:
        missed = [skip.first + n * cron.step for n in range((skip.last - skip.first) // cron.step + 1)]
        if skip.count != len(missed):
            yield f"the record says {skip.count} instants, it spans {len(missed)}: {skip}"
        told.update(missed)
    for instant in sorted(wanted - told.keys()):
        yield f"nothing is known of {instant}"
    for instant, count in sorted(told.items()):
        if count > 1:
            yield f"{count} occurrences or records of {instant}"
        if not _is_instant(cron, instant):
            yield f"no instant of this cron ticker: {instant}"


def _is_instant(cron: CronSpan, instant: datetime) -> bool:
    # Beat may have fired on between the reading of ``until`` and the pause.
    return instant >= cron.first and not (instant - cron.first) % cron.step


CRON_RULES = (instants_occur_once,)
