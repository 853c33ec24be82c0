"""The store, whatever happens in whatever order: no promise is broken, and nothing is stuck."""

import pytest

from tests.stateful.walks import walk
from tests.thoroughness import IS_THOROUGH
from tickerq_celery.store.database.database import Database

EXAMPLES = {"sqlite": 30, "postgresql": 15, "mysql": 10}
MANY_EXAMPLES = 1_000


@pytest.mark.timeout(1800)
def test_the_store_keeps_its_promises_in_every_order_of_events(database: Database) -> None:
    examples = MANY_EXAMPLES if IS_THOROUGH else EXAMPLES[database.url.get_backend_name()]
    walk(database, examples=examples)
