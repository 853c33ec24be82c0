"""What the store holds at one moment: all rows of one namespace."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select

from tests.inner import Slot, slot_of
from tests.stateful.bodies import TASK
from tests.tables import attempts, cron_tickers, nodes, pauses, tickers
from tickerq_celery.enums import HoldReason, NodeKind, TickerStatus

_OF_A_RUN = (
    "id", "kind", "function", "on_lost", "executions", "queue", "status", "claim_no", "due_at", "not_before",
    "held_for", "hold_key", "held_since", "check_at", "cancel_request", "published_at", "publish_count",
    "running_on", "lock_holder", "started_at", "ended_on", "is_late", "unique_key", "retries", "retry_count",
    "rescue_count", "exception_type", "skipped_reason", "cron_ticker_id", "instant", "ended_at",
    "ended_status", "parent_id", "has_children", "run_condition", "concurrency_key", "active_key",
)  # fmt: skip
_OF_A_NODE = ("id", "kind", "functions", "counter", "seen_at")
_OF_A_CRON = ("id", "is_enabled", "next_run_at", "resume_from", "overlap")
_OF_AN_ATTEMPT = ("ticker_id", "claim_no", "retries", "number", "status", "exception_type")
_COLUMNS = {tickers: _OF_A_RUN, cron_tickers: _OF_A_CRON, nodes: _OF_A_NODE}
Rows = Mapping[UUID, Row[Any]]
LEASED = frozenset({TickerStatus.QUEUED, TickerStatus.IN_PROGRESS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """The rows by their ids, of each what matters here; attempts by their run's, the oldest first.

    ``is_paused`` says that everything is.
    """

    runs: Rows = field(default_factory=dict)
    attempts: Mapping[UUID, Sequence[Row[Any]]] = field(default_factory=dict)
    crons: Rows = field(default_factory=dict)
    nodes: Rows = field(default_factory=dict)
    is_paused: bool = False

    @property
    def known_functions(self) -> set[str]:
        """The functions that some worker's row names."""
        workers = [row for row in self.nodes.values() if row.kind == NodeKind.WORKER]
        return {name for row in workers for name in row.functions}

    @property
    def workers(self) -> set[UUID]:
        """The workers that have a row: they may report what becomes of a call."""
        return {row.id for row in self.nodes.values() if row.kind == NodeKind.WORKER}

    def attempts_of(self, run_id: UUID) -> Sequence[Row[Any]]:
        """The attempts of a run, the oldest first."""
        return self.attempts.get(run_id, ())

    def leased(self, function: str) -> int:
        """How many runs of a function are Queued or InProgress."""
        return len([row for row in self.runs.values() if row.function == function and row.status in LEASED])

    def leased_of(self, slot: Slot | None) -> int:
        """How many runs of a function with one concurrency key are Queued or InProgress."""
        leased = [row for row in self.runs.values() if row.status in LEASED]
        return len([row for row in leased if slot_of(row.function, row.concurrency_key) == slot])

    def queued(self, queue: str | None) -> int:
        """How many runs of a queue are published and not started; a call of Celery's may wait elsewhere."""
        queued = [row for row in self.runs.values() if row.status is TickerStatus.QUEUED]
        waiting = [row for row in queued if row.function != TASK]
        return len([row for row in waiting if row.queue == queue])

    def below(self, run_id: UUID) -> list[UUID]:
        """All descendants of a run."""
        children = [row.id for row in self.runs.values() if row.parent_id == run_id]
        return [*children, *(each for child in children for each in self.below(child))]

    def due(self) -> list[Row[Any]]:
        """The runs that a claim may take now or later."""
        return [row for row in self.runs.values() if row.due_at is not None]

    def held(self, reason: HoldReason, key: str | None = None) -> list[Row[Any]]:
        """The runs that are held for a reason, under one key or any."""
        found = [row for row in self.runs.values() if row.held_for == reason]
        return [row for row in found if key is None or row.hold_key == key]


def see(connection: Connection, namespace: str) -> Sight:
    """Read all rows of a namespace."""
    columns = [attempts.c[name] for name in _OF_AN_ATTEMPT]
    made = select(*columns).join(tickers, tickers.c.id == attempts.c.ticker_id)
    by_run: dict[UUID, list[Row[Any]]] = {}
    for row in connection.execute(
        made.where(tickers.c.namespace == namespace).order_by(attempts.c.ticker_id, attempts.c.claim_no)
    ):
        by_run.setdefault(row.ticker_id, []).append(row)
    found = []
    for table, names in _COLUMNS.items():
        statement = select(*(table.c[name] for name in names)).where(table.c.namespace == namespace)
        found.append({row.id: row for row in connection.execute(statement.order_by(table.c.id))})
    is_paused = connection.scalar(select(pauses.c.name).where(pauses.c.namespace == namespace)) is not None
    return Sight(runs=found[0], crons=found[1], nodes=found[2], attempts=by_run, is_paused=is_paused)
