"""No page is shown without a login."""

import logging
from uuid import uuid4

import pytest
from flask import Flask, Request, abort
from flask.testing import FlaskClient
from werkzeug.security import generate_password_hash

from tests.dashboard.conftest import BASE, LOGIN, PASSWORD, QUICK_HASH, basic
from tests.dashboard.seeds import Seeds
from tickerq_dashboard import create_app, create_blueprint
from tickerq_dashboard.access.credentials import VerifiedCredentials
from tickerq_dashboard.routes import ROUTES

RUN_ID = uuid4()
READING = {"GET", "HEAD", "OPTIONS"}
SECRET = "0123456789abcdef"

# What needs no log-in: tests of their own say what these answer.
PROBES = {f"{BASE}/{name}" for name in ("livez", "readyz", "healthz")}
UNKNOWN = [
    "/nope",
    "/api/v1/x.js",
    "/assets/../api",
    "/static/../pages.py",
    "/static/..%2fpages.py",
    "/static/%2e%2e/%2e%2e/pages.py",
    "/static/..%5cpages.py",
    "/static//etc/passwd",
    "/static/nope.css",
    "/runs/not-an-id",
    "/runs/",
    "/crons/%00",
    "/%ff%fe",
    "/é/" + "a" * 3000,
]


def every_address(app: Flask) -> list[str]:
    """An address for each route of the dashboard; "/" before it only leads there."""
    samples = {
        "run_id": RUN_ID,
        "cron_id": RUN_ID,
        "job_id": RUN_ID,
        "filename": "tq.css",
        "address": "a/b",
        "name": "Send",
    }
    adapter = app.url_map.bind("localhost")
    return [
        adapter.build(rule.endpoint, {name: samples[name] for name in rule.arguments})
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "root"
    ]


@pytest.mark.parametrize("method", sorted(READING))
def test_every_route_is_closed_without_credentials(app: Flask, client: FlaskClient, method: str) -> None:
    addresses = every_address(app)
    assert set(addresses) >= PROBES
    for address in set(addresses) - PROBES:
        response = client.open(address, method=method)
        assert response.status_code == 401, address
        assert response.headers["WWW-Authenticate"] == 'Basic realm="TickerQ"'


@pytest.mark.parametrize("path", UNKNOWN)
def test_an_unknown_address_is_closed_too(client: FlaskClient, path: str) -> None:
    assert client.get(BASE + path, follow_redirects=True).status_code == 401
    assert client.get(BASE + path, follow_redirects=True, headers=LOGIN).status_code == 404


def test_the_base_path_opens_with_and_without_a_slash(client: FlaskClient) -> None:
    for path in ("", "/"):
        assert client.get(BASE + path).status_code == 401
        assert client.get(BASE + path, headers=LOGIN).status_code == 200


def test_only_rows_of_actions_change_something(app: Flask) -> None:
    acting = {rule.endpoint for rule in app.url_map.iter_rules() if not set(rule.methods or ()) <= READING}
    assert acting == {f"tickerq_dashboard.{route.name}" for route in ROUTES if route.is_unsafe}
    sent = app.url_map.bind("localhost")
    ids = {"run_id": RUN_ID, "cron_id": RUN_ID, "job_id": RUN_ID}
    doors = {
        (route.method, sent.build(f"tickerq_dashboard.{route.name}", ids, route.method, append_unknown=False))
        for route in ROUTES
        if route.is_unsafe
    }
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for address in set(every_address(app)) - {path for door, path in doors if door == method}:
            response = app.test_client().open(address, method=method, headers=LOGIN)
            assert response.status_code == 405


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("admin", "wrong"),
        ("admin", ""),
        ("", PASSWORD),
        ("", ""),
        ("nobody", PASSWORD),
        ("ADMIN", PASSWORD),
        ("admin", PASSWORD + "\0"),
        ("admin", "x" * 5000),
        pytest.param("admin", QUICK_HASH, id="the hash itself"),
    ],
)
def test_wrong_credentials_are_refused(client: FlaskClient, name: str, password: str) -> None:
    assert client.get(BASE, headers=basic(name, password)).status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic ",
        "Basic !!!!",
        "Basic YWRtaW4",
        "Basic YWRtaW4=",
        "Basic gICA",
        "Basic //79/P==",
        "Basic AAAA",
        "Basic a=b",
        'Basic username="admin"',
        "Bearer abc",
        'Digest username="admin", response="x"',
        "=",
        ", =,",
        "\x01\x02",
        "Basic " + "A" * 60_000,
        "Basic é",
    ],
)
def test_a_malformed_header_is_no_error_of_the_server(client: FlaskClient, header: str) -> None:
    assert client.get(BASE, headers={"Authorization": header}).status_code == 401


