"""Which instants of a locked cron ticker that is due get their occurrence now, and as what."""

from dataclasses import replace
from datetime import datetime

from tickerq_celery.cron.overlap import apply_policy
from tickerq_celery.enums import OverlapPolicy
from tickerq_celery.runtime.core import Core
from tickerq_celery.schedule.planner import Plan, first_part, next_part, plan, within_runs
from tickerq_celery.store.cron import occurrences
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.cron_rows import CronRow
from tickerq_celery.tickers.run_rows import RunRow, misfire_record, occurrence_row
from tickerq_celery.tickers.skip_reasons import misfire_reason

# The first part of a catch-up holds two instants at least, so that overlap policies know what is before the
# next: see ``decisions``.
_SHORTEST_PART = 2


def decide(core: Core, tx: Transaction, cron: CronRow, first: datetime, *, most_rows: int) -> Plan:
    """Return what is stored now of the instants from the ``first`` on: about ``most_rows`` rows at most.

    Raises:
        ValueError: Its row cannot be read on this machine or by this version.
    """
    if cron.flaw is not None:
        raise ValueError(cron.flaw)
    # Each occurrence has its own copy of the chain.
    most = max(_SHORTEST_PART, most_rows // (1 + len(cron.children or ())))
    if cron.is_catching_up and cron.catch_up_until is not None:
        part = next_part(cron.timetable(), next_run_at=first, until=cron.catch_up_until, most=most)
        part = _unstored(tx, cron, part)
    else:
        part = first_part(_unstored(tx, cron, _plan(core, tx, cron, first)), most=most, now=tx.now)
    return within_runs(part, left=None if cron.max_runs is None else cron.max_runs - cron.run_count)


def _plan(core: Core, tx: Transaction, cron: CronRow, first: datetime) -> Plan:
    return plan(
        cron.timetable(),
        next_run_at=first,
        now=tx.now,
        late_after=core.config.late_after,
        misfire=cron.misfire,
        misfire_limit=cron.misfire_limit,
        misfire_grace=cron.misfire_grace,
    )


def _unstored(tx: Transaction, cron: CronRow, decided: Plan) -> Plan:
    """Return a plan without the instants that are known to have their occurrence already."""
    instants = decided.instants
    if cron.pruned_until is not None:
        # After an outage or a pause longer than history is kept: these were backfilled, and have run.
        instants = tuple(each for each in instants if each > cron.pruned_until)
    if cron.overlap is not OverlapPolicy.ALLOW or cron.max_runs is not None:
        # Those that a backfill has made keep their position in the wait queue, cancel no other, and do not
        # count as a run of their cron ticker. Elsewhere what is there already stays as it is.
        taken = occurrences.taken_among(tx, cron.id, instants)
        instants = tuple(each for each in instants if each not in taken)
    return replace(decided, instants=instants)


def new_rows(tx: Transaction, cron: CronRow, decided: Plan) -> list[RunRow]:
    """Return the rows of a plan: occurrences as the overlap policy wants them, and a misfire record."""
    rows = apply_policy(
        tx,
        cron,
        [occurrence_row(cron, instant=instant, now=tx.now) for instant in decided.instants],
        is_continued=cron.is_catching_up,
        has_more=decided.catch_up_until is not None,
    )
    missed = decided.skipped
    if missed is None:
        return rows
    reason = misfire_reason(missed, cron.misfire)
    return [misfire_record(cron, missed, reason=reason, now=tx.now), *rows]
