"""The store, whatever happens in whatever order: no promise is broken, and nothing is stuck."""

import pytest

from tests.stateful.walks import walk
from tests.thoroughness import in_proof, in_verify
from tickerq_celery.store.database.database import Database

# The proof: a thousand examples on each database.
WALKS = [(10, 0), in_verify(40, 0), *(in_proof(100, series) for series in range(10))]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("examples", "series"), WALKS)
def test_the_store_keeps_its_promises_in_every_order_of_events(
    database: Database, examples: int, series: int
) -> None:
    walk(database, examples=examples)
