"""What is measured beside the peers: the same work for each, counted by what arrived."""

from benchmarks.subjects import DATABASES, OURS, POSTGRES, RABBITMQ, REDIS, Measure, Subject

_PEERS = "benchmarks.peers"


def _peer(name: str, path: str, count: int, quick: int, **others: object) -> Subject:
    return Subject(name=name, path=f"{_PEERS}.{path}", count=count, quick=quick, **others)  # type: ignore[arg-type]


def _dispatched(name: str, path: str, environment: str, **others: object) -> Subject:
    return _peer(name, path, 2_000, 200, environment=environment, **others)


def _idle(name: str, path: str, environment: str, **others: object) -> Subject:
    return _peer(name, path, 10_000, 500, environment=environment, broker=REDIS, **others)


def _ours(path: str, count: int, quick: int, case: str, **others: object) -> Subject:
    """Return a subject of this project, which is given its case."""
    keywords = {"case": case, **others.pop("keywords", {})}  # type: ignore[dict-item]
    return Subject(
        name=f"{OURS}, {case}",
        path=f"benchmarks.{path}:measure",
        count=count,
        quick=quick,
        keywords=keywords,
        **others,  # type: ignore[arg-type]
    )


DISPATCH = Measure(
    name="dispatch",
    title="Dispatch of what is due",
    ceilings=frozenset({"LPUSH pipeline"}),
    text="Many schedules or jobs are due at once: how many messages a second arrive in the broker. "
    "APScheduler has no broker and calls a function in a thread of its own process. Two are no schedulers "
    "and store nothing: the loop publishes one message after the other; the pipeline pushes copies of one "
    "ready message, which is the most that this Redis takes.",
    subjects=(
        _ours("dispatch", 2_000, 200, "Redis", store=POSTGRES, broker=REDIS),
        _ours("dispatch", 2_000, 200, "RabbitMQ", store=POSTGRES, broker=RABBITMQ),
        _dispatched("Celery beat", "celery_beat:dispatch", "celery", broker=REDIS),
        _dispatched("celery-redbeat", "redbeat:dispatch", "celery-redbeat", broker=REDIS),
        _dispatched(
            "django-celery-beat",
            "django_beat:dispatch",
            "django-celery-beat",
            broker=REDIS,
            store=POSTGRES,
        ),
        _dispatched(
            "sqlalchemy-celery-beat",
            "sqlalchemy_beat:dispatch",
            "sqlalchemy-celery-beat",
            broker=REDIS,
            store=POSTGRES,
        ),
        _dispatched("APScheduler 3, PostgreSQL", "apscheduler3:dispatch", "apscheduler", store=POSTGRES),
        _dispatched("APScheduler 3, memory", "apscheduler3:dispatch", "apscheduler"),
        _dispatched("apply_async loop, Redis", "publishing:loop", "celery", broker=REDIS),
        _dispatched("apply_async loop, RabbitMQ", "publishing:loop", "celery", broker=RABBITMQ),
        _dispatched(
            "apply_async loop, confirmed",
            "publishing:loop",
            "celery",
            broker=RABBITMQ,
            keywords={"confirmed": True},
        ),
        _dispatched("LPUSH pipeline", "publishing:pipeline", "celery", broker=REDIS),
    ),
)

EXECUTE = Measure(
    name="execute",
    title="A function that does nothing, end to end",
    text="How many runs a second are executed, from the moment feeding begins until the last one is done, as "
    "the database says (of raw Celery: until the last call is made). Two at a time: a worker with `-c 2`, "
    "which for procrastinate is two coroutines of one process, or two processes.",
    seconds=90.0,
    subjects=(
        _ours("end_to_end", 2_000, 200, "PostgreSQL", store=POSTGRES, broker=REDIS),
        _ours(
            "end_to_end",
            2_000,
            200,
            "PostgreSQL, synchronous_commit=off",
            store=POSTGRES,
            broker=REDIS,
            keywords={"synchronous_commit": False},
        ),
        _peer("raw Celery", "plain_celery:execute", 2_000, 200, environment="celery", broker=REDIS),
        _peer(
            "procrastinate, one process",
            "procrastinate_jobs:execute",
            2_000,
            200,
            environment="procrastinate",
            store=POSTGRES,
        ),
        _peer(
            "procrastinate, 2 processes",
            "procrastinate_jobs:execute",
            2_000,
            200,
            environment="procrastinate",
            store=POSTGRES,
            keywords={"processes": 2},
        ),
    ),
)

BULK_ADD = Measure(
    name="bulk-add",
    title="Adding many in one call",
    text="How many rows a second one call adds in one transaction, each with a request of about 100 bytes.",
    subjects=(
        *(
            Subject(
                name=f"{OURS}, {name}",
                path="benchmarks.bulk_add:measure",
                count=10_000,
                quick=1_000,
                store=kind,
            )
            for kind, name in DATABASES.items()
        ),
        _peer(
            "procrastinate",
            "procrastinate_jobs:bulk_add",
            10_000,
            1_000,
            environment="procrastinate",
            store=POSTGRES,
        ),
    ),
)

IDLE_TICK = Measure(
    name="idle-tick",
    title="A tick with nothing due",
    text="What one tick of beat takes when nothing is due: the median of ticks in a row.",
    subjects=(
        _ours("idle_tick", 10_000, 500, "PostgreSQL", store=POSTGRES, keywords={"alone": False}),
        *(_ours("idle_tick", 100_000, 5_000, name, store=kind) for kind, name in DATABASES.items()),
        _idle("Celery beat", "celery_beat:idle_tick", "celery"),
        _idle("celery-redbeat", "redbeat:idle_tick", "celery-redbeat"),
        _idle("django-celery-beat", "django_beat:idle_tick", "django-celery-beat", store=POSTGRES),
        _idle(
            "sqlalchemy-celery-beat",
            "sqlalchemy_beat:idle_tick",
            "sqlalchemy-celery-beat",
            store=POSTGRES,
        ),
    ),
)
