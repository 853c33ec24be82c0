"""Random lives of chains, cron tickers and backfills, pruned again and again, against a simple model.

The model reads all rows before a round, and says which must go: the chains of which each run has ended and is
past its own time. It also knows which instants ever had an occurrence: none may have a second one.
"""

import random
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.inner import Core, failed, succeeded
from tests.integration.conftest import send
from tests.integration.cron.firing import fire
from tests.integration.making import (
    all_rows,
    claim,
    cron_row_of,
    crons,
    enrolled,
    failure,
    finish,
    make_cron,
    runs,
    start,
    time_tickers,
)
from tests.integration.pruning import prune, round_of
from tests.manual_clock import ManualClock
from tests.thoroughness import in_verify
from tickerq_celery import RunCondition, TimeTicker
from tickerq_celery.enums import RETRIABLE
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.runs.pruner import Pruner

MakeCore = Callable[..., Core]
NAMES = ("Send", "Bill", "Keep")
HOUR = timedelta(hours=1)
TIMES = {
    "done": timedelta(hours=5),
    "due_done": timedelta(hours=5),
    "failed": timedelta(hours=9),
    "cancelled": timedelta(hours=7),
    "skipped": timedelta(hours=3),
    "functions": {"Bill": {"done": 2 * HOUR, "failed": HOUR}, "Keep": {"failed": None}},
}
STEPS = 60


class Walk:
    """One random life of a store, and what the model knows of it."""

    def __init__(self, core: Core, clock: ManualClock, seed: int) -> None:
        self.core, self.clock, self.random = core, clock, random.Random(seed)
        self.begin = clock.now()
        self.crons = [make_cron(core, "0 * * * *", name) for name in NAMES]
        self.instants: dict[tuple[UUID, datetime], UUID] = {}
        self.pruners = [Pruner(core, None) for _ in range(2)]
        self.pruned = 0

    def step(self) -> None:
        """Do something, and see that no instant has got a second occurrence."""
        actions = (self.add, self.add, self.work, self.work, self.cancel, self.retry, self.backfill)
        self.random.choice((*actions, self.pass_time, self.pass_time, self.prune))()
        for row in all_rows(self.core):
            if row.instant is not None:
                assert self.instants.setdefault((row.cron_ticker_id, row.instant), row.id) == row.id

    def add(self) -> None:
        time_tickers(self.core).add(self._chain(self.random.randint(0, 3)), allow_unknown=True)

    def _chain(self, depth: int, **fields: RunCondition) -> TimeTicker:
        count = self.random.randint(0, 2) if depth else 0
        conditions = self.random.choices(list(RunCondition), k=count)
        children = [self._chain(depth - 1, run_condition=each) for each in conditions]
        return TimeTicker(self.random.choice(NAMES), children=children, **fields)

    def work(self) -> None:
        """Let some of what is due run, and end."""
        fire(self.core)
        due = [row.id for row in all_rows(self.core) if row.due_at and row.due_at <= self.clock.now()]
        for claimed in claim(self.core, self.random.sample(due, min(len(due), 6))):
            run = start(self.core, claimed)
            assert run is not None
            outcomes = (succeeded(run.standing), failed(run.standing, failure()))
            assert finish(self.core, run, self.random.choice(outcomes))

    def cancel(self) -> None:
        if waiting := [row.id for row in all_rows(self.core) if row.ended_at is None]:
            runs(self.core).cancel(self.random.choice(waiting))

    def retry(self) -> None:
        retriable = [row for row in all_rows(self.core) if row.status in RETRIABLE and row.claim_no]
        if retriable:
            runs(self.core).retry(self.random.choice(retriable).id)

    def backfill(self) -> None:
        cron_id = self.random.choice(self.crons)
        first = self.clock.now().replace(minute=0) - HOUR * self.random.randint(3, 30)
        mark = cron_row_of(self.core, cron_id).pruned_until
        is_refused = mark is not None and first <= mark
        with pytest.raises(TickerValidationError) if is_refused else nullcontext():
            crons(self.core).backfill(cron_id, first, first + 3 * HOUR, per_minute=6_000)

    def pass_time(self) -> None:
        self.clock.advance(minutes=self.random.randint(1, 200))

    def prune(self) -> None:
        self.prune_with(self.random.choice(self.pruners))

    def prune_with(self, pruner: Pruner) -> None:
        before = all_rows(self.core)
        marks = {each: cron_row_of(self.core, each).pruned_until for each in self.crons}
        gone = self._must_go(before)
        assert round_of(pruner) == len(gone)
        assert {row.id for row in all_rows(self.core)} == {row.id for row in before} - gone
        self.pruned += len(gone)
        for cron_id, mark in marks.items():
            instants = [
                row.instant
                for row in before
                if row.id in gone and row.cron_ticker_id == cron_id and row.instant is not None
            ]
            latest = max([*instants, *([] if mark is None else [mark])], default=None)
            assert cron_row_of(self.core, cron_id).pruned_until == latest

    def _must_go(self, rows: list[Any]) -> set[UUID]:
        parents = {row.id: row.parent_id for row in rows}

        def head(each: UUID) -> UUID:
            return each if parents[each] is None else head(parents[each])

        staying = {head(row.id) for row in rows if not self._is_past(row)}
        return {row.id for row in rows if head(row.id) not in staying}

    def _is_past(self, row: Any) -> bool:
        if row.ended_at is None:
            return False
        name = row.status.name.lower()
        after = {**TIMES, **TIMES["functions"].get(row.function, {})}[name]
        return after is not None and row.ended_at < self.clock.now() - after


@pytest.mark.parametrize("seed", [1, *map(in_verify, range(2, 12))])
def test_what_goes_is_what_a_simple_model_says(make_core: MakeCore, clock: ManualClock, seed: int) -> None:
    core = enrolled(make_core(*map(send, NAMES), retention=TIMES))
    walk = Walk(core, clock, seed)
    for _ in range(STEPS):
        walk.step()
    clock.advance(hours=10)
    walk.prune_with(walk.pruners[0])
    assert walk.pruned > 20
    assert prune(core) == 0
