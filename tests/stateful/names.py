"""Short names for what the rows stand for, the same in every repetition of an example."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row

from tests.stateful.sight import Sight

_WORTH_READING = (
    "function", "status", "claim_no", "due_at", "concurrency_key", "held_for", "cancel_request", "check_at",
    "running_on", "executions", "publish_count", "on_lost",
    "retries", "retry_count", "rescue_count", "ended_at", "exception_type", "skipped_reason", "run_condition",
)  # fmt: skip


class Names:
    """Numbers runs and cron tickers in the order in which they come."""

    def __init__(self) -> None:
        self._labels: dict[UUID, str] = {}
        self._counts = {"cron": 0, "run": 0}

    def label(self, some_id: UUID) -> str:
        """Return a short name."""
        return self._labels.get(some_id, "new")

    def name(self, kind: str, some_id: UUID) -> None:
        """Give the next name of a kind: "cron" or "run"."""
        self._counts[kind] += 1
        self._labels[some_id] = f"{kind} {self._counts[kind]}"

    def shown(self, sight: Sight, run: Row[Any]) -> str:
        """Return what is worth reading of a run's row and its attempts."""
        values = {name: getattr(run, name) for name in _WORTH_READING}
        shown = ", ".join(f"{name}={value}" for name, value in values.items() if value is not None)
        made = [(each.claim_no, each.status.name, each.exception_type) for each in sight.attempts_of(run.id)]
        return f"{self.label(run.id)} ({shown}, attempts={made})"
