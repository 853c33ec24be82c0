"""Every answer is armoured, and none shows why it failed."""

import logging
import re
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from celery import Celery
from flask import Flask
from flask.testing import FlaskClient

from tests.dashboard.conftest import BASE, LOGIN, QUICK_HASH, Visitor
from tests.dashboard.failing import FailingReader, unreachable
from tests.dashboard.seeds import Seeds
from tickerq_celery import TickerQ
from tickerq_celery.errors import QueryTooWideError
from tickerq_dashboard import create_app
from tickerq_dashboard.access.headers import SECURITY_HEADERS


def test_every_response_carries_the_security_headers(app: Flask, client: FlaskClient, seeds: Seeds) -> None:
    run_id, cron_id = seeds.run(), seeds.cron()
    known = ["", "/", "/runs", f"/runs/{run_id}", "/crons", f"/crons/{cron_id}", "/static/tq.css"]
    failing = ["/runs?status=lost", f"/runs/{uuid4()}", "/nope", "/static/nope"]
    for headers in (LOGIN, {}):
        for path in known + failing:
            response = client.get(BASE + path, headers=headers, buffered=True)
            for name, value in SECURITY_HEADERS.items():
                assert response.headers[name] == value, (path, name)
            # Where no header allows another origin to read a response, browsers refuse it.
            assert "Access-Control-Allow-Origin" not in response.headers
    assert client.post(BASE + "/runs").headers["X-Frame-Options"] == "DENY"
    assert client.get("/elsewhere").headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in SECURITY_HEADERS["Content-Security-Policy"]
    assert "unsafe" not in SECURITY_HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/runs", "/runs/{}", "/crons", "/crons/{}"])
def test_a_missing_ticker_is_a_page_inside_the_layout(visitor: Visitor, path: str) -> None:
    response = visitor.get(path.format(uuid4()))
    if "{}" in path:
        assert response.status_code == 404
        assert re.search(r"Request <code>[0-9a-f]{12}</code>", response.text)
    assert 'aria-label="Pages"' in response.text


@pytest.mark.parametrize(("reader", "status"), [(unreachable, 503), (FailingReader, 500)])
@pytest.mark.parametrize("debug", [False, True])
def test_a_failure_shows_a_request_id_and_no_cause(
    reader: Callable[[], TickerQ], status: int, debug: bool, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(reader(), users={"admin": QUICK_HASH})
    app.debug = app.testing = debug
    with caplog.at_level(logging.ERROR, logger="tickerq_dashboard"):
        response = app.test_client().get(BASE + "/runs", headers=LOGIN)
    assert response.status_code == status
    assert "secret" not in response.text
    assert "/srv/app" not in response.text
    assert "Traceback" not in response.text
    (record,) = [each for each in caplog.records if each.name == "tickerq_dashboard.errors"]
    assert (record.exc_info is not None) == (status == 500)
    assert record.request_id == response.headers["X-Request-Id"]
    assert record.request_id in response.text


class SlowReader:
    """A TickerQ whose reads use up their budget."""

    def __getattr__(self, name: str):
        raise QueryTooWideError(2)


def test_a_read_beyond_its_budget_says_to_narrow_the_filter() -> None:
    response = (
        create_app(SlowReader(), users={"admin": QUICK_HASH}).test_client().get(BASE + "/runs", headers=LOGIN)
    )
    assert response.status_code == 503
    assert "Narrow the filter" in response.text


def test_a_store_without_tables_says_how_to_make_them(tmp_path: Path) -> None:
    tickerq = TickerQ(Celery("bare", set_as_current=False), f"sqlite:///{tmp_path}/bare.db")
    app = create_app(tickerq, users={"admin": QUICK_HASH})
    response = app.test_client().get(BASE + "/runs", headers=LOGIN)
    assert response.status_code == 503
    assert "tickerq migrate" in response.text
    tickerq.close()
