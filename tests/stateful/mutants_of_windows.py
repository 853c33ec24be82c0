"""Mutants of fair queues: what a beat claims beside a backlog, and what it leaves due."""

from collections.abc import Sequence
from typing import Any

from tests.stateful.mutant import Mutant
from tests.stateful.mutants_of_claims import ANYTHING_DUE
from tests.stateful.rewriting import Function, doing_nothing
from tests.statements import due_flows
from tickerq_celery.runs.admission import Capacity
from tickerq_celery.runs.due_flows import DueFlows

_LEFT = "were due, and now"


def _of_no_flow(_: Function) -> Function:
    return lambda _, shares: [[] for _ in shares]


def _of_nothing(took: Function) -> Function:
    return lambda self, _: took(self, {})


def _with_no_room(_: Function) -> Function:
    return lambda *_: True


def _with_shares_of_nothing(look: Function) -> Function:
    def mutant(self: DueFlows) -> Sequence[Any]:
        look(self)
        return []

    return mutant


OF_WINDOWS = (
    Mutant(
        due_flows.lock_shares,
        "takes what is not due",
        ANYTHING_DUE,
        "only_what_is_due_and_may_run_is_claimed",
    ),
    Mutant(due_flows.lock_shares, "finds nothing", _of_no_flow, _LEFT),
    Mutant(DueFlows.poll, "finds no flow", _with_shares_of_nothing, _LEFT),
    Mutant(DueFlows.took, "forgets what still waits", _of_nothing, _LEFT),
    Mutant(DueFlows.claimed, "forgets what was left", doing_nothing(None), _LEFT),
    Mutant(
        Capacity._has_full_window,
        "is full always",
        _with_no_room,
        # Each claim leaves it, or the end of an example finds it left.
        f"{_LEFT}|stuck for ever",
        is_quick=True,
    ),
)
