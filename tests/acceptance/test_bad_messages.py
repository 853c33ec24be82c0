"""Whatever comes out of the broker: a real worker drops it, says so once, counts it, and goes on."""

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from typing import Any

import pytest
from amqp.exceptions import AMQPError
from kombu import Exchange, Producer, Queue
from sqlalchemy import func, insert, select

from tests.acceptance.jobs import Jobs, due_in
from tests.acceptance.pairs import on_each_pair
from tests.acceptance.processes import CeleryProcess
from tests.acceptance.waiting import wait_until
from tests.inner import DropReason
from tests.integration.apps import change_row
from tests.tables import drops
from tickerq_celery.worker import drop_counts

pytestmark = pytest.mark.acceptance

R = DropReason
TEN_MB = 10_000_000
CALL = b"[[], {}, {}]"
LONGEST_LINE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """A message, and why it should be dropped."""

    reason: DropReason | None
    headers: dict[str, Any]
    body: bytes = CALL
    content: dict[str, str] = field(
        default_factory=lambda: {"content_type": "application/json", "content_encoding": "utf-8"}
    )


def of(ticker: object, **headers: Any) -> dict[str, Any]:
    """Return the headers of a function's message with this ``ticker`` header, and others."""
    return {"task": "tickerq.Plain", "id": f"{uuid.uuid4()}:1", "ticker": ticker, **headers}


def an_id() -> str:
    return str(uuid.uuid4())


def without_task() -> list[Bad]:
    bodies = {
        b"\x00\xff garbage": R.UNDECODABLE,
        b"{": R.UNDECODABLE,
        b'{"a": 1}': R.INVALID,
        b"7": R.INVALID,
    }
    return [Bad(reason=reason, headers={}, body=body) for body, reason in bodies.items()]


def with_broken_headers(*more: object) -> list[Bad]:
    known = an_id()
    headers: list[object] = [
        "x", 7, True, [], {}, [known], [known, 1, 2], [known, "1"], [known, True], [known, None],
        [known, 0], [known, -1], [known, 2**31], ["no uuid", 1], [[known], 1], {"id": known, "claim": 1},
        reduce(lambda inner, _: [inner], range(30), []), *more,
    ]  # fmt: skip
    return [Bad(reason=R.BROKEN_HEADER, headers=of(header)) for header in headers]


def stale(ended: uuid.UUID, claimed_again: uuid.UUID) -> list[Bad]:
    """Return messages of runs: one that ended under claim 1, and one whose claim number is 5."""
    return [
        Bad(reason=R.UNKNOWN_ID, headers=of([an_id(), 1])),
        Bad(reason=R.STARTED_ALREADY, headers=of([str(ended), 1])),
        Bad(reason=R.OLD_CLAIM, headers=of([str(claimed_again), 1])),
        Bad(reason=R.OLD_CLAIM, headers=of([str(claimed_again), 6])),
        Bad(reason=R.UNADDRESSED, headers=of(None)),
        Bad(reason=R.UNKNOWN_TASK, headers=of([an_id(), 1], task="tickerq.Nope")),
    ]


def malformed() -> list[Bad]:
    """Return messages with a sound ticker header, of which many end a worker of Celery's by themselves."""
    bodies = [
        b"7",
        b"null",
        b"",
        b'"abc"',
        b"{}",
        b"[[], {}]",
        b"[5, {}, {}]",
        b"[[], 5, {}]",
        b"[[], {}, 5]",
    ]
    big = b'[["' + b"x" * TEN_MB + b'"], {}, {}]'
    changes: list[dict[str, Any]] = [
        {"id": None}, {"id": [1]}, {"task": None}, {"task": [1]}, {"task": {"a": 1}}, {"task": 5},
        {"timelimit": "x"}, {"timelimit": 5}, {"timelimit": ["a", "b"]}, {"retries": "x"}, {"shadow": [1]},
        {"stamped_headers": 5}, {"eta": "x"}, {"eta": "9999-12-31T23:59:59+00:00"}, {"expires": 5},
        {"task": "tickerq.lost_attempt"},
    ]  # fmt: skip
    found = [Bad(reason=R.INVALID, headers=of([an_id(), 1]), body=body) for body in [*bodies, big]]
    return found + [Bad(reason=R.INVALID, headers=of([an_id(), 1], **change)) for change in changes]


def undecodable() -> list[Bad]:
    def message(body: bytes, content_type: str, encoding: str, **headers: Any) -> Bad:
        content = {"content_type": content_type, "content_encoding": encoding}
        return Bad(reason=R.UNDECODABLE, headers=of([an_id(), 1], **headers), body=body, content=content)

    return [
        message(b"\x00\xff garbage", "application/json", "utf-8"),
        message(b"\x80\x04K\x01.", "application/x-python-serialize", "binary"),
        message(CALL, "application/nonsense", "utf-8"),
        message(CALL, "text/x", "no such encoding"),
        message(CALL, "application/json", "utf-8", compression="application/x-gzip"),
        message(CALL, "application/json", "utf-8", compression="no such compression"),
    ]


