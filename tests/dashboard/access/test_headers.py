"""Every answer is armoured: of each row of the route table, to each visitor, and each refusal and failure."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.dashboard.access.route_addresses import address_of, samples_in
from tests.dashboard.api.conftest import bearer, tokens
from tests.dashboard.conftest import BASE, LOGIN, USERS, basic
from tests.dashboard.failing import FailingReader, unreachable
from tests.dashboard.seeds import Seeds
from tests.thoroughness import in_verify
from tickerq_celery import TickerStatus
from tickerq_dashboard import create_blueprint
from tickerq_dashboard.access.headers import IMMUTABLE, SECURITY_HEADERS
from tickerq_dashboard.routes import ROUTES


def hosted(tickerq: Any) -> Flask:
    """A host that adds no header of its own."""
    host = Flask("host")
    host.register_blueprint(create_blueprint(tickerq, users=USERS, api_tokens=tokens()))
    return host


# What some rows answer to an empty body; probes are open to everyone.
AMONG: dict[str | None, set[int]] = {
    None: {200, 401},
    "viewer": {200, 403, 404, 422},
    "admin": {200, 404, 409, 422, 428},
}


def check(answer: TestResponse) -> int:
    """Check the headers of an answer, and return its status."""
    for name, value in SECURITY_HEADERS.items():
        given = answer.headers.getlist(name)
        is_kept = name == "Cache-Control" and given == [IMMUTABLE]
        assert given == [value] or is_kept, (answer.request.method, answer.request.path, answer.status, name)
    return answer.status_code


@pytest.mark.parametrize("role", [None, "admin", in_verify("viewer")])
def test_each_row_of_the_route_table_is_answered_with_every_header(seeds: Seeds, role: str | None) -> None:
    app = hosted(seeds.tickerq)
    samples = samples_in(seeds)
    statuses = {}
    for route in ROUTES:
        # A program's token stands for that of a form, which is not looked at then.
        headers = {} if role is None else bearer(role)
        answer = app.test_client().open(
            address_of(app, route, samples), method=route.method, headers=headers, buffered=True
        )
        statuses[route.name] = check(answer)
    assert AMONG[role] <= set(statuses.values()), statuses


def refused(client: FlaskClient, seeds: Seeds) -> Iterator[tuple[int, TestResponse]]:
    """Yield answers to what is not done, with the status of each."""
    done, deleted = seeds.run(status=TickerStatus.DONE), seeds.run(status=TickerStatus.DONE)
    seeds.tickerq.time_tickers.delete(deleted)
    admin, form = bearer("admin"), {"operation_id": str(uuid4())}
    for root in (BASE, f"{BASE}/api/v1"):
        yield 400, client.get(f"{root}/runs?status=lost", headers=admin)
        yield 401, client.get(f"{root}/runs")
        yield 403, client.post(f"{BASE}/runs/{done}/delete", data=form, headers=bearer("viewer"))
        yield 404, client.get(f"{root}/runs/{uuid4()}", headers=admin)
        yield 404, client.get(f"{root}//runs", headers=admin)
        yield 405, client.put(f"{root}/nodes", headers=admin)
    yield 403, client.post(f"{BASE}/runs/{done}/retry", data=form, headers=LOGIN)
    yield 409, client.post(f"{BASE}/runs/{done}/cancel", data=form, headers=admin)
    yield 409, client.post(f"{BASE}/api/v1/runs/{done}/cancel", json=form, headers=admin)
    yield 410, client.get(f"{BASE}/runs/{deleted}", headers=admin)
    yield 413, client.post(f"{BASE}/runs/new", data={"request": "x" * 300_000}, headers=admin)
    yield 415, client.post(f"{BASE}/api/v1/runs/{done}/cancel", data=form, headers=admin)
    yield 422, client.post(f"{BASE}/runs/export", data={"format": "xls"}, headers=admin)
    yield 422, client.post(f"{BASE}/api/v1/runs/{done}/cancel", json={"else": 1}, headers=admin)
    yield 428, client.delete(f"{BASE}/api/v1/runs/{done}", headers=admin)
    for number in range(5):
        yield 401, client.get(BASE, headers=basic("admin", f"wrong {number}"))
    yield 429, client.get(BASE, headers=basic("admin", "wrong"))
    yield 429, client.get(f"{BASE}/api/v1/runs", headers=basic("admin", "wrong"))


def test_what_is_refused_is_answered_with_every_header(seeds: Seeds) -> None:
    answers = list(refused(hosted(seeds.tickerq).test_client(), seeds))
    assert [check(answer) for _, answer in answers] == [status for status, _ in answers]


@pytest.mark.parametrize(("reader", "status"), [(unreachable, 503), (FailingReader, 500)])
def test_what_fails_is_answered_with_every_header(reader: Callable[[], Any], status: int) -> None:
    client = hosted(reader()).test_client()
    for path in ("/runs", "/api/v1/runs", "/nodes"):
        assert check(client.get(BASE + path, headers=LOGIN)) == status
    for path in ("/readyz", "/healthz"):
        assert check(client.get(BASE + path)) in {500, 503}
