"""One application of a test: real workers and beats of ``job_app``, and what they left behind."""

import json
import os
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from celery import Celery
from sqlalchemy import ColumnElement, and_, func, select

from tests.acceptance.processes import CELERY, ROOT, CeleryProcess, launch_python
from tests.acceptance.waiting import WAIT_SECONDS, wait_until
from tests.inner import failpoints
from tests.tables import nodes, tickers
from tickerq_celery import Run, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.enums import SUCCEEDED
from tickerq_celery.store.nodes.nodes import list_nodes

# Short, so that what is lost is found within seconds.
SETTINGS: Mapping[str, object] = {
    "poll_interval": 0.3,
    "heartbeat": 0.5,
    "lease": 2.0,
    "publish_check": 1.5,
    "late_after": 30,
}
# They replace Python's locks and sockets before anything else is imported, so no warm process can start them.
PATCHING_POOLS = ("gevent", "eventlet")
# Published or not, of what is Queued.
STAMPED = and_(tickers.c.status == TickerStatus.QUEUED, tickers.c.published_at.is_not(None))
UNSTAMPED = and_(tickers.c.status == TickerStatus.QUEUED, tickers.c.published_at.is_(None))
T = TypeVar("T")


class Jobs:
    """One application of a test: its store, its broker, its processes, and a TickerQ to add with."""

    def __init__(
        self, folder: Path, *, store_url: str, broker_url: str, namespace: str, **settings: object
    ) -> None:
        self.folder = folder
        self.namespace = namespace
        self.launch: Callable[..., Any] = launch_python
        self._urls = {"JOB_STORE_URL": store_url, "JOB_BROKER_URL": broker_url}
        self._settings = {"namespace": namespace, **SETTINGS, **settings}
        self._notes = folder / "notes.txt"
        self._processes: list[CeleryProcess] = []
        self.tickerq = TickerQ(
            Celery("tests", broker=broker_url, set_as_current=False), store_url, **self._settings
        )
        self.know("job_app.work")

    def know(self, task: str) -> None:
        """Have a task of this name in this process: calls of others would wait for a beat."""

        def body(way: str = "returns", seconds: float = 0) -> None: ...

        self.tickerq.app.task(body, name=task, shared=False)

    def close(self) -> None:
        """End whatever still runs, and let go of the store and the broker."""
        for process in self._processes:
            process.kill()
        self.tickerq.close()

    def worker(
        self, *arguments: str, pool: str = "prefork", concurrency: int = 2, ready: bool = True, **options: Any
    ) -> CeleryProcess:
        """Start a worker, and return once it takes messages and the store knows it."""
        before = self.node_names("worker") if ready else set()
        if pool in PATCHING_POOLS:
            options["launch"] = launch_python
        process = self._start(
            "worker", "--pool", pool, "--concurrency", str(concurrency), "-n", f"w{len(self._processes)}@%h",
            "--without-mingle",  # it waits a second for what other workers have to say of revoked tasks
            *arguments, **options,
        )  # fmt: skip
        if ready:
            process.wait_for(" ready.")
            wait_until(lambda: self.node_names("worker") - before, lambda: f"a node row:\n{process.log}")
        return process

    def beat(self, *arguments: str, ready: bool = True, **options: Any) -> CeleryProcess:
        """Start a beat, and return once it has begun to tick."""
        process = self._start("beat", *arguments, **options)
        if ready:
            process.wait_for("beat: Starting...")
        return process

    def command(self, *arguments: str, **options: Any) -> tuple[int, str]:
        """Run a command of ``celery -A … tickerq``, and return its exit code and what it printed."""
        process = self.start_command(*arguments, **options)
        return process.wait(), process.log

    def start_command(self, *arguments: str, **options: Any) -> CeleryProcess:
        """Start such a command, and do not wait for it."""
        return self._start("tickerq", *arguments, options=(), **options)

    def script(self, module: str, **options: Any) -> CeleryProcess:
        """Start a module that works with ``job_app`` as an application's own process would."""
        return self._start(module.rpartition(".")[2], program=(module,), **options)

    def _start(
        self,
        command: str,
        *arguments: str,
        program: Sequence[str] = CELERY,
        options: Sequence[str] = ("--loglevel", "info"),
        functions: str = "all",
        settings: Mapping[str, object] | None = None,
        celery: Mapping[str, object] | None = None,
        failpoint: str = "",
        environ: Mapping[str, str] | None = None,
        launch: Callable[..., Any] | None = None,
    ) -> CeleryProcess:
        process = CeleryProcess(
            f"{command}{len(self._processes)}",
            (command, *options, *arguments),
            program=program,
            launch=launch or self.launch,
            folder=self.folder,
            environ={
                **self._urls,
                "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
                "PYTHONUNBUFFERED": "1",
                "JOB_NOTES": str(self._notes),
                "JOB_FUNCTIONS": functions,
                "JOB_TICKERQ": json.dumps({**self._settings, **(settings or {})}),
                "JOB_CELERY": json.dumps(celery or {}),
                failpoints.VARIABLE: failpoint,
                **(environ or {}),
            },
        )
        self._processes.append(process)
        return process

    def add(self, function: str, request: object = None, **options: Any) -> UUID:
        """Store a time ticker, also where no worker knows its function yet."""
        ticker = TimeTicker(function=function, request=request, **options)
        return self.tickerq.time_tickers.add(ticker, allow_unknown=True).id

    def add_many(self, count: int, *, function: str = "Plain", **options: Any) -> list[UUID]:
        """Store many time tickers in one transaction, also where no worker knows their function yet."""
        batch = [TimeTicker(function=function, **options) for _ in range(count)]
        return [run.id for run in self.tickerq.time_tickers.add_batch(batch, allow_unknown=True)]

    def run(self, run_id: UUID) -> Run:
        """Return a run with its attempts."""
        return self.tickerq.runs.get(run_id)

    def wait_for_status(self, run_id: UUID, *wanted: TickerStatus, seconds: float = WAIT_SECONDS) -> Run:
        """Return the run once it has one of these statuses."""
        statuses = wanted or tuple(SUCCEEDED)
        wait_until(
            lambda: self.run(run_id).status in statuses,
            lambda: f"{wanted} of {self.run(run_id)}\n{self.logs()}",
            seconds,
        )
        return self.run(run_id)

    def wait_for_all(self, run_ids: Collection[UUID], seconds: float = WAIT_SECONDS) -> None:
        """Return once all of these runs have succeeded."""
        succeeded = tickers.c.status.in_(SUCCEEDED)

        def rest() -> int:
            done = sum(self.count(succeeded, tickers.c.id.in_(part)) for part in batched(list(run_ids), 400))
            return len(run_ids) - done

        wait_until(lambda: rest() == 0, lambda: f"{rest()} runs left\n{self.logs()}", seconds)

    def count(self, *conditions: ColumnElement[bool]) -> int:
        """Return how many runs of this application meet these conditions."""
        statement = select(func.count()).where(tickers.c.namespace == self.namespace, *conditions)
        found = self.tickerq.core.database.read(lambda connection: connection.scalar(statement))
        return int(found or 0)

    def node_names(self, kind: str) -> set[str]:
        """Return the names of the beats or workers that the store knows."""
        statement = select(nodes.c.name).where(nodes.c.namespace == self.namespace, nodes.c.kind == kind)
        return set(self.tickerq.core.database.read(lambda connection: connection.scalars(statement).all()))

    def takes_runs(self) -> bool:
        """Return True if the store knows a worker that takes runs."""
        return any(node.takes_runs for node in self.tickerq.core.read(list_nodes))

    def notes(self, word: str = "") -> list[str]:
        """Return what the functions noted, or only the lines that begin with a word."""
        lines = self._notes.read_text().splitlines() if self._notes.exists() else []
        return [line for line in lines if line.startswith(word)]

    def wait_for_note(self, text: str) -> None:
        """Return once a function has noted this."""
        wait_until(lambda: text in self.notes(), lambda: f"{text!r} in {self.notes()}\n{self.logs()}")

    def starts(self) -> Counter[str]:
        """Return how often each run of ``Plain`` was started."""
        return Counter(line.split()[1] for line in self.notes("ran "))

    def logs(self) -> str:
        """Return the logs of all processes."""
        return "\n".join(f"--- {each.name}\n{each.log[-6000:]}" for each in self._processes)


def batched(items: list[T], size: int) -> list[list[T]]:
    """Return the items in lists of at most this size: a statement takes only so many parameters."""
    return [items[first : first + size] for first in range(0, len(items), size)]


def due_in(seconds: float) -> datetime:
    """Return an execution time that leaves the dispatch to beat."""
    return datetime.now(UTC) + timedelta(seconds=seconds)
