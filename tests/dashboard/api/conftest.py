"""Programs with tokens of each role."""

from hashlib import sha256
from typing import Any

import pytest
from flask import Flask

from tests.dashboard.access.users import SECRET, by_role
from tests.dashboard.conftest import BASE
from tests.dashboard.seeds import Seeds
from tickerq_dashboard import create_app
from tickerq_dashboard.access.roles import ROLES

API = f"{BASE}/api/v1"
PERMISSIONS = {"viewer": ["audit.view"]}


def bearer(role: str) -> dict[str, str]:
    return {"Authorization": f"Bearer token-of-{role}"}


def tokens() -> dict[str, tuple[str, str]]:
    return {f"{role}s-program": (sha256(f"token-of-{role}".encode()).hexdigest(), role) for role in ROLES}


class Program:
    """A program with a token of a role."""

    def __init__(self, app: Flask, role: str) -> None:
        self._client, self._headers = app.test_client(), bearer(role)

    def send(self, method: str, path: str, headers: dict[str, str] | None = None, **given: Any) -> Any:
        """The response to a request below the root of the API."""
        sent = {**self._headers, **(headers or {})}
        return self._client.open(API + path, method=method, headers=sent, buffered=True, **given)

    def get(self, path: str, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("GET", path, named)


@pytest.fixture
def seeds(store: Seeds) -> Seeds:
    """A store of each kind: what the API promises is the same on all."""
    return store


@pytest.fixture
def api_app(seeds: Seeds) -> Flask:
    return create_app(seeds.tickerq, auth=by_role, secret=SECRET, api_tokens=tokens())


@pytest.fixture
def program(api_app: Flask) -> Program:
    return Program(api_app, "admin")


@pytest.fixture
def blind(seeds: Seeds) -> Program:
    """A program that may not see payloads."""
    app = create_app(seeds.tickerq, auth=by_role, secret=SECRET, api_tokens=tokens(), permissions=PERMISSIONS)
    return Program(app, "viewer")
