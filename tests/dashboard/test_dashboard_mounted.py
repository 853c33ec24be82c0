"""The dashboard below a path of an application that is not Flask's."""

import asyncio
import re
from typing import Any

import pytest
from a2wsgi import WSGIMiddleware
from fastapi import FastAPI
from flask import Flask

from tests.dashboard.conftest import LOGIN, QUICK_HASH
from tests.dashboard.seeds import Seeds
from tickerq_dashboard import create_app

MOUNT = "/ops/tickers"


@pytest.fixture
def app(seeds: Seeds) -> Flask:
    return create_app(seeds.tickerq, users={"admin": QUICK_HASH}, base_path="/")


def check_page(page: str) -> None:
    """Check that each address of a page is below the mount."""
    links = re.findall(r'(?:href|src|action)="([^"]*)"', page)
    assert len(links) > 5
    assert [link for link in links if not link.startswith((f"{MOUNT}/", "#"))] == []


def test_it_is_mounted_under_fastapi(app: Flask) -> None:
    api = FastAPI()

    @api.get("/")
    def home() -> str:
        return "FastAPI's own page"

    api.mount(MOUNT, WSGIMiddleware(app))  # type: ignore[arg-type]  # an ASGI application, typed by itself
    assert asked(api, "/", {})[1] == '"FastAPI\'s own page"'
    assert asked(api, f"{MOUNT}/health", {})[0] == 401
    status, page = asked(api, f"{MOUNT}/health", LOGIN)
    assert status == 200
    check_page(page)


def asked(api: FastAPI, path: str, headers: dict[str, str]) -> tuple[int, str]:
    """Return the status and the body that an ASGI application answers."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }
    asyncio.run(api(scope, receive, send))
    body = b"".join(each.get("body", b"") for each in sent if each["type"] == "http.response.body")
    return sent[0]["status"], body.decode()
