"""A dashboard over a store with one run of every kind, and the ways to reach it."""

import shutil
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.security import generate_password_hash

from tests.dashboard.seeds import Seeds
from tickerq_dashboard import create_app

BASE = "/tickerq/dashboard"
PASSWORD = "pass:wörd"
# One round only: what a real hash costs is the subject of one test, not of all.
QUICK_HASH = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1")


def basic(name: str, password: str) -> dict[str, str]:
    """The header with which a browser logs in."""
    return {"Authorization": "Basic " + b64encode(f"{name}:{password}".encode()).decode()}


LOGIN = basic("admin", PASSWORD)


class Visitor:
    """A browser that is logged in."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client

    def get(self, path: str, *, headers: Mapping[str, str] = LOGIN):
        """The response to an address below the base path."""
        return self._client.get(BASE + path, headers=dict(headers), buffered=True)


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
