"""A random history of actions, each submitted twice, equals its audit: replayed, it gives what is stored."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from tests.inner import new_id
from tests.manual_clock import ManualClock
from tests.thoroughness import in_verify
from tickerq_celery import CronTicker, TickerQ, TimeTicker
from tickerq_celery.enums import AuditOutcome, TickerStatus
from tickerq_celery.errors import TickerError
from tickerq_celery.managers.changes import shown
from tickerq_celery.typing import Managers
from tickerq_celery.views import Actor, AuditEntry

NAMES = ("ana", "ben", "cleo")
FAR = timedelta(days=30)
STEPS = 40
# What an actor changes here, and what the replay compares.
OF_A_RUN = ("status", "retries", "description")
OF_A_CRON = ("is_enabled", "paused_by", "paused_reason", "retries", "next_run_at", "time_zone")
Submit = Callable[[Managers], object]


@dataclass
class World:
    """What a replay knows: the objects that there are, each with what the audit says of its fields."""

    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    crons: dict[str, dict[str, Any]] = field(default_factory=dict)
    pauses: dict[tuple[str, str | None], Any] = field(default_factory=dict)

    def apply(self, entry: AuditEntry) -> None:
        """Do again what an entry says was done."""
        objects = self.crons if entry.object_kind == "cron_ticker" else self.runs
        verb = entry.action.partition(".")[2]
        if entry.action.startswith("pauses."):
            key = (entry.object_kind, entry.object_id)
            if verb == "pause":
                assert key not in self.pauses
                self.pauses[key] = entry.after
            else:
                assert self.pauses.pop(key) == entry.before
        elif verb in ("add", "run_now") and entry.action != "time_tickers.run_now":
            made = self.crons if entry.action == "cron_tickers.add" else self.runs
            for each in entry.ids:
                assert str(each) not in made
                made[str(each)] = {}
        elif verb == "delete":
            for each in entry.ids:
                del objects[str(each)]
        else:
            self._change(objects, entry)

    def _change(self, objects: dict[str, dict[str, Any]], entry: AuditEntry) -> None:
        (only,) = entry.ids
        known = objects[str(only)]
        for name, value in entry.before.items():
            # Each entry begins where the one before it ended: none is missing, and none is there twice.
            assert known.get(name, value) == value, (entry, name)
        known.update(entry.after)


class History:
    """Actions on a store, chosen at random."""

    def __init__(self, tickerq: TickerQ, clock: ManualClock, seed: int) -> None:
        self.tickerq = tickerq
        self.clock = clock
        self.random = random.Random(seed)
        self.runs: list[Any] = []
        self.crons: list[Any] = []
        self.done = 0
        self.refused = 0

    def step(self) -> None:
        """Submit one action twice, at once or one after the other."""
        self.clock.advance(seconds=self.random.choice([1, 61]))
        act = self._action()
        acting = self.tickerq.acting_as(Actor(self.random.choice(NAMES), operation_id=new_id()))
        if self.random.random() < 0.4:
            with ThreadPoolExecutor(2) as pool:
                outcomes = list(pool.map(lambda _: self._submitted(act, acting), range(2)))
        else:
            outcomes = [self._submitted(act, acting) for _ in range(2)]
        assert outcomes[0] == outcomes[1]
        if outcomes[0][0] == "refused":
            self.refused += 2
        else:
            self.done += 1

    def _submitted(self, act: Submit, acting: Managers) -> tuple[str, object]:
        try:
            result = act(acting)
        except TickerError as error:
            return ("refused", type(error))
        return ("done", getattr(result, "id", None))

    def _action(self) -> Submit:
        choices = [self._add_run, self._add_cron, self._pause_more]
        if self.runs:
            choices += [self._change_run] * 4
        if self.crons:
            choices += [self._change_cron] * 4
        return self.random.choice(choices)()

    def _add_run(self) -> Submit:
        def act(acting: Managers) -> object:
            run = acting.time_tickers.add(TimeTicker("Send", delay=FAR))
            self.runs.append(run.id)
            return run

        return act

    def _add_cron(self) -> Submit:
        def act(acting: Managers) -> object:
            cron = acting.cron_tickers.add(CronTicker("Send", expression="0 9 1 1 *"))
            self.crons.append(cron.id)
            return cron

        return act

    def _change_run(self) -> Submit:
        which, number = self.random.choice(self.runs), self.random.randrange(1000)
        return self.random.choice(
            [
                lambda acting: acting.runs.cancel(which, reason="why"),
                lambda acting: acting.runs.cancel(which),
                lambda acting: acting.time_tickers.update(which, retries=number, description=f"{number}"),
                lambda acting: acting.time_tickers.delete(which),
            ]
        )

    def _change_cron(self) -> Submit:
        which, number = self.random.choice(self.crons), self.random.randrange(1000)
        return self.random.choice(
            [
                lambda acting: acting.cron_tickers.pause(which, reason=f"{number}"),
                lambda acting: acting.cron_tickers.resume(which),
                lambda acting: acting.cron_tickers.skip_next(which),
                lambda acting: acting.cron_tickers.update(which, retries=number),
                lambda acting: acting.cron_tickers.update(which, time_zone="Asia/Tokyo"),
                lambda acting: acting.cron_tickers.delete(which),
            ]
        )

    def _pause_more(self) -> Submit:
        tag = self.random.choice(["red", "blue"])
        return self.random.choice(
            [
                lambda acting: acting.pauses.pause(tag=tag, reason="why"),
                lambda acting: acting.pauses.resume(tag=tag),
            ]
        )


@pytest.mark.parametrize("seed", [1, *(in_verify(seed) for seed in range(2, 8))])
def test_a_history_of_actions_equals_its_audit(tickerq: TickerQ, clock: ManualClock, seed: int) -> None:
    history = History(tickerq, clock, seed)
    for _ in range(STEPS):
        history.step()
    entries = list(tickerq.audit.iterate())[::-1]
    done = [each for each in entries if each.outcome is AuditOutcome.DONE]
    refused = [each for each in entries if each.outcome is AuditOutcome.REFUSED]
    assert sum(each.outcome is not AuditOutcome.REFUSED for each in entries) == history.done
    assert sum(each.count for each in refused) == history.refused
    world = World()
    for entry in done:
        world.apply(entry)
    assert_equals(world, tickerq)


def assert_equals(world: World, tickerq: TickerQ) -> None:
    runs = {str(run.id): run for run in tickerq.runs.iterate() if run.status is not TickerStatus.SKIPPED}
    crons = {str(cron.id): cron for cron in tickerq.cron_tickers.iterate()}
    assert (world.runs.keys(), world.crons.keys()) == (runs.keys(), crons.keys())
    for known, stored, names in ((world.runs, runs, OF_A_RUN), (world.crons, crons, OF_A_CRON)):
        for each, facts in known.items():
            for name in facts.keys() & set(names):
                assert facts[name] == shown(getattr(stored[each], name)), (each, name)
    stored_pauses = {(pause.kind.value, pause.name) for pause in tickerq.pauses.find()}
    assert set(world.pauses) == stored_pauses
