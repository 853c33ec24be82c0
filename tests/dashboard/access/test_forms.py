"""What changes something must come from a page that was made for its user; no browser sends it unasked."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.dashboard.access.tags import TAG
from tests.dashboard.access.users import SECRET, as_role, by_role
from tests.dashboard.conftest import BASE, LOGIN, QUICK_HASH, basic
from tests.dashboard.seeds import Seeds
from tickerq_dashboard import create_app, create_blueprint
from tickerq_dashboard.access.csrf import CsrfTokens
from tickerq_dashboard.access.signing import key_of
from tickerq_dashboard.routes import ROUTES

TOKENS = CsrfTokens(key_of(SECRET))


@pytest.fixture(autouse=True)
def _a_route_that_acts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tickerq_dashboard.app.ROUTES", (*ROUTES[:-1], TAG, ROUTES[-1]))


@pytest.fixture
def client(seeds: Seeds) -> FlaskClient:
    return create_app(seeds.tickerq, auth=by_role, secret=SECRET).test_client()


def send(
    client: FlaskClient,
    *,
    token: str | None = None,
    headers: Mapping[str, str] = {},
    role: str = "operator",
    **fields: Any,
) -> Any:
    """Send the form, with the token of the user and route unless another is given."""
    token = TOKENS.token("ann", "tag") if token is None else token
    form = {"csrf_token": token, "name": "eu", **fields}
    return client.post(f"{BASE}/tags", data=form, headers={**as_role(role), **headers})


def test_a_form_of_ours_is_accepted_with_what_it_says(client: FlaskClient) -> None:
    response = send(client, weight="3", colours=["red", "blue"], headers={"Sec-Fetch-Site": "same-origin"})
    assert (response.status_code, response.text) == (200, "ann operator dashboard eu 3 red+blue")


def test_the_token_may_come_in_a_header_beside_json(client: FlaskClient) -> None:
    headers = {**as_role("operator"), "X-CSRF-Token": TOKENS.token("ann", "tag")}
    response = client.post(f"{BASE}/tags", json={"name": "eu", "colours": ["red"]}, headers=headers)
    assert (response.status_code, response.text) == (200, "ann operator dashboard eu 1 red")


def expired() -> str:
    monotonic = time.time
    try:
        time.time = lambda: monotonic() - 12 * 3600 - 2
        return TOKENS.token("ann", "tag")
    finally:
        time.time = monotonic


@pytest.mark.parametrize(
    "token",
    [
        lambda: "",
        lambda: "nonsense",
        lambda: TOKENS.token(None, "tag"),
        lambda: CsrfTokens(b"another key of 32 bytes or so ...").token("ann", "tag"),
        lambda: TOKENS.token("ann", "tag")[:-1] + "!",
        expired,
    ],
)
def test_a_form_without_a_token_of_ours_is_refused(client: FlaskClient, token: Callable[[], str]) -> None:
    response = send(client, token=token())
    assert response.status_code == 403
    assert "no longer valid" in response.text


def test_the_token_of_another_user_is_refused(client: FlaskClient) -> None:
    assert send(client, token=TOKENS.token("bob", "tag")).status_code == 403


def test_the_token_of_another_form_is_refused(client: FlaskClient) -> None:
    assert send(client, token=TOKENS.token("ann", "log_out")).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost:8080"},
        {"Origin": ""},
    ],
)
def test_a_form_of_another_sites_page_is_refused_even_with_a_token(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    assert send(client, headers=headers).status_code == 403
    assert send(client, headers={"Origin": "http://localhost"}).status_code == 200
    # A proxy that ends TLS.
    assert send(client, headers={"Origin": "https://localhost"}).status_code == 200


def test_a_viewer_cannot_act_even_with_a_token_of_their_own(client: FlaskClient) -> None:
    response = send(client, role="viewer")
    assert response.status_code == 403
    assert "Your role does not allow this" in response.text


def test_what_was_refused_is_in_the_audit_under_the_name_of_its_action(
    client: FlaskClient, seeds: Seeds
) -> None:
    send(client, role="viewer")
    send(client, token="nonsense")
    [entry] = seeds.tickerq.audit.find(action="tags.add")
    assert (entry.actor, entry.role, entry.via) == ("ann", "viewer", "dashboard")
    assert entry.error == "needs the permission runs.retry"
    assert entry.count == 2


def test_a_field_that_means_nothing_is_named_without_its_value(client: FlaskClient) -> None:
    response = send(client, weight="secret", name="")
    assert response.status_code == 422
    assert "Nothing was changed" in response.text
    assert "secret" not in response.text


def test_a_body_is_bounded_before_it_is_read(client: FlaskClient) -> None:
    response = send(client, name="x" * 300_000)
    assert response.status_code == 413
    assert 'aria-label="Pages"' in response.text


def test_a_forms_one_time_id_is_that_of_the_operation(seeds: Seeds, client: FlaskClient) -> None:
    assert send(client, operation_id=str(uuid4())).status_code == 200
    assert send(client, operation_id="1").status_code == 422


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_needs_no_token(client: FlaskClient, method: str) -> None:
    headers = {**as_role("viewer"), "Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    assert client.open(f"{BASE}/health", method=method, headers=headers).status_code == 200


def test_two_processes_with_the_same_users_or_secret_accept_each_others_forms(seeds: Seeds) -> None:
    users = {"admin": (QUICK_HASH, "admin")}

    def form_of(client: FlaskClient, headers: Mapping[str, str]) -> str:
        page = client.get(f"{BASE}/logout", headers=dict(headers)).text
        return page.partition('name="csrf_token" value="')[2].partition('"')[0]

    def log_out(client: FlaskClient, token: str) -> int:
        return client.post(f"{BASE}/logout", data={"csrf_token": token}, headers=LOGIN).status_code

    first, second = (create_app(seeds.tickerq, users=users).test_client() for _ in range(2))
    assert log_out(second, form_of(first, LOGIN)) == 401
    other = create_app(seeds.tickerq, users={**users, "bob": QUICK_HASH}).test_client()
    assert log_out(other, form_of(first, LOGIN)) == 403
    given = create_app(seeds.tickerq, users=users, secret=SECRET).test_client()
    assert log_out(given, form_of(first, LOGIN)) == 403
    assert log_out(given, form_of(given, LOGIN)) == 401


def test_a_host_that_logs_users_in_needs_a_secret(seeds: Seeds) -> None:
    with pytest.raises(ValueError, match="secret"):
        create_app(seeds.tickerq, auth=by_role)
    host = Flask("host")
    with pytest.raises(ValueError, match="secret_key"):
        host.register_blueprint(create_blueprint(seeds.tickerq, auth=by_role))
    host.secret_key = SECRET
    host.register_blueprint(create_blueprint(seeds.tickerq, auth=by_role), name="other")
    token = CsrfTokens(SECRET.encode()).token("ann", "tag")
    assert send(host.test_client(), token=token).status_code == 200


def test_logging_out_is_refused_by_a_scheme_that_makes_browsers_forget(seeds: Seeds) -> None:
    client = create_app(seeds.tickerq, users={"admin": QUICK_HASH}).test_client()
    page = client.get(f"{BASE}/logout", headers=LOGIN).text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    assert client.post(f"{BASE}/logout", headers=LOGIN).status_code == 403
    response = client.post(f"{BASE}/logout", data={"csrf_token": token}, headers=LOGIN)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'xBasic realm="TickerQ"'
    assert response.headers["Cache-Control"] == "no-store"
    assert "Clear-Site-Data" not in response.headers
    assert f'href="{BASE}/logout"' in client.get(BASE, headers=LOGIN).text


def test_a_host_that_logs_users_in_is_named_as_the_one_to_log_out_of(client: FlaskClient) -> None:
    page = client.get(f"{BASE}/logout", headers=as_role("viewer")).text
    assert "no log-in of its own" in page
    assert '<form method="post"' not in page


@pytest.mark.parametrize(
    ("headers", "scheme"),
    [
        ({}, "Basic"),
        ({"Sec-Fetch-Dest": "document"}, "Basic"),
        ({"Sec-Fetch-Dest": "style"}, "Basic"),
        ({"Sec-Fetch-Dest": "script", "Sec-Fetch-Mode": "cors"}, "Basic"),
        ({"Sec-Fetch-Dest": "empty"}, "xBasic"),
        ({"X-Requested-With": "fetch"}, "xBasic"),
    ],
)
def test_a_script_is_not_answered_so_that_the_browser_asks_for_a_password(
    seeds: Seeds, headers: dict[str, str], scheme: str
) -> None:
    client = create_app(seeds.tickerq, users={"admin": QUICK_HASH}).test_client()
    for given in ({}, basic("admin", "wrong")):
        refused = client.get(f"{BASE}/runs", headers={**headers, **given})
        assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (
            401,
            f'{scheme} realm="TickerQ"',
        )


def test_a_route_keeps_its_refusals_under_its_own_name_where_it_has_no_action(
    seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tickerq_dashboard.app.ROUTES", (*ROUTES, replace(TAG, audit=None)))
    send(create_app(seeds.tickerq, auth=by_role, secret=SECRET).test_client(), role="viewer")
    assert len(seeds.tickerq.audit.find(action="dashboard.tag")) == 1
