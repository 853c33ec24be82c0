"""What is measured without peers, since they have no such thing or do it otherwise."""

from benchmarks.fairness import Crowd
from benchmarks.subjects import DATABASES, OURS, POSTGRES, REDIS, Measure, Subject

FULL_QUEUE = Measure(
    name="full-queue",
    charted="executed",
    is_quick=False,
    title="A function that does nothing, from a full queue",
    text="How many runs a second a worker with two children executes whose messages wait already, and what "
    "each costs in CPU: without beat, unlike `execute`.",
    subjects=(
        Subject(
            name="raw Celery",
            path="benchmarks.full_queue:measure_tasks",
            count=1_000,
            quick=1_000,
            broker=REDIS,
        ),
        *(
            Subject(
                name=f"{OURS}, {name}",
                path="benchmarks.full_queue:measure",
                count=1_000,
                quick=1_000,
                store=kind,
                broker=REDIS,
                keywords={"case": name},
            )
            for kind, name in DATABASES.items()
        ),
    ),
)


def _claims_beside(*numbers: int) -> tuple[Subject, ...]:
    """Return claims on each database, beside so many future runs and as many that have ended."""
    return tuple(
        Subject(
            name=f"{OURS}, {name}, beside {beside:,}",
            path="benchmarks.claims:measure",
            count=20_000,
            quick=1_000,
            store=kind,
            keywords={"case": name, "beside": beside},
        )
        for kind, name in DATABASES.items()
        for beside in numbers
    )


CLAIMS = Measure(
    name="claims",
    is_quick=False,
    title="Claiming what is due",
    text="How many due runs a second a beat claims, a batch at a time, without their publishing.",
    total_seconds=240.0,
    subjects=_claims_beside(0, 100_000),
)

CLAIMS_BESIDE_MILLIONS = Measure(
    name="claims-beside-millions",
    is_default=False,
    title="Claiming what is due beside two million others",
    text="The same beside a million future runs and a million that ended, and in the same round beside none.",
    seconds=900.0,
    total_seconds=1_200.0,
    subjects=_claims_beside(0, 1_000_000),
)

WRITES = Measure(
    name="writes",
    is_quick=False,
    title="What the writes of a run cost PostgreSQL",
    text="How many bytes of WAL the claim, the stamp, the start and the end of a run write, and which share "
    "of the updates is HOT: writes no index.",
    subjects=(
        Subject(
            name=f"{OURS}, PostgreSQL",
            path="benchmarks.claims:measure_writes",
            count=2_000,
            quick=200,
            store=POSTGRES,
        ),
    ),
)

MEMORY = Measure(
    name="memory",
    charted="at most",
    is_quick=False,
    title="Memory beside plain Celery",
    text="What each process holds while both execute 100 runs a second of which one in twenty fails, and "
    "what a process holds that only adds.",
    seconds=200.0,
    total_seconds=120.0,
    subjects=(
        Subject(
            name=f"{OURS}, beside Celery",
            path="benchmarks.memory:measure",
            count=6_000,
            quick=500,
            store=POSTGRES,
            broker=REDIS,
        ),
    ),
)

BULK_EDITS = Measure(
    name="bulk-edits",
    title="Changing many in one call",
    text="How long one `update_batch` takes, and one `add_batch` that replaces tickers by their unique keys.",
    total_seconds=180.0,
    subjects=tuple(
        Subject(
            name=f"{OURS}, {name}", path="benchmarks.bulk_edits:measure", count=20_000, quick=400, store=kind
        )
        for kind, name in DATABASES.items()
    ),
)

FAIRNESS = Measure(
    name="fairness",
    is_quick=False,
    title="Beside a backlog of another function",
    text="How long after their moment runs of one function start while as many of another are due, or are "
    "being stored by cron tickers that catch up, in one queue, with one beat and a worker with two children.",
    seconds=150.0,
    total_seconds=200.0,
    subjects=tuple(
        Subject(
            name=f"{OURS}, {name}, {crowd.words}",
            path="benchmarks.fairness:measure",
            count=100_000,
            quick=1_000,
            store=kind,
            broker=REDIS,
            keywords={"case": name, "crowd": crowd},
        )
        for crowd in Crowd
        for kind, name in DATABASES.items()
    ),
)

