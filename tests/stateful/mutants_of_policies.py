"""Mutants of what keeps occurrences from overlapping, and of what pauses and edits leave behind."""

from tests.stateful.mutant import Mutant
from tests.stateful.rewriting import doing_nothing, setting
from tickerq_celery.cron import rescheduling
from tickerq_celery.store import attempts, occurrences, overlaps, paused_crons, pauses

OF_POLICIES = (
    Mutant(
        attempts.start,
        "asks it to end",
        setting(cancel_request="end"),
        "only_who_is_wanted_no_more_is_asked_to_end",
        is_quick=True,
    ),
    Mutant(
        overlaps.is_taken,
        "finds the place free",
        doing_nothing(False),
        "neither an occurrence nor in a skip record|UNIQUE constraint failed|lost by run_now",
        is_quick=True,
    ),
    Mutant(overlaps.is_waited_for, "finds nobody", doing_nothing(False), "too many wait|what a pause holds"),
    Mutant(overlaps.pass_on, "does nothing", doing_nothing([]), "its turn has come"),
    Mutant(overlaps.cron_in_turn, "finds none", doing_nothing(None), "after a cancel nobody has the turn"),
    Mutant(overlaps.step_back, "does nothing", doing_nothing(None), "waits for what a pause holds"),
    Mutant(overlaps.lock_running, "finds nothing", doing_nothing(None), "runs on though", is_quick=True),
    Mutant(overlaps.lock_unstarted, "finds nothing", doing_nothing([]), "too many wait"),
    Mutant(
        pauses.holding,
        "finds nothing",
        doing_nothing({}),
        "only_what_is_due_and_may_run_is_claimed",
        is_quick=True,
    ),
    Mutant(pauses.keys, "finds no pause", doing_nothing(set()), "no_hold_is_released_in_vain"),
    Mutant(paused_crons.park, "does nothing", doing_nothing(None), "still stands at"),
    Mutant(paused_crons.lock_parked, "finds nothing", doing_nothing([]), "stands still for no pause"),
    Mutant(
        rescheduling.paused_reason,
        "says nothing of what passed",
        doing_nothing(""),
        "neither an occurrence nor in a skip record",
    ),
    Mutant(occurrences.lock_pending, "finds nothing", doing_nothing({}), "an expression of the past"),
)
