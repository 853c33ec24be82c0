"""The store under the machine."""

import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.inner import Database, dispatcher, resolved_url
from tickerq_celery.runs import cancelling, lease_retry


@pytest.fixture
def database(
    store_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Database]:
    # Thousands of troubles would be logged and kept, and a finish that meets one would really wait.
    caplog.set_level(logging.CRITICAL + 1, logger="tickerq_celery")
    for module in (lease_retry, cancelling, dispatcher):
        monkeypatch.setattr(module, "time", SimpleNamespace(sleep=lambda seconds: None))
    opened = Database(resolved_url(store_url, Path.cwd()))
    yield opened
    opened.close()
