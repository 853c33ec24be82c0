"""Each guard of the store is needed, and the machine gets to it: without it some promise is broken."""

import pytest
from sqlalchemy.exc import IntegrityError

from tests.inner import Database
from tests.stateful.invariants import PROMISES
from tests.stateful.mutant import Mutant
from tests.stateful.mutants import MUTANTS
from tests.stateful.rewriting import install
from tests.stateful.walks import lead, walk_again
from tests.thoroughness import in_proof, in_verify
from tickerq_celery.errors import TickerNotFoundError

# Several times as many as any mutant takes: where one needs them all, the machine has lost its way to it.
EXAMPLES = 400
QUICK = [mutant for mutant in MUTANTS if mutant.is_quick]
# `make test` sees that the machine finds anything at all.
TRIED = [
    QUICK[1],
    *map(in_verify, [QUICK[0], *QUICK[2:]]),
    *(in_proof(mutant) for mutant in MUTANTS if not mutant.is_quick),
]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("mutant", TRIED, ids=str)
def test_without_this_guard_a_promise_is_broken(
    mutant: Mutant, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, mutant.function, mutant.mutation(mutant.function))
    with pytest.raises((AssertionError, IntegrityError, TickerNotFoundError), match=mutant.breaks):
        look_for(mutant, database)


def look_for(mutant: Mutant, database: Database) -> None:
    if mutant.way is None:
        walk_again(database, examples=EXAMPLES)
    else:
        lead(database, mutant.way)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("mutant", [mutant for mutant in MUTANTS if mutant.way is not None], ids=str)
def test_with_every_guard_its_way_breaks_no_promise(mutant: Mutant, database: Database) -> None:
    assert mutant.way is not None
    lead(database, mutant.way)


def test_every_invariant_of_a_row_can_be_broken() -> None:
    named = "|".join(mutant.breaks for mutant in MUTANTS)
    unbroken = [each.__name__ for each in PROMISES if each.__name__ not in named]
    assert not unbroken
