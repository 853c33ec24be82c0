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
from playwright.sync_api import Browser

from tests.dashboard.conftest import BASE, LOGIN, PASSWORD, QUICK_HASH, USERS, Visitor
from tests.dashboard.failing import FailingReader, unreachable
from tests.dashboard.page_text import text_in, text_of
from tests.dashboard.running import running
from tests.dashboard.seeds import Seeds, settle
from tickerq_celery import TickerQ, TickerStatus
from tickerq_celery.errors import QueryTooWideError, StoreTimeoutError
from tickerq_dashboard import create_app
from tickerq_dashboard.access.headers import SECURITY_HEADERS

# A word that no line of a phone holds, as long as a reason may be.
WORD = "reconciliation_of_the_warehouse_" * 15


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


@pytest.mark.parametrize(
    ("path", "status", "where", "said"),
    [
        ("/runs/{}", 404, "Runs / Not found", "There is no such run"),
        ("/chains/{}", 404, "Runs / Not found", "There is no such chain"),
        ("/crons/{}", 404, "Cron tickers / Not found", "There is no such cron ticker"),
        ("/functions/Never", 404, "Functions / Not found", "There is no such function"),
        ("/nope", 404, "Not found", "Nothing is at this address"),
        ("/runs?is_late=maybe", 400, "Runs / Not understood", "is_late : write 1 or 0"),
        ("/runs?min_elapsed=long", 400, "Runs / Not understood", "write a time such as 90s or 5min"),
        ("/crons?state=off", 400, "Cron tickers / Not understood", "write one of enabled, paused, failing"),
        ("/runs?cursor=x", 400, "Runs / Not understood", "This page of the list cannot be opened"),
    ],
)
def test_an_error_says_in_words_where_it_is_and_what_one_can_do(
    visitor: Visitor, path: str, status: int, where: str, said: str
) -> None:
    response = visitor.get(path.format(uuid4()))
    assert response.status_code == status
    crumbs = re.search(r'<p class="crumbs">.*?</p>', response.text, re.DOTALL)
    assert crumbs is not None
    assert text_in(crumbs[0]).strip() == where
    assert said in text_of(response.text)


def test_no_error_is_wider_than_a_phone_however_long_its_words(
    browser: Browser, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = seeds.run(status=TickerStatus.FAILED, function=WORD[:200], description=WORD[:500])
    seeds.tickerq.time_tickers.delete(run_id, reason=WORD)
    cron_id = seeds.cron(function=WORD[:200])
    seeds.tickerq.cron_tickers.delete(cron_id, reason=WORD)
    ended = seeds.run(status=TickerStatus.DONE, function=WORD[:200])
    manager = type(seeds.tickerq.runs)
    with running(create_app(seeds.tickerq, users=USERS)) as [(host, port)]:
        base = f"http://{host}:{port}{BASE}"

        def wide(path: str, status: int, *, user: str = "admin", failures: int = 0) -> list[str]:
            context = browser.new_context(
                viewport={"width": 390, "height": 844},
                is_mobile=True,
                http_credentials={"username": user, "password": PASSWORD},
            )
            for _ in range(failures):
                context.request.get(base)
            page = context.new_page()
            answer = page.goto(base + path)
            assert answer is not None
            assert (path, answer.status) == (path, status)
            width = page.evaluate("document.documentElement.scrollWidth")
            context.close()
            return [] if width <= 390 else [f"{path}: {status}: {width} px"]

        found = wide(f"/runs/{run_id}", 410)
        found += wide(f"/crons/{cron_id}", 410)
        found += wide(f"/runs/{uuid4()}", 404)
        found += wide(f"/{WORD}", 404)
        found += wide(f"/functions/{WORD[:150]}", 404)
        found += wide(f"/runs?is_late={WORD}", 400)
        found += wide(f"/runs/{ended}/cancel", 409)
        found += wide("/runs/new", 403, user="vera")
        found += wide("/bulk/ask", 405)
        for error in (QueryTooWideError(2), StoreTimeoutError(2.5)):
            with monkeypatch.context() as patch:
                patch.setattr(manager, "history", raising(error))
                found += wide("/runs?tag=eu", 503)
        found += wide("/", 429, user="nobody", failures=6)
        settle()
    assert not found, "\n".join(found)


def raising(error: Exception) -> Callable[..., None]:
    def read(*_: object, **__: object) -> None:
        raise error

    return read
