"""Runs that ended as a test wants it, what the roll-up says of them, and a recount of the rows."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import insert, select

from tests.inner import Core, Transaction, new_id
from tests.statements import counted_ends, rollup_state, rollups
from tests.tables import rollups as table
from tests.tables import tickers
from tickerq_celery.enums import TERMINAL, Origin, TickerKind, TickerPriority, TickerStatus, TickerType
from tickerq_celery.stats.rolling import roll_up
from tickerq_celery.tickers.tallies import HOURS, Grain, Tally, TallyKey, tallies

_STATUSES = sorted(TERMINAL)


def ended(core: Core, at: datetime, **columns: Any) -> dict[str, Any]:
    """Return the row of a run that ended at a moment, as Done unless ``columns`` say otherwise."""
    status = columns.pop("status", TickerStatus.DONE)
    return {
        "id": new_id(),
        "namespace": core.config.namespace,
        "type": int(TickerType.TIME_TICKER),
        "kind": TickerKind.FUNCTION.value,
        "function": "Send",
        "status": status,
        "ended_status": status,
        "claim_no": 1,
        "publish_count": 1,
        "is_late": False,
        "encoding": 0,
        "executions": 0,
        "retries": 0,
        "retry_intervals": [],
        "retry_count": 0,
        "rescue_count": 0,
        "attempts_before": 0,
        "priority": int(TickerPriority.NORMAL),
        "tags": [],
        "origin": Origin.ADDED.value,
        "execution_time": at - timedelta(seconds=3),
        "created_at": at - timedelta(minutes=10),
        "updated_at": at,
        "started_at": at - timedelta(seconds=2),
        "elapsed": timedelta(seconds=2),
        "ended_at": at,
        "has_children": False,
        **columns,
    }


def write(core: Core, *rows: Mapping[str, Any]) -> None:
    """Store runs."""
    names = sorted({name for row in rows for name in row})
    complete = [{name: row.get(name) for name in names} for row in rows]
    core.write(lambda tx: tx.execute(insert(tickers), complete))


def random_ends(core: Core, random: Random, first: datetime, count: int) -> Iterator[dict[str, Any]]:
    """Yield as many ends within three hours, of which some share their moment to the microsecond."""
    for _ in range(count):
        at = first + timedelta(seconds=random.randrange(3 * 60) * 60 + random.choice([0, 0.25]))
        status = random.choice(_STATUSES)
        failed = status is TickerStatus.FAILED
        call = random.random() < 0.2
        started = None if call and random.random() < 0.5 else at - timedelta(seconds=random.randrange(60))
        yield ended(
            core,
            at,
            namespace=random.choice([core.config.namespace, "elsewhere"]),
            function=random.choice(["Send", "Bill", "shop.tasks.add"]),
            kind=(TickerKind.CELERY_TASK if call else TickerKind.FUNCTION).value,
            type=random.choice([0, 1]),
            status=status,
            exception_type=random.choice(["builtins.OSError", "shop.NoStock"]) if failed else None,
            is_late=random.random() < 0.3,
            retry_count=random.choice([0, 0, 1, 3]),
            rescue_count=random.choice([0, 0, 0, 1]),
            started_at=started,
            elapsed=None if started is None else timedelta(microseconds=random.randrange(10**9)),
        )


def roll_all(core: Core, **options: Any) -> int:
    """Count all that may be counted, and return how many ends that were."""
    counted = 0
    while (rolled := core.write(roll_up, **options)) is not None:
        counted += rolled.ends
        if rolled.is_last:
            break
    return counted


def rolled_up(core: Core, grain: Grain = HOURS) -> Mapping[TallyKey, Tally]:
    """Return all rows of the roll-up whose periods are of one length."""
    those = select(table).where(table.c.minutes == grain.minutes)
    rows = core.read(lambda tx: tx.execute(those).all())
    return {rollups.key_of(row): rollups.tally_of(row) for row in rows}


def recount(core: Core, grain: Grain = HOURS) -> Mapping[TallyKey, Tally]:
    """Return what the roll-up must say of the runs that have ended, in periods of one length."""

    def read(tx: Transaction) -> Mapping[TallyKey, Tally]:
        everything = tx.now + timedelta(days=9_999)
        return tallies(counted_ends.between(tx, rollup_state.START, everything, limit=100_000), grain)

    return core.read(read)
