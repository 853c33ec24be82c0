"""Hosts and prefixes that a request names, and what travels over the network as it is."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.middleware.proxy_fix import ProxyFix

from tests.dashboard.conftest import BASE, LOGIN, QUICK_HASH
from tests.dashboard.seeds import Seeds
from tickerq_dashboard import create_app

USERS = {"admin": QUICK_HASH}
WARNING = "travel as they are"


@pytest.mark.parametrize(
    "prefix", ["//evil.example", "///evil.example", "/\\evil.example", "\\\\evil", "/a\\b"]
)
def test_a_prefix_that_would_turn_links_to_another_host_is_refused(app: Flask, prefix: str) -> None:
    app.wsgi_app = ProxyFix(app.wsgi_app, x_prefix=1)  # type: ignore[method-assign]
    client = app.test_client()
    for path in ("/", f"{BASE}/", f"{BASE}/runs", f"{BASE}/nope", f"{BASE}//x"):
        response = client.get(path, headers=LOGIN | {"X-Forwarded-Prefix": prefix})
        assert response.status_code == 400, path
        assert "evil" not in response.text
        assert "Location" not in response.headers
    assert client.get(f"{BASE}/health", headers=LOGIN | {"X-Forwarded-Prefix": "/behind"}).status_code == 200


def test_only_allowed_hosts_are_answered_where_they_are_listed(seeds: Seeds) -> None:
    hosts = ["tickers.example", ".internal.example"]
    client = create_app(seeds.tickerq, users=USERS, allowed_hosts=hosts).test_client()

    def status(host: str, path: str = "/health") -> int:
        return client.get(BASE + path, headers=LOGIN | {"Host": host}).status_code

    for host in ("tickers.example", "tickers.example:8443", "a.internal.example"):
        assert status(host) == 200, host
    for host in ("evil.example", "tickers.example.evil.example", "localhost", ""):
        assert status(host) == 400, host
        assert status(host, "/nope") == 400
        assert status(host, "//x") == 400
    # A probe asks by an address that no list has.
    assert status("10.1.2.3:8080", "/livez") == 200


def test_a_list_of_hosts_is_no_text(seeds: Seeds) -> None:
    with pytest.raises(ValueError, match="allowed_hosts"):
        create_app(seeds.tickerq, users=USERS, allowed_hosts="tickers.example")


@pytest.mark.parametrize("path", ["/runs", "//runs", "/a//b"])
def test_doubled_slashes_lead_nowhere(client: FlaskClient, path: str) -> None:
    response = client.get(f"/{BASE}{path}", headers=LOGIN | {"Host": "evil.example"})
    assert response.status_code == 404
    assert "Location" not in response.headers


@pytest.mark.parametrize("host", ["localhost", "localhost:5556", "127.0.0.1:80", "[::1]:5556", "a.localhost"])
def test_nothing_is_said_of_http_on_this_machine(client: FlaskClient, host: str) -> None:
    assert WARNING not in client.get(f"{BASE}/health", headers=LOGIN | {"Host": host}).text


@pytest.mark.parametrize(
    "host", ["tickers.example", "10.0.0.1:5556", "[2001:db8::1]", "localhost.evil.example"]
)
def test_every_page_says_so_where_passwords_travel_as_they_are(client: FlaskClient, host: str) -> None:
    for path in ("/health", "/nope"):
        assert WARNING in client.get(BASE + path, headers=LOGIN | {"Host": host}).text
        secure = client.get(BASE + path, headers=LOGIN | {"Host": host}, base_url=f"https://{host}")
        assert WARNING not in secure.text


def test_a_notice_stands_on_every_page_for_those_who_are_logged_in(seeds: Seeds) -> None:
    notice = "A <b>demonstration</b>"
    client = create_app(seeds.tickerq, users=USERS, notice=notice).test_client()
    for path in ("/", "/runs", "/runs/active", "/crons", "/crons/new", "/audit", "/help", "/logout", "/nope"):
        assert "A &lt;b&gt;demonstration&lt;/b&gt;" in client.get(BASE + path, headers=LOGIN).text, path
    assert "demonstration" not in client.get(BASE).text
