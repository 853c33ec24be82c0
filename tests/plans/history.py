"""A store with a long history, in two namespaces of which one has a hundredth of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection

from tests.inner import FunctionLimits, Transaction
from tests.integration.making import add_function
from tests.plans.audited import AUDITED, audited
from tests.plans.bulk_jobs import write_job
from tests.plans.writing import Writer, id_of
from tests.statements import nodes
from tests.tables import pauses, rollup_state, tickers
from tickerq_celery.clock import SystemClock
from tickerq_celery.enums import NodeKind
from tickerq_celery.stats.rolling import HELD_BACK
from tickerq_celery.store.nodes.nodes import NodeProfile
from tickerq_celery.store.runs.publications import NEVER

BIG, SMALL = "shop", "small"
# The least of what there is: a function and a node with a handful of runs, all over the history.
COMMON, RARE, RARE_NODE = "shop.f0", "shop.rare", "worker-rare"
# A cron ticker with a tenth of the history, and one that has never fired.
BUSY_CRON, NEW_CRON = id_of(1), id_of(9_998)
# A run of a chain, to which much has been done.
AUDITED_RUN = id_of(1_007)
# In each namespace.
BULK_JOBS: Mapping[str, UUID] = {BIG: id_of(9_997), SMALL: id_of(9_996)}
CRONS = 10_000
_STEP = timedelta(seconds=2)
# As beat keeps it: ends are counted when they are two minutes old, about each 20 seconds.
_UNCOUNTED = HELD_BACK + timedelta(seconds=20)
# What has not ended has numbers that no history reaches.
_WAITING, _ACTIVE = 10_000_000, 20_000_000
# Of the nodes that run what is in progress.
_FIRST_NODE = 77

# Periods that have no common factor, so that whatever is asked for is found with whatever else.
_NAMESPACE = f"CASE WHEN (n - n % 10) % 1010 = 0 THEN '{SMALL}' ELSE '{BIG}' END"
_STATUS = (
    "CASE WHEN n % 983 < 50 THEN 5 WHEN n % 983 < 60 THEN 6 WHEN n % 983 < 100 THEN 7"
    " WHEN n % 983 < 150 THEN 4 ELSE 3 END"
)
_IS_CRON = "n % 10 < 6"
_KIND = "CASE WHEN n % 11 = 0 THEN 'celery_task' ELSE 'function' END"
# Of fifty runs four are a chain: the head, and three children.
_IN_CHAIN, _IS_CHILD, _HEAD = "n % 50 BETWEEN 6 AND 9", "n % 50 BETWEEN 7 AND 9", "n - n % 50 + 6"


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """How many ended runs there are; the newest ended at ``until``."""

    runs: int
    until: datetime

    def ended_at(self, number: int) -> datetime:
        """Return when the run of that number ended."""
        return self.until - _STEP * (self.runs - 1 - number)

    @property
    def middle(self) -> datetime:
        """The end of a run in the middle."""
        return self.ended_at(self.runs // 2)


def build(connection: Connection, runs: int) -> History:
    """Write 10,000 cron tickers, so many ended runs, and what is planned."""
    history = History(runs=runs, until=datetime.now(UTC).replace(microsecond=0))
    writer = Writer(connection)
    writer.write("tickerq_cron_tickers", CRONS, _crons(writer, history))
    with writer.without_indexes(tickers):
        writer.write("tickerq_tickers", runs, _ended(writer, history))
        writer.write("tickerq_tickers", 5_000, _planned(writer, history))
    for namespace in (BIG, SMALL):
        # An outlook looks for what waits for the end of a pause, where there is one.
        connection.execute(
            pauses.insert().values(namespace=namespace, kind="function", name="gone", paused_at=history.until)
        )
        write_job(connection, namespace, BULK_JOBS[namespace], history.until)
    audit = audited(writer, history.until, namespace=_NAMESPACE, run=AUDITED_RUN, cron=BUSY_CRON)
    writer.write("tickerq_audit", AUDITED, audit)
    writer.write("tickerq_rollups", 80_000, _rolled_up(writer, history))
    for minutes, periods in ((30, 100), (1, 180)):
        writer.write("tickerq_rollups", 5 * periods, _of_late(writer, history, minutes))
    connection.execute(
        rollup_state.insert().values(id=1, ended_at=history.until - _UNCOUNTED, ended_id=id_of(0))
    )
    writer.write("tickerq_attempts", runs, _attempts(writer, history), only="n % 4 = 0")
    for namespace in (BIG, SMALL):
        _write_processes(connection, namespace)
    writer.analyse()
    return history


def set_active(connection: Connection, history: History, count: int) -> None:
    """Let so many runs be in progress, and of each other state that has not ended as many."""
    writer = Writer(connection)
    connection.execute(tickers.delete().where(tickers.c.id >= id_of(_ACTIVE)))
    if count:
        for number, columns in enumerate(_active(writer, history)):
            first = _ACTIVE + 1_000_000 * number
            writer.write("tickerq_tickers", count, columns | {"id": writer.id(f"n + {first}")})
    writer.analyse()


def planned_of(namespace: str) -> UUID:
    """Return a planned run."""
    return id_of(_WAITING + (12 if namespace == BIG else 2))


def unended() -> Sequence[UUID]:
    """Return a planned run, and of each state of ``set_active`` a run that may be there."""
    return [planned_of(SMALL), *(id_of(_ACTIVE + 1_000_000 * number) for number in range(8))]


def _write_processes(connection: Connection, namespace: str) -> None:
    """Write 40 workers, of which those of one namespace run what is active, and their functions."""
    tx = Transaction(connection, SystemClock(), namespace)
    names = [f"shop.f{number}" for number in range(20)]
    for name in names:
        add_function(connection, namespace, name)
    for number in range(_FIRST_NODE, _FIRST_NODE + 40):
        profile = NodeProfile(
            id=id_of(number if namespace == BIG else number + 1_000),
            namespace=namespace,
            kind=NodeKind.WORKER,
            name=f"worker-{number}",
            host="host",
            pid=number,
            version="1",
            heartbeat=timedelta(days=1),
            lease=timedelta(days=3),
            functions=dict.fromkeys(names, FunctionLimits()),
            definitions=dict.fromkeys(names, str(number % 2)),
        )
        nodes.register(tx, profile, counter=0, started_at=None)


def _function(writer: Writer) -> str:
    other = writer.joined("'shop.f'", "n % 19 + 1")
    return f"CASE WHEN n % 33331 = 7 THEN '{RARE}' WHEN n % 997 < 500 THEN '{COMMON}' ELSE {other} END"


def _run(writer: Writer, history: History) -> dict[str, str]:
    """Return the columns that each run has."""
    return {
        "id": writer.id(),
        "namespace": _NAMESPACE,
        "type": "1",
        "kind": "'function'",
        "function": _function(writer),
        "claim_no": "1",
        "publish_count": "1",
        "is_late": "false",
        "encoding": "0",
        "executions": "0",
        "retries": "3",
        "retry_intervals": "'[60.0]'",
        "retry_count": "0",
        "rescue_count": "0",
        "attempts_before": "0",
        "priority": "n % 3 + 1",
        "queue": "CASE WHEN n % 13 = 0 THEN 'mail' END",
        "tags": "CASE WHEN n % 17 = 0 THEN '[\"eu\"]' ELSE '[]' END",
        "origin": "'added'",
        "created_by": "CASE WHEN n % 23 = 0 THEN 'mara' END",
        "created_at": writer.moment(history.until, "-20"),
        "updated_at": writer.moment(history.until, "-20"),
        "has_children": "false",
    }


def _ended(writer: Writer, history: History) -> dict[str, str]:
    def before_end(seconds: int) -> str:
        return writer.moment(history.ended_at(0), f"2 * n - {seconds}")

    cron = f"CASE WHEN n % 10 = 0 THEN {writer.id('1')} ELSE {writer.id('n % 9973 + 2')} END"
    worker = writer.joined("'worker-'", "n % 8")
    node = f"CASE WHEN n % 33331 = 8 THEN '{RARE_NODE}' ELSE {worker} END"
    return _run(writer, history) | {
        "type": f"CASE WHEN {_IS_CRON} THEN 0 ELSE 1 END",
        "kind": _KIND,
        "status": _STATUS,
        "ended_status": _STATUS,
        "execution_time": before_end(12),
        "instant": f"CASE WHEN {_IS_CRON} THEN {before_end(12)} END",
        "cron_ticker_id": f"CASE WHEN {_IS_CRON} THEN {cron} END",
        "origin": f"CASE WHEN {_IS_CRON} THEN 'cron' WHEN {_IS_CHILD} THEN 'chain' ELSE 'added' END",
        "created_at": before_end(20),
        "published_at": before_end(11),
        "started_at": before_end(10),
        "ended_at": before_end(0),
        "updated_at": before_end(0),
        "elapsed": "9.5",
        "lock_holder": node,
        "ended_on": node,
        "exception_type": "CASE WHEN n % 983 < 50 THEN 'builtins.OSError' END",
        "exception_message": f"CASE WHEN n % 983 < 50 THEN {writer.long(1_000)} END",
        "parent_id": f"CASE WHEN {_IS_CHILD} THEN {writer.id(_HEAD)} END",
        "root_id": f"CASE WHEN {_IN_CHAIN} THEN {writer.id(_HEAD)} END",
        "run_condition": f"CASE WHEN {_IS_CHILD} THEN 0 END",
        "has_children": "n % 50 = 6",
    }


def _planned(writer: Writer, history: History) -> Mapping[str, str]:
    moment = writer.moment(history.until, "3600 + 60 * n")
    return _run(writer, history) | {
        "id": writer.id(f"n + {_WAITING}"),
        "status": "0",
        "claim_no": "0",
        "execution_time": moment,
        "due_at": moment,
    }


def _active(writer: Writer, history: History) -> Iterator[dict[str, str]]:
    """Yield the columns of each state that a run may be in before its end."""
    run = _run(writer, history) | {
        "namespace": f"'{BIG}'",
        "execution_time": writer.moment(history.until, "-20 - n"),
    }
    past = writer.moment(history.until, "-10 - n")
    claimed = {"lock_holder": "'beat-1'", "locked_at": past, "published_at": past}
    node = {"running_on": writer.id(f"n + {_FIRST_NODE}"), "lock_holder": "'worker-1'", "started_at": past}
    call = {
        "kind": "'celery_task'",
        "has_children": "true",
        "check_at": f"'{NEVER:%Y-%m-%d %H:%M:%S}.000000'",
    }
    if writer.kind == "postgresql":
        call["check_at"] = "timestamptz '9999-01-01 00:00:00+00'"
    yield run | claimed | node | {"status": "2"}
    yield run | claimed | {"status": "1", "check_at": writer.moment(history.until, "300 + n")}
    yield run | claimed | {"status": "1"} | call
    yield run | {"status": "0", "due_at": past}
    for reason, key in (
        ("key", "shop.f0/eu"),
        ("paused", "all"),
        ("function", "shop.gone"),
        ("limit", "queue:"),
    ):
        yield run | {"status": "0", "held_for": f"'{reason}'", "hold_key": f"'{key}'", "held_since": past}


def _rolled_up(writer: Writer, history: History) -> Mapping[str, str]:
    """Return the columns of the roll-up: a hundred rows for each of the last 800 hours."""
    hour = history.until.replace(minute=0, second=0)
    function, status = writer.joined("'shop.f'", "n % 20"), "(n - n % 20) / 20 % 5 + 3"
    return {
        "namespace": f"'{BIG}'",
        "minutes": "60",
        "begins_at": writer.moment(hour, "-36 * (n - n % 100)"),
        "function": function,
        "type": "1",
        "kind": "'function'",
        "status": status,
        "error_type": f"CASE WHEN {status} = 5 THEN 'builtins.OSError' ELSE '' END",
        **dict.fromkeys(("ends", "duration_count", "lag_count"), "9"),
        **dict.fromkeys(("late", "retried", "published"), "1"),
        **dict.fromkeys(("duration_sum", "duration_max", "lag_sum", "lag_max"), "9.5"),
        **dict.fromkeys(("durations", "lags"), '\'{"7": 5, "12": 4}\''),
        "first_ended_at": writer.moment(hour, "-36 * (n - n % 100)"),
        "last_ended_at": writer.moment(hour, "-36 * (n - n % 100) + 7"),
        "last_id": writer.id(),
    }


def _of_late(writer: Writer, history: History, minutes: int) -> Mapping[str, str]:
    """Return the columns of the roll-up's periods of so many minutes: a row for each status in each."""
    begin = history.until.replace(minute=history.until.minute // minutes * minutes, second=0)
    status, at = "n % 5 + 3", f"-{minutes * 60} * ((n - n % 5) / 5)"
    return {
        **_rolled_up(writer, history),
        "minutes": str(minutes),
        "begins_at": writer.moment(begin, at),
        "function": f"CASE WHEN {status} = 5 THEN 'shop.f1' ELSE '' END",
        "type": "-1",
        "kind": "''",
        "status": status,
        "error_type": f"CASE WHEN {status} = 5 THEN 'builtins.OSError' ELSE '' END",
        "first_ended_at": writer.moment(begin, at),
        "last_ended_at": writer.moment(begin, f"{at} + 7"),
    }


def _attempts(writer: Writer, history: History) -> Mapping[str, str]:
    return {
        "ticker_id": writer.id(),
        "claim_no": "1",
        "retries": "0",
        "number": "0",
        "status": _STATUS,
        "started_at": writer.moment(history.ended_at(0), "2 * n - 10"),
        "ended_at": writer.moment(history.ended_at(0), "2 * n"),
        "node": writer.joined("'worker-'", "n % 8"),
    }


def _crons(writer: Writer, history: History) -> Mapping[str, str]:
    is_seeded = "n % 4 = 0"
    seed_key = writer.joined("'seed-'", "n")
    at = writer.moment(history.until, "3600 + n % 4099")
    return {
        "id": writer.id(),
        "namespace": f"CASE WHEN n % 101 = 0 THEN '{SMALL}' ELSE '{BIG}' END",
        "kind": "'function'",
        "function": _function(writer),
        "expression": "'0 0 9 * * *'",
        "time_zone": "'UTC'",
        "day_or": "false",
        "run_count": "0",
        "jitter": "0",
        "encoding": "0",
        "retries": "0",
        "retry_intervals": "'[]'",
        "misfire": "'run_once'",
        "misfire_limit": "100",
        "overlap": "'allow'",
        "priority": "2",
        "tags": "CASE WHEN n % 17 = 0 THEN '[\"eu\"]' ELSE '[]' END",
        # Of ten one is paused, and one has ended.
        "is_enabled": "n % 10 <> 8",
        "next_run_at": f"CASE WHEN n % 10 < 8 THEN {at} END",
        "skipped_until": f"CASE WHEN n % 100 = 1 THEN {at} END",
        "seed_key": f"CASE WHEN {is_seeded} THEN {seed_key} END",
        "seed_expression": f"CASE WHEN {is_seeded} THEN '0 0 9 * * *' END",
        "created_at": writer.moment(history.until, "-86400"),
        "updated_at": writer.moment(history.until, "-86400"),
    }
