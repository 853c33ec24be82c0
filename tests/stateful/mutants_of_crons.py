"""Mutants of what creates the occurrences of instants, and of pauses."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from unittest.mock import ANY

from sqlalchemy import Executable

from tests.inner import Transaction
from tests.stateful.mutant import Mutant
from tests.stateful.rewriting import Function, Mutation, doing_nothing
from tests.statements import cron_tickers, due_crons, occurrences
from tickerq_celery.cron.firing import Firing
from tickerq_celery.store.database import batches


class _Postponing:
    """A transaction that keeps some statements for later."""

    def __init__(self, tx: Transaction, is_meant: Callable[[Any], bool]) -> None:
        self._tx = tx
        self._is_meant = is_meant
        self.left: list[tuple[Any, ...]] = []

    def execute(self, statement: Executable, *arguments: Any) -> Any:
        if not self._is_meant(statement):
            return self._tx.execute(statement, *arguments)
        self.left.append((statement, *arguments))
        return SimpleNamespace(rowcount=ANY)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)


def _in_two_transactions(is_later: Callable[[Any], bool]) -> Mutation:
    """Return what lets a fire do some of its work after it has committed the other."""

    def mutate(fire: Function) -> Function:
        def mutant(self: Any) -> bool:
            left: list[tuple[Any, ...]] = []

            def begin(tx: Transaction) -> None:
                postponing: Any = _Postponing(tx, is_later)
                self._fire(postponing)
                left.extend(postponing.left)

            self._core.write(begin)
            self._core.write(lambda tx: [tx.execute(*each) for each in left])
            return False

        return mutant

    return mutate


OF_CRONS = (
    Mutant(
        due_crons.advance, "does nothing", doing_nothing(None), "still stands at|come again", is_quick=True
    ),
    Mutant(Firing.fire, "advances later", _in_two_transactions(lambda each: each.is_update), "come again"),
    Mutant(
        Firing.fire,
        "adds occurrences later",
        _in_two_transactions(lambda each: each.is_insert),
        "neither an occurrence nor in a skip record|only_who_asked_for_it_is_cancelled",
    ),
    Mutant(
        occurrences.insert,
        "does nothing",
        doing_nothing(None),
        "neither an occurrence nor in a skip record",
        is_quick=True,
    ),
    Mutant(
        batches.insert_if_absent,
        "inserts what is there",
        lambda _: batches.insert_rows,
        "UNIQUE constraint failed: tickerq_",
    ),
    Mutant(
        cron_tickers.paused_among,
        "finds nothing",
        doing_nothing(set()),
        "may_run_is_claimed|no_hold_is_released_in_vain",
    ),
    Mutant(occurrences.hold_pending, "does nothing", doing_nothing(None), "due in a pause"),
)
