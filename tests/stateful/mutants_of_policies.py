"""Mutants of what keeps occurrences from overlapping, and of what pauses and edits leave behind."""

from dataclasses import replace
from uuid import UUID

from tests.inner import Transaction
from tests.stateful.mutant import Mutant
from tests.stateful.rewriting import Function, doing_nothing, setting
from tests.statements import occurrences, overlaps, paused_crons, pauses, starts
from tickerq_celery.cron import rescheduling
from tickerq_celery.store.runs.overlaps import OverlapState


def _with_empty_queue(state: Function) -> Function:
    def mutant(tx: Transaction, cron_id: UUID) -> OverlapState:
        return replace(state(tx, cron_id), waiting=0, is_manual_waiting=False)

    return mutant


OF_POLICIES = (
    Mutant(
        starts.start,
        "asks it to end",
        setting(cancel_request="end"),
        "only_who_is_wanted_no_more_is_asked_to_end",
        is_quick=True,
    ),
    Mutant(
        overlaps.state,
        "finds the lock free",
        doing_nothing(OverlapState()),
        "neither an occurrence nor in a skip record|UNIQUE constraint failed|lost by run_now"
        # What run_now says of an occurrence that the lock's constraint kept out.
        "|no occurrence has the id",
        is_quick=True,
    ),
    Mutant(overlaps.state, "finds nothing that waits", _with_empty_queue, "too many wait|what a pause holds"),
    Mutant(overlaps.pass_lock, "does nothing", doing_nothing([]), "its overlap lock is free"),
    Mutant(
        overlaps.cron_locked_by,
        "finds none",
        doing_nothing(None),
        # Which of the two is seen first depends on the walk: the run that was to get the lock, or its cancel.
        "after a cancel no run has the overlap lock|its overlap lock is free",
    ),
    Mutant(overlaps.yield_lock, "does nothing", doing_nothing(None), "waits for what a pause holds"),
    Mutant(overlaps.lock_running, "finds nothing", doing_nothing(None), "runs on though"),
    Mutant(overlaps.lock_unstarted, "finds nothing", doing_nothing([]), "too many wait"),
    Mutant(
        pauses.holding,
        "finds nothing",
        doing_nothing({}),
        "only_what_is_due_and_may_run_is_claimed",
    ),
    Mutant(pauses.keys, "finds no pause", doing_nothing(set()), "no_hold_is_released_in_vain"),
    Mutant(paused_crons.suspend, "does nothing", doing_nothing(None), "still stands at"),
    Mutant(paused_crons.lock_suspended, "finds nothing", doing_nothing([]), "is suspended for no pause"),
    Mutant(
        rescheduling.paused_reason,
        "says nothing of what passed",
        doing_nothing(""),
        "neither an occurrence nor in a skip record",
    ),
    Mutant(occurrences.lock_pending, "finds nothing", doing_nothing({}), "an expression of the past"),
)
