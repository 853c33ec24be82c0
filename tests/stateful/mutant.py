"""One thing that the product might do wrong."""

from collections.abc import Callable
from typing import NamedTuple

from tests.stateful.machine import StoreMachine
from tests.stateful.rewriting import Function, Mutation

# Where the machine need not look, as the table's own constraints and keys refuse the row.
CHECK = "CHECK constraint failed: ck_tickerq_tickers_"
# What meets the mistake first, a run of a function or the call of a Celery task.
MOVES = "only_known_moves_are_made|only_known_moves_of_a_call_are_made"
ATTEMPTS_KEY = "UNIQUE constraint failed: tickerq_attempts"


class Mutant(NamedTuple):
    """A function of the product, what is wrong with it, and what the machine must then say (a pattern).

    A quick one is found within a few examples. A random walk may miss the situation of one that has a way,
    which leads to it.
    """

    function: Function
    wrong: str
    mutation: Mutation
    breaks: str
    is_quick: bool = False
    way: Callable[[StoreMachine], None] | None = None

    def __str__(self) -> str:
        return f"{self.function.__qualname__} {self.wrong}".replace(" ", "-")
