"""What beat, a worker's main process, its children and a process that only adds hold, beside plain Celery's.

python -m benchmarks.memory POSTGRES_URL REDIS_URL; the database and the broker are new and empty. MINUTES=30
is the full form, 2 is the default. Both have the same load in the same run: RATE runs a second, of which one
in twenty fails. Figures are printed, nothing is asserted. Linux only: the kernel says what is unshared.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from celery import Celery

from benchmarks.load import FUNCTION, PLAIN_TASK, ROOT, celery, ended
from benchmarks.measured import Measured, Unit
from benchmarks.subjects import OURS
from tickerq_celery import TickerQ, TimeTicker

PLAIN = "Celery"
RATE = 100
ONE_FAILS_OF = 20
WARM_SECONDS = 10
PARTS = ("beat", "worker", "child")
ADDS = {
    PLAIN: "import sqlalchemy.orm\nfrom benchmarks.load_app import PLAIN_TASK, app, work\n"
    "engine = sqlalchemy.create_engine(url)\nengine.connect().close()\napp.tasks[PLAIN_TASK].delay(False)",
    OURS: "import sqlalchemy.orm\nfrom benchmarks.load_app import FUNCTION, tickerq\n"
    "from tickerq_celery import TimeTicker\n"
    "tickerq.time_tickers.add(TimeTicker(function=FUNCTION, request={'is_failing': False}))",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What one process held ``seconds`` after the load began, in MB; ``unshared`` no other process maps."""

    subject: str
    part: str
    seconds: float
    resident: float
    unshared: float


def measure(*, count: int, store_url: str, broker_url: str) -> tuple[Measured, ...]:
    """Return what each process held at the start and at most while ``count`` runs of each subject passed."""
    samples = watched(count=count, store_url=store_url, broker_url=broker_url)
    return (*summary(samples), *adding(store_url, broker_url))


def watched(*, count: int, store_url: str, broker_url: str) -> list[Sample]:
    """Weigh the processes of both subjects each second under the same load."""
    app = Celery("feeds", broker=broker_url, set_as_current=False)
    app.conf.task_default_queue = "ours"
    tickerq = TickerQ(app, store_url, namespace="load_app")
    tickerq.create_schema()
    with ExitStack() as stack:
        processes = {
            **stack.enter_context(running(PLAIN, {"BENCH_BROKER": broker_url})),
            **stack.enter_context(running(OURS, {"BENCH_BROKER": broker_url, "BENCH_STORE": store_url})),
        }
        feed(app, tickerq, 2 * RATE)
        time.sleep(WARM_SECONDS)
        began, samples = time.monotonic(), []
        for _ in range(count // RATE):
            feed(app, tickerq, RATE)
            seconds = time.monotonic() - began
            samples += [weighed(subject, part, seconds, pid) for (subject, part), pid in processes.items()]
            time.sleep(max(0.0, 1 - (time.monotonic() - began - seconds)))
    tickerq.close()
    return samples


def feed(app: Celery, tickerq: TickerQ, count: int) -> None:
    """Give both the same work: messages of plain tasks, and runs that beat finds due within a second."""
    feed_ours(tickerq, count)
    for number in range(count):
        app.send_task(PLAIN_TASK, (is_failing(number),), queue="plain")


def feed_ours(tickerq: TickerQ, count: int) -> None:
    """Add runs that are due in a second."""
    due = datetime.now(UTC) + timedelta(seconds=1)
    added = [
        TimeTicker(function=FUNCTION, request={"is_failing": is_failing(number)}, execution_time=due)
        for number in range(count)
    ]
    tickerq.time_tickers.add_batch(added, allow_unknown=True)


def is_failing(number: int) -> bool:
    """Return True for one of so many."""
    return number % ONE_FAILS_OF == 0


@contextmanager
def running(subject: str, environ: dict[str, str]) -> Iterator[dict[tuple[str, str], int]]:
    """Give the pids of a subject's beat, worker and one child of its pool, which are up."""
    queue = "ours" if subject == OURS else "plain"
    with tempfile.TemporaryDirectory() as folder:
        beat = celery("beat", "-s", f"{folder}/schedule", environ=environ)
        worker = celery("worker", "-c", "2", "-Q", queue, "-n", f"{queue}@%h", environ=environ)
        try:
            yield {(subject, "beat"): beat.pid, (subject, "worker"): worker.pid,
                   (subject, "child"): first_child(worker.pid)}  # fmt: skip
        finally:
            ended([beat, worker])


def first_child(pid: int) -> int:
    """Return the first child of a worker's pool, once there are two."""
    for _ in range(300):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if len(children) >= 2:
            return int(children[0])
        time.sleep(0.2)
    raise RuntimeError("the worker has no children after a minute")


def weighed(subject: str, part: str, seconds: float, pid: int) -> Sample:
    """Return what a process holds now."""
    lines = (line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    kilobytes = {words[0]: int(words[1]) for words in lines}
    unshared = kilobytes["Private_Clean:"] + kilobytes["Private_Dirty:"]
    return Sample(
        subject=subject,
        part=part,
        seconds=seconds,
        resident=kilobytes["Rss:"] / 1024,
        unshared=unshared / 1024,
    )


def summary(samples: Sequence[Sample]) -> Iterator[Measured]:
    """Yield of each process what it held first, at most, and how much that is more."""
    for subject in (PLAIN, OURS):
        for part in PARTS:
            own = [each.resident for each in samples if (each.subject, each.part) == (subject, part)]
            unshared = max(each.unshared for each in samples if (each.subject, each.part) == (subject, part))
            values = {"at the start": own[0], "at most": max(own), "growth": max(own) - own[0]}
            for quantity, value in {**values, "unshared, at most": unshared}.items():
                yield megabytes(subject, quantity, value, case=part)


def adding(store_url: str, broker_url: str) -> Iterator[Measured]:
    """Yield what a process holds that has the ORM, a driver and a broker, and adds one run or call."""
    for subject, program in ADDS.items():
        environ = {**os.environ, "BENCH_BROKER": broker_url}
        if subject == OURS:
            environ["BENCH_STORE"] = store_url
        # Weighed from here, since what weighs imports all of ours.
        code = f"url = {store_url!r}\n{program}\nprint('ready', flush=True)\ninput()"
        with subprocess.Popen(
            [sys.executable, "-c", code], cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            held = weighed(subject, "adds", 0.0, process.pid)
        yield megabytes(subject, "unshared", held.unshared, case="a process that only adds")


def megabytes(subject: str, quantity: str, value: float, *, case: str) -> Measured:
    """Return one weight."""
    return Measured(subject=subject, quantity=quantity, value=value, unit=Unit.MEGABYTES, case=case)


if __name__ == "__main__":
    minutes = float(os.environ.get("MINUTES", "2"))
    for found in measure(count=round(minutes * 60) * RATE, store_url=sys.argv[1], broker_url=sys.argv[2]):
        print(f"{found.case:26} {found.subject:15} {found.quantity:18} {found.value:7.1f} MB")
