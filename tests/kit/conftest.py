"""An application as users have it, whose store must never come into being."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from tests.acceptance.warm import WarmServer
from tests.kit.projects import APP, Project
from tickerq_celery import TickerQ


@pytest.fixture
def real_store(tmp_path: Path) -> Path:
    """The file of the application's own store, which no test may make."""
    return tmp_path / "production.db"


@pytest.fixture
def settings() -> dict[str, Any]:
    """The settings of the application."""
    return {}


@pytest.fixture
def shop(namespace: str, real_store: Path, settings: dict[str, Any]) -> Iterator[TickerQ]:
    """The TickerQ of an application whose store and broker are not there."""
    app = Celery(namespace, broker="redis://localhost:1/0", set_as_current=False)
    tickerq = TickerQ(app, f"sqlite:///{real_store}", **settings)
    yield tickerq
    tickerq.close()
    app.close()
    assert not real_store.exists()


@pytest.fixture
def ran(shop: TickerQ) -> list[Any]:
    """What the application's one Celery task, ``shop.remind``, was called with."""
    invoices: list[Any] = []

    @shop.app.task(name="shop.remind", shared=False)
    def remind(invoice: int) -> None:
        invoices.append(invoice)

    return invoices


@pytest.fixture
def tickerq_app(shop: TickerQ) -> TickerQ:
    """What the kit takes over."""
    return shop


@pytest.fixture
def project(tmp_path: Path, warm_server: WarmServer) -> Project:
    """A user's project with an application whose store is not there."""
    folder = tmp_path / "project"
    folder.mkdir()
    made = Project(folder, warm_server.launch)
    made.write("shop.py", APP)
    made.write("pytest.ini", "[pytest]\ntickerq_app = shop:app\n")
    return made
