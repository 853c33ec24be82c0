"""What a page of another site, a crafted address or a curious program can reach: nothing."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.dashboard.access.route_addresses import address_of
from tests.dashboard.access.rows import rows_of
from tests.dashboard.access.users import SECRET, as_role, by_role
from tests.dashboard.conftest import BASE
from tests.dashboard.seeds import Seeds
from tickerq_celery import TickerStatus
from tickerq_dashboard import create_app
from tickerq_dashboard.routes import ROUTES

OUTSIDE = ("//evil.example", "\\\\evil.example", "https:evil.example", "https://evil.example/x")


@pytest.fixture
def client(seeds: Seeds) -> FlaskClient:
    return create_app(seeds.tickerq, auth=by_role, secret=SECRET).test_client()


def read_addresses(app: Flask, seeds: Seeds, run_id: UUID, cron_id: UUID) -> Iterator[str]:
    """Every address that is read, with the run and the cron ticker of a test."""
    samples: dict[str, Any] = {
        "run_id": run_id,
        "cron_id": cron_id,
        "job_id": seeds.tickerq.bulk.start("retry", status="failed").id,
        "filename": "icon.svg",
        "name": "SendDailyDigest",
        "address": "nowhere",
    }
    return (address_of(app, route, samples) for route in ROUTES if route.method == "GET")


def test_reading_every_address_changes_no_row(client: FlaskClient, seeds: Seeds) -> None:
    run_id, cron_id = seeds.run(status=TickerStatus.FAILED), seeds.cron()
    addresses = list(read_addresses(client.application, seeds, run_id, cron_id))
    before = rows_of(seeds)
    assert sum(map(len, before.values())) > 2
    for address in addresses:
        for method in ("GET", "HEAD", "OPTIONS"):
            assert client.open(address, method=method, headers=as_role("admin")).status_code != 500
    assert rows_of(seeds) == before


@pytest.mark.parametrize("target", OUTSIDE)
@pytest.mark.parametrize("name", ["next", "url", "q", "did", "back", "cursor"])
def test_no_address_leads_out_of_the_dashboard(client: FlaskClient, name: str, target: str) -> None:
    for path in ("/", "/runs", "/logout", "/audit", "/runs/new"):
        answer = client.get(
            BASE + path, query_string={name: target}, headers={**as_role("admin"), "Referer": target}
        )
        location = answer.headers.get("Location", BASE)
        assert location.startswith(f"{BASE}/") or location == BASE, (path, location)
        assert f'href="{target}' not in answer.text


def test_other_origins_are_allowed_nothing(client: FlaskClient, seeds: Seeds) -> None:
    foreign = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    run_id, cron_id = seeds.run(), seeds.cron()
    for address in read_addresses(client.application, seeds, run_id, cron_id):
        for method in ("GET", "OPTIONS"):
            answer = client.open(address, method=method, headers={**as_role("admin"), **foreign})
            assert not [name for name in dict(answer.headers) if name.startswith("Access-Control")], address


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/runs?limit=1000000000",
        "/api/v1/runs?limit=-1",
        "/api/v1/runs?cursor=" + "A" * 100_000,
        "/api/v1/upcoming?hours=100000",
        "/runs?q=" + "a:" * 5_000,
        "/audit?actor=" + "%25" * 1_000,
    ],
)
def test_a_request_for_too_much_is_refused(client: FlaskClient, path: str) -> None:
    assert client.get(BASE + path, headers=as_role("admin")).status_code in {400, 404, 414, 422}