def test_a_right_password_is_not_hashed_at_each_request(
    seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []

    def check(password_hash: str, password: str) -> bool:
        hashed.append(password)
        return password == PASSWORD

    client = create_app(seeds.tickerq, users={"admin": QUICK_HASH}).test_client()
    monkeypatch.setattr("tickerq_dashboard.access.credentials.fits", check)
    for _ in range(5):
        assert client.get(BASE, headers=LOGIN).status_code == 200
    assert hashed == [PASSWORD]
    for _ in range(2):
        assert client.get(BASE, headers=basic("admin", "wrong")).status_code == 401
    assert hashed == [PASSWORD, "wrong", "wrong"]


def test_an_unknown_name_costs_what_a_wrong_password_costs(
    seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = "scrypt:16384:8:1"
    hashed: list[str] = []

    def check(password_hash: str, password: str) -> bool:
        hashed.append(password_hash.partition("$")[0])
        return False

    client = create_app(
        seeds.tickerq, users={"admin": generate_password_hash(PASSWORD, method=method)}
    ).test_client()
    monkeypatch.setattr("tickerq_dashboard.access.credentials.fits", check)
    for name in ("admin", "nobody"):
        assert client.get(BASE, headers=basic(name, "wrong")).status_code == 401
    assert hashed == [method, method]


def test_remembered_credentials_expire_are_bounded_and_hold_no_password() -> None:
    now = [0.0]
    verified = VerifiedCredentials(lifetime=300, limit=2, monotonic=lambda: now[0])
    first, second, third = (("admin", f"secret-{number}", "hash") for number in range(3))
    verified.add(first)
    assert verified.use(first)
    assert not verified.use(("admin", "secret-0", "another hash"))
    assert not verified.use(("admins", "ecret-0", "hash"))
    assert "secret" not in repr(vars(verified))
    now[0] = 301
    assert not verified.use(first)
    verified.add(second)
    verified.add(third)
    assert verified.use(second)
    verified.add(first)
    # Used the longest ago.
    assert not verified.use(third)
    assert verified.use(second)
    assert verified.use(first)


@pytest.mark.parametrize(
    ("users", "says"),
    [
        (None, "no user could log in"),
        ({}, "no user could log in"),
        ({"ann": "secure-password"}, "'ann'"),
        ({"ann": "plain$salt$secret"}, "'ann'"),
        ({"ann": "md5$salt$0123"}, "'ann'"),
        ({"ann": "scrypt:7:8:1$salt$0123"}, "'ann'"),
        ({"ann": "scrypt:x$salt$0123"}, "'ann'"),
        ({"ann": "pbkdf2:nohash:1$salt$0123"}, "'ann'"),
        ({"ann": "pbkdf2:sha256:0$salt$0123"}, "'ann'"),
        ({"ann": "pbkdf2:md5:1000000$salt$0123"}, "too quick"),
        ({"ann": "scrypt:1024:8:1$salt$0123"}, "too quick"),
        ({"ann": "scrypt:32768:8$salt$0123"}, "'ann'"),
        ({"ann": "$argon2i$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"}, "'ann'"),
        ({"code": QUICK_HASH}, "reserved"),
        ({"TickerQ": QUICK_HASH}, "reserved"),
        ({"ann\u202e": QUICK_HASH}, "printable"),
        ({"ann": "scrypt:"}, "'ann'"),
        ({"ann": ""}, "'ann'"),
        ({"ann": None}, "'ann'"),
        ({"ann": generate_password_hash("", method="pbkdf2:sha256:1")}, "empty password"),
        ({"ann": (QUICK_HASH, "owner")}, "role"),
        ({"ann": (QUICK_HASH,)}, "'ann'"),
        ({"ann:": QUICK_HASH}, "colon"),
        ({"": QUICK_HASH}, "printable"),
        ({"bob": QUICK_HASH, "ann": "secure-password"}, "'ann'"),
    ],
)
def test_a_dashboard_without_safe_logins_is_not_built(seeds: Seeds, users, says: str) -> None:
    for build in (create_app, create_blueprint):
        with pytest.raises(ValueError, match="users") as refusal:
            build(seeds.tickerq, users=users)
        assert says in str(refusal.value)
        assert "secure-password" not in str(refusal.value)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"usres": {}}, "usres"),
        ({"auth": "None"}, "auth"),
        ({"auth": "basic"}, "auth"),
        ({"auth": True}, "auth"),
        ({"auth": "none", "users": {"ann": QUICK_HASH}}, "not both"),
        ({"auth": "none", "base_path": "admin"}, "base_path"),
        ({"auth": "none", "base_path": ""}, "base_path"),
        ({"auth": "none", "base_path": "/a/<b>"}, "base_path"),
        ({"auth": "none", "page_size": 0}, "page_size"),
        ({"auth": "none", "page_size": 10**9}, "page_size"),
        ({"auth": "none", "secret": "short"}, "secret"),
        ({"auth": "none", "notice": "x" * 201}, "notice"),
    ],
)
def test_an_option_that_means_nothing_is_refused(seeds: Seeds, options, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        create_app(seeds.tickerq, **options)


def test_a_user_may_have_a_role(seeds: Seeds) -> None:
    client = create_app(seeds.tickerq, users={"admin": (QUICK_HASH, "admin")}).test_client()
    assert client.get(BASE, headers=LOGIN).status_code == 200


def test_a_dashboard_without_log_in_says_so(seeds: Seeds, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        client = create_app(seeds.tickerq, auth="none").test_client()
    assert "no log-in" in caplog.text
    assert "No log-in is asked for" in client.get(BASE).text


def test_the_host_can_say_who_is_there(seeds: Seeds) -> None:
    def auth(request: Request) -> str | None:
        if request.headers.get("X-User") == "banned":
            abort(403)
        return request.headers.get("X-User")

    client = create_app(seeds.tickerq, auth=auth, secret=SECRET).test_client()
    refused = client.get(BASE)
    assert refused.status_code == 401
    assert "Basic" not in refused.headers["WWW-Authenticate"]
    assert client.get(BASE, headers={"X-User": ""}).status_code == 401
    assert client.get(BASE, headers={"X-User": "banned"}).status_code == 403
    assert ">ann<" in client.get(BASE, headers={"X-User": "ann"}).text


@pytest.mark.parametrize("answer", [True, 1, ["ann"], b"ann"])
def test_a_host_that_does_not_name_the_user_refuses_every_request(seeds: Seeds, answer) -> None:
    assert (
        create_app(seeds.tickerq, auth=lambda _: answer, secret=SECRET).test_client().get(BASE).status_code
        == 500
    )


def test_a_host_check_that_fails_refuses_every_request(seeds: Seeds) -> None:
    def auth(request: Request) -> str | None:
        raise LookupError("secret detail")

    response = create_app(seeds.tickerq, auth=auth, secret=SECRET).test_client().get(BASE)
    assert response.status_code == 500
    assert "secret detail" not in response.text
