"""What a worker has imported when its pool forks is in no later collection."""

import gc
import sys

import pytest
from celery import signals

from tests.forked import in_a_child
from tests.integration.apps import ticker_app


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
# Tests may run as root, which Celery advises workers against.
@pytest.mark.filterwarnings("ignore::celery.exceptions.SecurityWarning")
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_worker_freezes_its_heap_before_its_pool_forks(store_url: str, namespace: str) -> None:
    def frozen() -> int:
        made.app.Worker(pool="solo", quiet=True)
        gc.unfreeze()
        signals.celeryd_after_setup.send(sender="worker@here")
        return gc.get_freeze_count()

    with ticker_app(store_url, namespace) as made:
        made.function("Send")(lambda: None)
        assert in_a_child(frozen) > 10_000
