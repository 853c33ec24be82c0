"""The shop's processes, with the line that makes it durable or without, and which bodies they executed."""

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from tests.acceptance.jobs import Jobs
from tests.acceptance.processes import CeleryProcess
from tests.acceptance.waiting import wait_until
from tickerq_celery import Run

CELERY = ("celery", "-A", "tests.compat.shop_app")
CALLS = ("tests.compat.calls",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of a task, by ``tickerq.schedule`` or as Celery's own."""

    name: str
    task: str
    args: tuple[object, ...] = ()
    way: str = "schedule"
    options: Mapping[str, object] = field(default_factory=dict)


class Shop(Jobs):
    """An application of plain Celery tasks; unless ``is_durable`` its processes have no TickerQ."""

    def __init__(
        self,
        *arguments: Any,
        is_durable: bool = True,
        celery: Mapping[str, object] | None = None,
        environ: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(*arguments, **more)
        self.is_durable = is_durable
        # A given RabbitMQ has one virtual host for all tests.
        self._celery = {"task_default_queue": self.namespace, **(celery or {})}
        self._environ = environ or {}

    def worker(self, *arguments: str, is_durable: bool | None = None, **options: Any) -> CeleryProcess:
        """Start a worker, and return once it takes messages, with a TickerQ or without."""
        durable = self.is_durable if is_durable is None else is_durable
        process = super().worker(*arguments, ready=durable, is_durable=durable, **options)
        process.wait_for(" ready.")
        return process

    def call(self, *calls: Call) -> dict[str, str]:
        """Let the web process make these calls, and return the ids by the calls' names."""
        made = json.dumps([asdict(call) for call in calls])
        process = self._start("calls", program=CALLS, environ={"SHOP_CALLS": made})
        assert process.wait() == 0, process.log
        return dict(json.loads(process.log.splitlines()[-1]))

    def executions(self, task: str = "") -> Counter[str]:
        """Return how often the bodies were begun, by task id, or only those of one task."""
        return Counter(line.split()[1] for line in self.notes(task))

    def orders(self) -> Counter[str]:
        """Return how often the body was begun for each order."""
        return Counter(line.split()[3] for line in self.notes() if len(line.split()) > 3)

    def wait_for_orders(self, names: Collection[str], times: int = 1) -> None:
        """Return once the body was begun at least so often for each of these orders."""
        wait_until(
            lambda: all(self.orders()[name] >= times for name in names),
            lambda: f"{times} of {names}: {self.notes()}\n{self.logs()}",
        )

    def wait_for_end(self, run_id: UUID | str, *, attempts: int = 1) -> Run:
        """Return a run once it has ended, and was reported to have been executed so often."""

        def ended() -> bool:
            run = self.run(run_id)
            return run.ended_at is not None and len(run.attempts) >= attempts

        wait_until(ended, lambda: f"{attempts} attempts of {self.run(run_id)}\n{self.logs()}")
        return self.run(run_id)

    def wait_for_task(self, task_id: str) -> Run:
        """Return the run of a task's id once it has ended."""
        [run] = self.tickerq.runs.find(task_id=task_id)
        return self.wait_for_end(run.id)

    def _start(
        self,
        command: str,
        *arguments: str,
        is_durable: bool | None = None,
        environ: Mapping[str, str] | None = None,
        **options: Any,
    ) -> CeleryProcess:
        durable = self.is_durable if is_durable is None else is_durable
        without = {} if durable else {"JOB_STORE_URL": ""}
        options = {"program": CELERY, "celery": self._celery, **options}
        return super()._start(
            command, *arguments, environ={**self._environ, **without, **(environ or {})}, **options
        )