CRON_SEARCHES = Measure(
    name="cron-searches",
    title="Cron expressions that seldom fire",
    text="The processor time that it takes to find the next 50 instants of expressions which let a search go "
    "far: 29 February on a Monday, nights on which the clocks change, or never.",
    subjects=(Subject(name=OURS, path="benchmarks.cron_searches:measure", count=50, quick=50),),
)

START_DELAY = Measure(
    name="start-delay",
    title="From due to started",
    text="How long after its moment a run starts in a worker's child, at a steady rate, with one beat and a "
    "worker with two children on PostgreSQL and Redis.",
    subjects=tuple(
        Subject(
            name=f"{OURS}, {per_second} a second",
            path="benchmarks.start_delay:measure",
            count=5 * per_second,
            quick=per_second,
            store=POSTGRES,
            broker=REDIS,
            keywords={"per_second": per_second},
        )
        for per_second in (100, 300)
    ),
)

OUTBOX = Measure(
    name="outbox",
    title="A call in a transaction, from the commit to the start",
    text="How long a `.delay()` takes its caller, and how soon its task starts in a child of a worker that "
    "has a TickerQ: in an outbox, sent after the commit, and sent before it, on PostgreSQL and Redis.",
    subjects=tuple(
        Subject(
            name=way,
            path="benchmarks.outbox:measure",
            count=200,
            quick=20,
            store=POSTGRES,
            broker=REDIS,
            keywords={"way": way},
        )
        for way in ("an outbox", "after_commit(task.delay)", "a bare .delay()")
    ),
)

ROLLUP = Measure(
    name="rollup",
    title="Counting ends into the roll-up",
    text="How many ended runs a second beat counts into the hourly figures, and how long the longest of its "
    "transactions takes.",
    is_default=False,
    subjects=tuple(
        Subject(
            name=f"{OURS}, {name}",
            path="benchmarks.rollup:measure",
            count=100_000,
            quick=2_000,
            store=kind,
            keywords={"case": name},
        )
        for kind, name in DATABASES.items()
    ),
)

DASHBOARD = Measure(
    name="dashboard",
    charted="a page, p95",
    title="The dashboard's pages beside a long history",
    text="How long a page takes the server in half and in 19 of 20 requests at most, each of which reads "
    "anew; the processor time of its process in half of them; how many statements it sends, and the slowest "
    "of these: beside a million runs on PostgreSQL, and 200,000 on MariaDB and SQLite.",
    is_default=False,
    seconds=900.0,
    total_seconds=1_800.0,
    subjects=tuple(
        Subject(
            name=f"{OURS}, {name}",
            path="benchmarks.dashboard:measure",
            count=1_000_000 if kind == POSTGRES else 200_000,
            quick=20_000,
            store=kind,
            keywords={"case": name},
        )
        for kind, name in DATABASES.items()
    ),
)

PRUNE = Measure(
    name="prune",
    title="Pruning beside the work",
    text="How late runs are published while a long history is deleted beside them, and how fast that goes.",
    is_default=False,
    seconds=900.0,
    subjects=(
        Subject(
            name=f"{OURS}, PostgreSQL",
            path="benchmarks.prune:measure",
            count=1_000_000,
            quick=5_000,
            store=POSTGRES,
        ),
    ),
)

SCALE = Measure(
    name="scale",
    title="Beside a large store, with more processes",
    text="How many runs that fall due at one moment 1, 2 and 4 beats publish a second, and 1, 2 and 4 "
    "workers with one child execute, beside a million future runs, a million that ended, and 100,000 cron "
    "tickers. All processes, the database and the broker share the machine.",
    is_default=False,
    seconds=2_400.0,
    total_seconds=600.0,
    subjects=(
        Subject(
            name=f"{OURS}, PostgreSQL",
            path="benchmarks.scale:measure",
            count=1_000_000,
            quick=2_000,
            store=POSTGRES,
            broker=REDIS,
        ),
    ),
)
