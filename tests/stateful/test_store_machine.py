"""The store, whatever happens in whatever order: no promise is broken, and nothing is stuck."""

import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.stateful.machine import StoreMachine
from tests.thoroughness import IS_THOROUGH
from tickerq_celery import recorder
from tickerq_celery.store.engine import Database, resolved_url

STEPS = 50
EXAMPLES = {"sqlite": 30, "postgresql": 15, "mysql": 10}
MANY_EXAMPLES = {"sqlite": 1_000, "postgresql": 1_000, "mysql": 1_000}


@pytest.fixture
def database(
    store_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Database]:
    # Thousands of troubles would be logged and kept, and a finish that meets one would really wait.
    caplog.set_level(logging.CRITICAL + 1, logger="tickerq_celery")
    monkeypatch.setattr(recorder, "time", SimpleNamespace(sleep=lambda seconds: None))
    opened = Database(resolved_url(store_url, Path.cwd()))
    yield opened
    opened.close()


@pytest.mark.timeout(1800)
def test_the_store_keeps_its_promises_in_every_order_of_events(database: Database) -> None:
    class Machine(StoreMachine):
        def __init__(self) -> None:
            super().__init__(database)

    examples = MANY_EXAMPLES if IS_THOROUGH else EXAMPLES
    run_state_machine_as_test(
        # A failure's @reproduce_failure(…) goes before this class.
        Machine,
        settings=settings(
            max_examples=examples[database.url.get_backend_name()],
            stateful_step_count=STEPS,
            deadline=None,
            print_blob=True,
            # The usual one spends two thirds of the examples on variations of earlier ones: here they are
            # walks to the same few situations.
            backend="hypothesis-urandom",
            suppress_health_check=list(HealthCheck),
            phases=(Phase.reuse, Phase.generate, Phase.shrink),
        ),
    )
