"""The end of every example: all faults stop, and every run must come to its end."""

from datetime import timedelta

from tests.stateful import promises
from tests.stateful.backlogs import Backlogs
from tests.stateful.bodies import End
from tests.stateful.broker import Key, Message
from tests.stateful.calls import CallEnd, is_call
from tests.stateful.cron_lives import FAR_EXPRESSION
from tests.stateful.silences import LOOKS_FOR_A_LEASE
from tests.stateful.world import LOOK_SECONDS
from tickerq_celery.enums import TERMINAL, TickerStatus
from tickerq_celery.store.runs.publications import NEVER

_ROUNDS = 40


class Calm(Backlogs):
    """Drives the system on when nothing goes wrong any more."""

    def settle(self) -> None:
        """Let every run end, or say which does not."""
        self._stop_all_faults()
        for number in range(_ROUNDS):
            self._do_all_there_is()
            if self._has_ended():
                return
            # The dead are found by looks that come often enough; then the clock may jump to what is next.
            self.pass_time(LOOK_SECONDS if number < LOOKS_FOR_A_LEASE else self._seconds_to_next())
        stuck = [
            self.world.shown(run) for run in self.world.sight.runs.values() if run.status not in TERMINAL
        ]
        raise AssertionError(f"stuck for ever: {stuck}")

    def _has_ended(self) -> bool:
        return all(run.status in TERMINAL for run in self.world.sight.runs.values())

    def _stop_all_faults(self) -> None:
        for process in self.stopped():
            self.go_on_with(process)
            self.look()
        for worker in list(self.world.workers):
            if worker.is_silent or not worker.knows_all:
                self.end_worker(worker, is_returned=False)
        if not self.world.workers:
            self.hire_worker(is_full=True)
        self._end_crons()
        self._find_lost_calls()

    def _end_crons(self) -> None:
        crons = self.world.apps[0].cron_tickers
        if self.world.sight.is_paused:
            self.world.apps[0].pauses.resume(everything=True)
            self.look()
        for cron_id in self.world.sight.crons:
            crons.resume(cron_id)
            self.look()
        self.world.beats[0].fire()
        self.look()
        for cron_id in self.world.sight.crons:
            self.world.crons[cron_id].fires_no_more = True
            crons.update(cron_id, expression=FAR_EXPRESSION)
            self.look()
            promises.after_an_edit(self.world, cron_id)

    def _find_lost_calls(self) -> None:
        """Let the broker deliver those calls again whose children wait for a report, as none else does."""
        for run in self.world.sight.runs.values():
            is_awaited = is_call(run) and run.status is TickerStatus.QUEUED and run.published_at is not None
            if is_awaited and run.has_children:
                message = Message(Key(run.id, run.claim_no), run.function, run.retry_count)
                self.world.broker.take(message)

    def _do_all_there_is(self) -> None:
        beat = self.world.beats[0]
        self.sweep(beat)
        while not beat.swept_all:
            self.sweep(beat)
        beat.dispatch()
        self.look()
        while self._execute_all():
            beat.dispatch()
            self.look()
        for worker in self.world.workers:
            self.beat_heart(worker)
            self.look()

    def _execute_all(self) -> bool:
        """Let the workers do all that they are given; return True if a slot of a queue may have come free."""
        worker = self.world.workers[0]
        are_there = bool(self.world.broker.messages or self.waiting() or self.bodies())
        are_there = are_there or bool(self.waiting_calls() or self.call_bodies())
        while self.world.broker.messages:
            self.give(given_to=worker, index=0)
        for held in self.waiting():
            self.start_request(held)
        for held in self.bodies():
            self.finish_body(held, End.SUCCEEDS)
        for call in self.waiting_calls():
            self.begin_body(call)
        for call in self.call_bodies():
            self.end_body(call, CallEnd.SUCCEEDS)
        while self.reporters():
            self.write_report(self.reporters()[0])
            self.look()
        return are_there

    def _seconds_to_next(self) -> float:
        # What is due by now may wait behind a run whose lost message is found later, much later where the
        # clock was set back meanwhile.
        runs, now = self.world.sight.runs.values(), self.world.clock.now()
        moments = {moment for run in runs for moment in (run.due_at, run.check_at)} - {None, NEVER}
        wait = min((moment for moment in moments if moment > now), default=now) - now
        return max(wait / timedelta(seconds=1), LOOK_SECONDS)
