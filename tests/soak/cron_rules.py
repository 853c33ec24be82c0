"""What must have become of each instant of a cron ticker."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from tests.inner import TAKEN_REASON
from tests.missed import missed
from tests.soak.history import History
from tests.soak.traces import CronSpan, Occurrence, RunRow, SkipRecord
from tests.soak.violation import Rule, Violation
from tickerq_celery.enums import MisfirePolicy, OverlapPolicy, TickerStatus
from tickerq_celery.tickers.skip_reasons import misfire_reason


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
    recorded = Counter(occurrence.instant for occurrence in occurrences)
    wanted = set(cron.instants())
    for skip in skips:
        instants = [skip.first + n * cron.step for n in range((skip.last - skip.first) // cron.step + 1)]
        if skip.count > len(instants) or (skip.count_is_exact and skip.count != len(instants)):
            yield f"the record says {skip.count} instants, it spans {len(instants)}: {skip}"
        recorded.update(instants)
    for instant in sorted(wanted - recorded.keys()):
        yield f"nothing is known of {instant}"
    for instant, count in sorted(recorded.items()):
        if count > 1:
            yield f"{count} occurrences or records of {instant}"
        if not _is_instant(cron, instant):
            yield f"no instant of this cron ticker: {instant}"


def _is_instant(cron: CronSpan, instant: datetime) -> bool:
    # Beat may have fired on between the reading of ``until`` and the pause.
    return instant >= cron.first and not (instant - cron.first) % cron.step


def skips_have_a_reason(history: History) -> Iterator[Violation]:
    """An occurrence is skipped for a reason that the product knows and its cron ticker's policies allow."""
    crons = {cron.cron_id: cron for cron in history.crons}
    occurred = {(each.cron_id, each.instant) for each in history.occurrences}
    traces: list[Occurrence | SkipRecord] = [*history.occurrences, *history.skips]
    for trace in traces:
        run, cron = history.run_of.get(trace.run_id), crons.get(trace.cron_id)
        if run is None or cron is None:
            continue
        if isinstance(trace, Occurrence):
            fits = _overlap_fits(cron, run)
        else:
            later = {(cron.cron_id, trace.last + (n + 1) * cron.step) for n in range(_runs_after(cron))}
            fits = _record_fits(cron, run) and later <= occurred
        if not fits:
            evidence = f"{run} does not fit {cron}, in which it is {trace}"
            yield Violation(rule=Rule.ONE_OCCURRENCE, subject=run.id, evidence=evidence)


def _overlap_fits(cron: CronSpan, run: RunRow) -> bool:
    if run.status is not TickerStatus.SKIPPED:
        return run.skipped_reason is None
    return run.skipped_reason == TAKEN_REASON and cron.overlap is OverlapPolicy.SKIP


def _record_fits(cron: CronSpan, run: RunRow) -> bool:
    misfire = missed(run.skipped_reason)
    return (
        run.status is TickerStatus.SKIPPED
        and misfire is not None
        and run.skipped_reason == misfire_reason(misfire, cron.misfire)
    )


def _runs_after(cron: CronSpan) -> int:
    """Return how many instants after a record occur for certain: only what is older is missed."""
    counts = {MisfirePolicy.RUN_ONCE: 1, MisfirePolicy.RUN_ALL: cron.misfire_limit}
    return counts.get(cron.misfire, 0)


CRON_RULES = (instants_occur_once, skips_have_a_reason)
