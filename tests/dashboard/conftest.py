"""A dashboard over a store with one run of every kind, and the ways to reach it."""

import shutil
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from functools import partialmethod
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, sync_playwright
from werkzeug.security import generate_password_hash

from tests.dashboard.compiled import templates_and_routes_compiled_once
from tests.dashboard.seeds import Seeds
from tests.dashboard.served import Served, serving
from tickerq_celery.managers.outlook import OutlookManager
from tickerq_dashboard import create_app
from tickerq_dashboard.access import hashing
from tickerq_dashboard.health import HealthWatch

BASE = "/tickerq/dashboard"
# What a list shows at once, and the bytes that it has at most.
ROWS, MOST_BYTES = 50, 60_000
PASSWORD = "pass:wörd"
# One round only: what a real hash costs is the subject of one test, not of all.
QUICK_HASH = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1")
USERS = {"admin": (QUICK_HASH, "admin"), "vera": (QUICK_HASH, "viewer")}


def basic(name: str, password: str) -> dict[str, str]:
    """The header with which a browser logs in."""
    return {"Authorization": "Basic " + b64encode(f"{name}:{password}".encode()).decode()}


LOGIN = basic("admin", PASSWORD)
# What waits for a report as long as it does in production.
LOOK, ASK = HealthWatch.look, HealthWatch.ask


@pytest.fixture(autouse=True, scope="session")
def _quick_hashes() -> Iterator[None]:
    """Let a hash of one round be strong enough, but where its strength is the subject."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashing, "LEAST_PBKDF2_ROUNDS", 1)
        yield


@pytest.fixture(autouse=True, scope="session")
def _patient_outlook() -> Iterator[None]:
    """Let what is to come take the time that a busy machine needs."""
    with pytest.MonkeyPatch.context() as patch:
        upcoming = partialmethod(OutlookManager.upcoming, budget=timedelta(seconds=2))
        patch.setattr(OutlookManager, "upcoming", upcoming)
        yield


@pytest.fixture(autouse=True, scope="session")
def _patient_banner() -> Iterator[None]:
    """Let pages wait for a fresh report of their banner, as long as a busy machine needs to read it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("look", "ask"):
            patch.setattr(HealthWatch, name, partialmethod(ASK, timeout=30.0))
        yield


@pytest.fixture(autouse=True, scope="session")
def _compiled_once() -> Iterator[None]:
    with templates_and_routes_compiled_once():
        yield


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A Chromium of the tests of one file."""
    arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def served(schema_url: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A dashboard that is served over the showcase, for the tests of one file."""
    own = tmp_path_factory.mktemp("store") / "tickers.db"
    shutil.copyfile(schema_url("sqlite").removeprefix("sqlite:///"), own)
    seeds = Seeds(f"sqlite:///{own}")
    with serving(seeds, BASE, USERS) as served:
        yield served
    seeds.close()


@pytest.fixture
def strong_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse weak hashes, as outside of the tests."""
    monkeypatch.setattr(hashing, "LEAST_PBKDF2_ROUNDS", 100_000)


class Visitor:
    """A browser that is logged in."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client

    def get(self, path: str, *, headers: Mapping[str, str] = LOGIN):
        """The response to an address below the base path."""
        return self._client.get(BASE + path, headers=dict(headers), buffered=True)


@pytest.fixture
def store(store_url: str, namespace: str) -> Iterator[Seeds]:
    """A store of each kind."""
    with closing(Seeds(store_url, namespace)) as seeds:
        yield seeds


@pytest.fixture
def seeds(schema_url: Callable[[str], str], tmp_path: Path) -> Iterator[Seeds]:
    """A store with the schema and without rows, of this test alone."""
    own = tmp_path / "tickers.db"
    shutil.copyfile(schema_url("sqlite").removeprefix("sqlite:///"), own)
    seeds = Seeds(f"sqlite:///{own}")
    yield seeds
    seeds.close()


@pytest.fixture
def app(seeds: Seeds) -> Flask:
    return create_app(seeds.tickerq, users={"admin": QUICK_HASH})


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def visitor(client: FlaskClient) -> Visitor:
    return Visitor(client)
