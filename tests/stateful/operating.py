"""Rules of an operator: delete what is not active, end what a dead node has left, undo a skip."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import Row

from tests.stateful.actions import action
from tests.stateful.broker import Key
from tests.stateful.sight import LEASED
from tests.stateful.stage import Stage, which
from tests.stateful.world import LEASE_SECONDS
from tickerq_celery.enums import HoldReason, TickerStatus
from tickerq_celery.errors import TickerStateError


class Operating(Stage):
    """What operators do manually; what they may do shows in the rows, and they are refused the rest."""

    @action(1, lambda self: self.idle_apps() and self.deletable(), run=which)
    def delete_inactive(self, run: int) -> None:
        """An app deletes a run of either type with all that is below it, unless one of them is active."""
        self.look()
        app, world = self.idle_apps()[0], self.world
        chosen = self.pick(run, self.deletable())
        chain = [chosen.id, *world.sight.below(chosen.id)]
        is_active = any(world.sight.runs[each].status in LEASED for each in chain)
        refused = []

        def delete() -> None:
            try:
                app.runs.delete(chosen.id)
            except TickerStateError as error:
                refused.append(error)
            else:
                for each in chain:
                    world.let_go(each)

        self.act(app.process, delete)
        world.say(f"{world.label(chosen.id)} is deleted unless active{' in vain' if refused else ''}")
        assert bool(refused) == is_active
        self.look()
        if not refused and chosen.active_key == f"cron:{chosen.cron_ticker_id}":
            self._has_passed_its_lock_on(chosen)

    @action(
        2,
        lambda self: self.idle_apps() and self.in_progress(),
        run=which,
        verb=st.sampled_from(["release", "mark_failed"]),
    )
    def end_lost(self, run: int, verb: str) -> None:
        """An app lets a run start again, or fails it, whose node is dead by the database's clock."""
        self.look()
        app, world = self.idle_apps()[0], self.world
        chosen = self.pick(run, self.in_progress())
        node = world.sight.nodes.get(chosen.running_on)
        is_dead = node is None or (world.clock.now() - node.seen_at).total_seconds() >= LEASE_SECONDS
        refused = []
        if is_dead:
            self._note_word(chosen)

        def end() -> None:
            try:
                getattr(app.runs, verb)(chosen.id)
            except TickerStateError as error:
                refused.append(error)

        self.act(app.process, end)
        world.say(f"{verb} of {world.label(chosen.id)}{' in vain' if refused else ''}")
        assert bool(refused) == (not is_dead)
        self.look()
        row = world.sight.runs[chosen.id]
        if is_dead:
            is_left = (row.status, row.claim_no) == (TickerStatus.IN_PROGRESS, chosen.claim_no)
            assert not is_left, f"{verb} in vain: {world.shown(row)}"

    @action(1, lambda self: self.idle_apps() and self.world.sight.crons, cron=which)
    def unskip(self, cron: int) -> None:
        """An app undoes the latest skip of a cron ticker whose instant is to come."""
        self.look()
        app, world = self.idle_apps()[0], self.world
        cron_id = self.pick(cron, list(world.sight.crons))
        life = world.crons[cron_id]
        skips = [each for each in self._skips_to_come() if each.cron_ticker_id == cron_id]
        latest = max(skips, key=lambda each: each.instant, default=None)
        if latest is not None and life.has_fired_after(latest.instant):
            # By a clock that was set back since: those after it come again, and stay as they are.
            return
        refused = []

        def undo() -> None:
            try:
                app.cron_tickers.unskip_next(cron_id)
            except TickerStateError as error:
                refused.append(error)

        if latest is not None and not life.fires_no_more:
            world.let_go(latest.id)
            if not life.is_being_deleted:
                life.comes_back(latest.instant)
        self.act(app.process, undo)
        world.say(f"a skip of {world.label(cron_id)} is undone{' in vain' if refused else ''}")
        assert bool(refused) == (latest is None or life.fires_no_more)

    def deletable(self) -> Sequence[Row[Any]]:
        """All runs, but for the skips that are to come: a later edit may bring their instants back."""
        to_come = {each.id for each in self._skips_to_come()}
        return [run for run in self.world.sight.runs.values() if run.id not in to_come]

    def in_progress(self) -> Sequence[Row[Any]]:
        """The runs that some node executes, or did when it died."""
        runs = self.world.sight.runs.values()
        return [run for run in runs if run.status is TickerStatus.IN_PROGRESS]

    def _skips_to_come(self) -> Sequence[Row[Any]]:
        now = self.world.clock.now()
        return [
            run
            for run in self.world.sight.runs.values()
            if str(run.skipped_reason).startswith("Skipped on request")
            and run.status is TickerStatus.SKIPPED
            and run.instant > now
        ]

    def _note_word(self, run: Row[Any]) -> None:
        """Know that an attempt ends at an operator's word; a clock that was set may have misled that."""
        self.world.at_a_word.add(Key(run.id, run.claim_no))
        for worker in self.world.workers:
            for body in worker.bodies:
                if body.message.key == Key(run.id, run.claim_no):
                    body.is_doubted = True

    def _has_passed_its_lock_on(self, run: Row[Any]) -> None:
        runs = [each for each in self.world.sight.runs.values() if each.cron_ticker_id == run.cron_ticker_id]
        waiting = [each for each in runs if each.held_for == HoldReason.OVERLAP]
        holders = [each for each in runs if each.active_key == run.active_key]
        assert holders or not waiting, f"its lock was not passed on: {self.world.shown(waiting[0])}"