FOREIGN = [
    Bad(reason=None, headers={"task": "their.task", "id": "x"}),
    Bad(reason=None, headers={"task": "their.task"}),
    Bad(reason=None, headers={"task": "their.task"}, body=b"7"),
]


@contextmanager
def producer(jobs: Jobs) -> Iterator[Producer]:
    with jobs.tickerq.app.connection_for_write() as connection:
        yield connection.Producer(exchange=Exchange("celery"), routing_key="celery")


def send(jobs: Jobs, messages: list[Bad]) -> None:
    queue = Queue("celery", Exchange("celery"), routing_key="celery")
    with producer(jobs) as sender:
        for message in messages:
            headers, content = message.headers, message.content
            sender.publish(message.body, headers=headers, serializer=None, declare=[queue], **content)


def add_an_old_count(jobs: Jobs) -> None:
    """Store what a worker dropped long ago."""
    row = {
        "namespace": jobs.namespace,
        "hour": due_in(-31 * 86_400),
        "reason": "invalid",
        "node_id": uuid.uuid4(),
        "dropped": 7,
    }
    jobs.tickerq.core.database.write(lambda connection: connection.execute(insert(drops).values(**row)))


def oldest_count(jobs: Jobs) -> datetime:
    statement = select(func.min(drops.c.hour)).where(drops.c.namespace == jobs.namespace)
    return jobs.tickerq.core.database.read(lambda connection: connection.scalars(statement).one())


def counted(jobs: Jobs) -> Counter[str]:
    return Counter(drop_counts.recent(jobs.tickerq.core))


def expected(messages: list[Bad]) -> Counter[str]:
    return Counter(message.reason.value for message in messages if message.reason is not None)


def end_an_attempt_too_late(jobs: Jobs, worker: CeleryProcess) -> None:
    """Delete a run while it runs."""
    run_id = jobs.add("Sleeps", 0.5)
    jobs.wait_for_note(f"asleep {run_id}")
    jobs.tickerq.time_tickers.delete(run_id)
    worker.wait_for("which is not recorded: its claim was superseded")


def assert_rabbitmq_cannot_carry(jobs: Jobs, *headers: object) -> None:
    for header in headers:
        with pytest.raises((AMQPError, OSError)), producer(jobs) as sender:
            sender.publish(CALL, headers=of(header), serializer=None, content_type="application/json")


def garbage_for(jobs: Jobs, broker_url: str) -> list[Bad]:
    """Return every message that this broker can carry."""
    runs = [jobs.add("Plain"), jobs.add("Plain")]
    jobs.wait_for_all(runs)
    change_row(jobs.tickerq, runs[1], claim_no=5)
    huge_number, ten_mb = [an_id(), 2**200], [an_id(), 1, "x" * TEN_MB]
    if broker_url.startswith("amqp"):
        # AMQP's whole numbers have 64 bits, and all headers must fit into one frame of 128 KiB.
        assert_rabbitmq_cannot_carry(jobs, ten_mb)
        headers = with_broken_headers([an_id(), 2**63 - 1], [an_id(), 1, "x" * 100_000])
    else:
        headers = with_broken_headers(huge_number, ten_mb)
    return [*without_task(), *headers, *stale(*runs), *malformed(), *undecodable()]


@on_each_pair
def test_a_worker_drops_counts_and_outlives_every_kind_of_garbage(
    make_jobs: Callable[..., Jobs], store_url: str, broker_url: str
) -> None:
    pool = "threads" if broker_url.startswith("tickerq-fs") else "prefork"
    jobs = make_jobs(store_url, broker_url)
    add_an_old_count(jobs)
    worker = jobs.worker(pool=pool)
    garbage = garbage_for(jobs, broker_url)
    send(jobs, garbage)
    end_an_attempt_too_late(jobs, worker)
    wanted = expected(garbage) + Counter({R.SUPERSEDED.value: 1})
    wait_until(lambda: counted(jobs) == wanted, lambda: f"{wanted}, not {counted(jobs)}\n{jobs.logs()}")
    jobs.wait_for_status(jobs.add("Plain"))
    assert len(worker.lines("dropped a ")) == len(garbage)
    assert "Traceback" not in worker.log
    assert max(len(line) for line in worker.log.splitlines()) <= LONGEST_LINE

    send(jobs, FOREIGN)
    jobs.wait_for_status(jobs.add("Plain"))
    assert worker.stop() == 0
    assert counted(jobs) == wanted
    assert oldest_count(jobs) > due_in(-86_400)
