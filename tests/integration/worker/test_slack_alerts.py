"""The example of an alert in Slack, against a server of this machine."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any, NoReturn

import pytest

from examples.slack_alerts.handler import SlackAlerts
from tests.integration.apps import add_run, dispatch_due, execute, ticker_app
from tests.manual_clock import ManualClock
from tickerq_celery import TickerQ, TickerStatus

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


class Webhook(HTTPServer):
    """Keeps what is posted to it, and answers with one status."""

    def __init__(self, status: int) -> None:
        self.posted: list[tuple[str, str, Any]] = []
        posted = self.posted

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                posted.append((self.path, self.headers["Content-Type"], json.loads(body)))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Write nothing."""

        super().__init__(("127.0.0.1", 0), Answering)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/services/T0/B0/x"


@pytest.fixture(params=[200])
def webhook(request: pytest.FixtureRequest) -> Iterator[Webhook]:
    with Webhook(request.param) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock, webhook: Webhook) -> Iterator[TickerQ]:
    handler = SlackAlerts(webhook.address, "https://shop.example/tickerq/")
    with ticker_app(store_url, namespace, clock, exception_handler=handler) as made:
        yield made


def fails() -> NoReturn:
    raise OSError("no route to <mail> & back")


def test_slack_gets_one_message_when_no_attempt_follows(
    tickerq: TickerQ, clock: ManualClock, webhook: Webhook
) -> None:
    run = add_run(tickerq, fails, retries=1, retry_intervals=[60])
    execute(tickerq)
    assert webhook.posted == []
    clock.advance(minutes=1)
    dispatch_due(tickerq)
    execute(tickerq)
    text = (
        f"*{run.function}* has failed: OSError: no route to &lt;mail&gt; &amp; back (2 attempts)\n"
        f"<https://shop.example/tickerq/runs/{run.id}|Look at it>"
    )
    assert webhook.posted == [("/services/T0/B0/x", "application/json", {"text": text})]


@pytest.mark.parametrize("webhook", [500], indirect=True)
def test_a_webhook_that_refuses_is_logged_and_changes_no_run(
    tickerq: TickerQ, webhook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    run = add_run(tickerq, fails)
    execute(tickerq)
    assert tickerq.runs.get(run.id).status is TickerStatus.FAILED
    assert f"the exception handler failed for run {run.id}" in caplog.text
    assert "HTTP Error 500" in caplog.text
    assert "/services/" not in caplog.text


def test_its_settings_are_of_the_environment_and_the_webhook_is_shown_nowhere(
    monkeypatch: pytest.MonkeyPatch, store_url: str
) -> None:
    monkeypatch.setenv("SLACK_WEBHOOK", "https://hooks.example/secret")
    monkeypatch.setenv("TICKERQ_DASHBOARD", "https://shop.example/tickerq")
    handler = SlackAlerts()
    assert handler.webhook == "https://hooks.example/secret"
    assert "secret" not in repr(handler)
