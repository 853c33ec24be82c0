"""Mutants of what finds lost messages and dead workers, and of holds."""

import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import BinaryExpression, false
from sqlalchemy.sql.visitors import replacement_traverse

from tests.stateful.mutant import CHECK, Mutant
from tests.stateful.mutants_of_claims import claiming
from tests.stateful.rewriting import (
    Mutation,
    doing_nothing,
    keeping,
    query_without,
    querying,
    rewriting,
    without,
)
from tests.stateful.ways import delete_what_has_the_keys_slot
from tests.statements import capacity, concurrency, holds, lost_messages, nodes, starts
from tests.tables import tickers
from tickerq_celery.enums import HoldReason
from tickerq_celery.store.runs.lost_messages import TakenOver


def _for(wanted: HoldReason) -> Callable[..., bool]:
    return lambda *, reason, **_: reason is wanted


def _finding(**values: object) -> Mutation:
    """Return what lets a claim find something else than there is."""
    return lambda read: lambda *arguments, **options: replace(read(*arguments, **options), **values)


def _whenever_checked(statement: Any) -> Any:
    def without_its_time(element: Any, **_: Any) -> Any:
        is_due = isinstance(element, BinaryExpression) and element.operator is operator.le
        return tickers.c.check_at.is_not(None) if is_due and element.left is tickers.c.check_at else None

    return replacement_traverse(statement, {}, without_its_time) if statement.is_select else statement


_ANYTHING_CHECKED = rewriting(_whenever_checked)

OF_RECOVERY = (
    Mutant(
        lost_messages.take_over,
        "finds nothing",
        doing_nothing(TakenOver(claims=(), unreported=0, lost=0)),
        "stuck for ever|reaped with its worker",
        is_quick=True,
    ),
    Mutant(
        lost_messages.take_over,
        "makes a new claim",
        claiming(step=1, claim_no=tickers.c.claim_no + 1),
        "what_is_stamped_was_sent|only_what_is_due_and_may_run_is_claimed",
        is_quick=True,
    ),
    Mutant(lost_messages.take_over, "names an old claim", claiming(step=-1), "stuck for ever"),
    Mutant(
        lost_messages.take_over,
        "puts no check off",
        keeping("check_at"),
        f"two messages may answer one check|{CHECK}check_at",
        is_quick=True,
    ),
    Mutant(
        lost_messages.take_over, "takes what is not lost", _ANYTHING_CHECKED, "sent again before its check"
    ),
    Mutant(lost_messages.check_prefetched, "finds nothing", doing_nothing(0), "reaped with its worker"),
    Mutant(nodes.nodes_without_row, "finds nothing", doing_nothing([]), "stuck for ever|not rescued"),
    Mutant(
        capacity.read,
        "finds no paused cron ticker",
        _finding(has_paused_crons=False),
        "may_run_is_claimed",
    ),
    Mutant(
        concurrency.queued,
        "counts nothing",
        querying(lambda query: query.where(false())),
        "is overfull|held though there is room",
    ),
    Mutant(
        concurrency.active_per_function,
        "counts nothing",
        lambda _: lambda tx, names: dict.fromkeys(names, 0),
        "runs of Single are leased",
    ),
    Mutant(starts.running_under, "finds nothing", doing_nothing([]), "stuck for ever|not rescued"),
    Mutant(
        nodes.remove_dead, "ignores the counter", without("counter"), "reaped though it gave a sign of life"
    ),
    Mutant(
        nodes.register,
        "counts from 0 again",
        lambda register: (
            lambda tx, profile, *, started_at, **_: register(tx, profile, counter=0, started_at=started_at)
        ),
        # Or it is reaped again, and was lost twice at one moment.
        "reaped though it gave a sign of life|UNIQUE constraint failed: tickerq_lost_nodes",
    ),
    Mutant(
        nodes.remove_dead,
        "does nothing",
        doing_nothing(False),
        "silent for a lease, and not reaped|sent again before its check",
    ),
    Mutant(
        nodes.beat,
        "does not count",
        keeping("counter"),
        "was taken from a living worker|reaped though it gave a sign of life",
    ),
    Mutant(
        nodes.workers,
        "takes beats for workers",
        query_without("kind"),
        "may_run_is_claimed|no_hold_is_released_in_vain",
    ),
    Mutant(holds.hold, "does nothing", doing_nothing(None), "were due, and now"),
    Mutant(
        holds.hold,
        "leaves it due",
        keeping("due_at"),
        "it_is_due_or_held_only_while_idle|its_parent_decides_on_it",
    ),
    Mutant(
        holds.release,
        "never frees a function",
        doing_nothing([], when=_for(HoldReason.FUNCTION)),
        "still held though a worker knows it|held for nothing",
    ),
    Mutant(
        holds.release,
        "never ends a pause",
        doing_nothing([], when=_for(HoldReason.PAUSED)),
        "held for nothing|still held for a pause that is over",
    ),
    Mutant(
        holds.release,
        "never gives a slot",
        doing_nothing([], when=_for(HoldReason.LIMIT)),
        "waited for the slot|held though there is room",
        is_quick=True,
    ),
    Mutant(
        holds.release,
        "never gives a key's slot",
        doing_nothing([], when=_for(HoldReason.KEY)),
        "waited for the key's slot",
    ),
    Mutant(holds.release, "keeps the reason", keeping("held_for"), "it_is_due_or_held_only_while_idle"),
    Mutant(holds.release, "makes nothing due", keeping("due_at"), "it_is_due_or_held_only_while_idle"),
    Mutant(
        holds.release,
        "ignores the key",
        without("hold_key"),
        "held though there is room|no_hold_is_released_in_vain",
    ),
    Mutant(
        concurrency.active_per_slot,
        "counts nothing",
        lambda _: lambda tx, slots: dict.fromkeys(slots, 0),
        "are leased",
    ),
    Mutant(concurrency.release_slots, "finds nothing", doing_nothing(0), "held though its key has room"),
    Mutant(
        holds.next_held_keys,
        "finds no concurrency keys",
        lambda find: lambda tx, reason, **rest: [] if reason is HoldReason.KEY else find(tx, reason, **rest),
        "held though its key has room",
        is_quick=True,
        way=delete_what_has_the_keys_slot,
    ),
    Mutant(concurrency.release_full_queues, "finds nothing", doing_nothing(0), "held though there is room"),
)
