"""Tokens of programs: sent of their own accord, so that no form token is needed."""

from collections.abc import Mapping
from hashlib import sha256

import pytest
from flask import Request
from flask.testing import FlaskClient

from tests.dashboard.access.tags import TAG
from tests.dashboard.conftest import BASE, LOGIN, QUICK_HASH, basic
from tests.dashboard.seeds import Seeds
from tickerq_dashboard import create_app
from tickerq_dashboard.routes import ROUTES

TOKEN = "a-tökén-of-a-program"
DIGEST = sha256(TOKEN.encode()).hexdigest()
OTHER = sha256(b"other").hexdigest()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def client(seeds: Seeds, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setattr("tickerq_dashboard.app.ROUTES", (*ROUTES, TAG))
    tokens = {"ci": (sha256(b"ci-token").hexdigest(), "operator"), "eyes": OTHER}
    return create_app(seeds.tickerq, users={"admin": QUICK_HASH}, api_tokens=tokens).test_client()


def test_a_token_logs_a_program_in_with_its_role(client: FlaskClient) -> None:
    acted = client.post(f"{BASE}/tags", data={"name": "eu"}, headers=bearer("ci-token"))
    assert (acted.status_code, acted.text.split()[:3]) == (200, ["ci", "operator", "api"])
    assert client.get(f"{BASE}/health", headers=bearer("other")).status_code == 200
    assert client.post(f"{BASE}/tags", data={"name": "eu"}, headers=bearer("other")).status_code == 403
    assert client.get(f"{BASE}/health", headers=LOGIN).status_code == 200


@pytest.mark.parametrize("token", ["", "ci", "ci-token-", "CI-TOKEN", OTHER, "é", "x" * 10_000])
def test_a_wrong_token_is_refused_and_counted(client: FlaskClient, seeds: Seeds, token: str) -> None:
    answers = [client.get(f"{BASE}/health", headers=bearer(token)) for _ in range(6)]
    assert [each.status_code for each in answers] == [401] * 5 + [429]
    assert answers[0].headers["WWW-Authenticate"] == 'Bearer realm="TickerQ"'
    [entry] = seeds.tickerq.audit.find(action="dashboard.log_in")
    assert (entry.error, entry.count) == ("wrong token", 5)
    # What needs no hashing is not refused for others' failures.
    assert client.get(f"{BASE}/health", headers=bearer("other")).status_code == 200
    assert client.get(f"{BASE}/health", headers=basic("admin", "x")).status_code == 429


@pytest.mark.parametrize(
    ("tokens", "says"),
    [
        ({"ci": "a plain token"}, "SHA-256"),
        ({"ci": DIGEST.upper()}, "SHA-256"),
        ({"ci": (DIGEST, "owner")}, "role"),
        ({"ci": None}, "SHA-256"),
        ({"": DIGEST}, "printable"),
        ({"admin": DIGEST}, "a user has this name"),
    ],
)
def test_a_token_that_could_not_be_kept_apart_is_refused(
    seeds: Seeds, tokens: Mapping[str, str], says: str
) -> None:
    with pytest.raises(ValueError, match=says) as refusal:
        create_app(seeds.tickerq, users={"admin": QUICK_HASH}, api_tokens=tokens)
    assert "api_tokens" in str(refusal.value)
    assert "a plain token" not in str(refusal.value)


def test_tokens_alone_are_no_log_in(seeds: Seeds) -> None:
    with pytest.raises(ValueError, match="no user could log in"):
        create_app(seeds.tickerq, api_tokens={"ci": DIGEST})


def test_tokens_go_with_a_log_in_of_the_host(seeds: Seeds) -> None:
    def auth(request: Request) -> str | None:
        return request.headers.get("X-User")

    app = create_app(seeds.tickerq, auth=auth, secret="0123456789abcdef", api_tokens={"ci": OTHER})
    client = app.test_client()
    assert client.get(f"{BASE}/health").status_code == 401
    assert client.get(f"{BASE}/health", headers={"X-User": "ann"}).status_code == 200
    assert client.get(f"{BASE}/health", headers=bearer("other")).status_code == 200
