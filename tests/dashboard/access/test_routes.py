"""The route table: what is served is what it says, to whom it says."""

import inspect
from dataclasses import replace
from typing import get_type_hints

import pytest
from flask import Flask, Request
from pydantic import BaseModel

from tests.dashboard.access.route_addresses import address_of, samples_in
from tests.dashboard.access.users import SECRET, as_role, by_role
from tests.dashboard.conftest import BASE
from tests.dashboard.seeds import Seeds
from tests.thoroughness import in_verify
from tickerq_dashboard import User, create_app
from tickerq_dashboard.access.roles import ROLES, Permission
from tickerq_dashboard.app import create_blueprint
from tickerq_dashboard.routes import ROUTES
from tickerq_dashboard.routing import Route
from tickerq_dashboard.visits import Visit

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW")
# What a stranger and a viewer may not is what matters; each of them sends nine methods to each route.
VISITORS = (None, "viewer", *(in_verify(role) for role in ROLES if role != "viewer"))


def answered(route: Route) -> set[str]:
    """Return the methods that Flask answers for a row."""
    return {route.method, "OPTIONS"} | ({"HEAD"} if route.method == "GET" else set())


@pytest.mark.parametrize("role", VISITORS)
def test_each_route_answers_each_method_to_whom_the_table_says(seeds: Seeds, role: str | None) -> None:
    app = create_app(seeds.tickerq, auth=by_role, secret=SECRET)
    client = app.test_client()
    samples = samples_in(seeds)
    paths: dict[str, list[Route]] = {}
    for route in ROUTES:
        paths.setdefault(address_of(app, route, samples), []).append(route)
    for address, routes in paths.items():
        for method in METHODS:
            route = next((each for each in routes if method in answered(each)), None)
            # A wrong method is wrong for every role alike.
            if route is None and role not in {None, "viewer"}:
                continue
            response = client.open(address, method=method, headers=as_role(role), buffered=True)
            assert response.status_code in expected(route, role, method), (address, method)


def expected(route: Route | None, role: str | None, method: str) -> set[int]:
    if route is not None and route.permission is None:
        return {200, 503}
    if role is None:
        return {401}
    if route is None:
        return {405}
    if route.permission not in ROLES[role]:
        return {403}
    if method == route.method and route.is_unsafe:
        return {403}
    if route.name.startswith("ask_") and method != "OPTIONS":
        # What the state of the sample does not allow.
        return {200, 409}
    if route.name == "unknown" and method != "OPTIONS":
        return {404}
    return {200}


def test_only_rows_of_the_table_are_served(seeds: Seeds) -> None:
    app = create_app(seeds.tickerq, auth=by_role, secret=SECRET)
    served = {rule.endpoint for rule in app.url_map.iter_rules()} - {"root"}
    assert served == {f"tickerq_dashboard.{route.name}" for route in ROUTES}
    blueprint = create_blueprint(seeds.tickerq, auth=by_role, secret=SECRET)
    with pytest.raises(TypeError, match="row of its route table"):
        blueprint.add_url_rule("/door", "door", lambda: "open")
    with pytest.raises(TypeError, match="row of its route table"):
        blueprint.get("/door")(lambda: "open")


def test_an_address_that_gets_in_beside_the_table_is_not_answered(seeds: Seeds) -> None:
    app = Flask("host")
    app.register_blueprint(create_blueprint(seeds.tickerq, auth=by_role, secret=SECRET))
    app.add_url_rule(f"{BASE}/side/door", "tickerq_dashboard.door", lambda: "open")
    response = app.test_client().get(f"{BASE}/side/door", headers=as_role("admin"))
    assert response.status_code == 404


def test_each_handler_takes_what_its_row_says() -> None:
    for route in ROUTES:
        hints = get_type_hints(route.handler)
        assert hints["visit"] is Visit, route.name
        assert hints.get("query") is route.query, route.name
        assert hints.get("command") is route.command, route.name
        assert set(inspect.signature(route.handler).parameters) == set(hints) - {"return"}, route.name


def test_what_changes_something_has_a_permission_and_only_that_has_a_body() -> None:
    row = next(route for route in ROUTES if route.permission is None)
    with pytest.raises(ValueError, match="needs a permission"):
        replace(row, method="POST")
    with pytest.raises(ValueError, match="has no body"):
        replace(row, command=BaseModel)


def test_no_permission_belongs_to_a_lesser_role_alone() -> None:
    assert ROLES["viewer"] < ROLES["operator"] < ROLES["admin"] == set(Permission)


@pytest.mark.parametrize(
    ("permissions", "says"),
    [
        ({"owner": ["view"]}, "one of viewer, operator, admin"),
        ({"viewer": ["runs.explode"]}, "runs.explode"),
        ({"viewer": "view"}, "no such permission"),
    ],
)
def test_a_role_or_permission_that_does_not_exist_is_refused(
    seeds: Seeds, permissions: dict[str, list[str]], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        create_app(seeds.tickerq, auth="none", permissions=permissions)


def test_a_role_has_the_permissions_that_it_is_given(seeds: Seeds, monkeypatch: pytest.MonkeyPatch) -> None:
    audit = replace(ROUTES[0], path="/audits", name="audits", permission=Permission.AUDIT_VIEW)
    monkeypatch.setattr("tickerq_dashboard.app.ROUTES", (*ROUTES, audit))
    usual = create_app(seeds.tickerq, auth=by_role, secret=SECRET).test_client()
    fewer = create_app(seeds.tickerq, auth=by_role, secret=SECRET, permissions={"viewer": []}).test_client()
    assert usual.get(f"{BASE}/audits", headers=as_role("viewer")).status_code == 200
    refused = fewer.get(f"{BASE}/audits", headers=as_role("viewer"))
    assert refused.status_code == 403
    assert "Your role does not allow this" in refused.text
    assert fewer.get(f"{BASE}/audits", headers=as_role("operator")).status_code == 200
    assert fewer.get(BASE, headers=as_role("viewer")).status_code == 200


def test_a_stranger_learns_neither_methods_nor_addresses(seeds: Seeds) -> None:
    app = Flask("host")
    app.register_blueprint(create_blueprint(seeds.tickerq, auth=by_role, secret=SECRET))
    client = app.test_client()
    for method, path in (("POST", "/runs"), ("BREW", "/"), ("GET", "//runs"), ("DELETE", "//nowhere")):
        refused = client.open(BASE + path, method=method, headers={"Host": "evil.example"})
        assert refused.status_code == 401, path
        assert "Allow" not in refused.headers
        assert "Location" not in refused.headers
        assert refused.headers["X-Frame-Options"] == "DENY"
    known = client.post(f"{BASE}/runs", headers=as_role("viewer"))
    assert (known.status_code, known.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert "Nothing was changed" in known.text
    slashes = client.get(f"{BASE}//runs", headers=as_role("viewer"))
    assert slashes.status_code == 404
    assert 'aria-label="Pages"' in slashes.text


def test_a_stranger_is_not_shown_the_layout_when_the_log_in_fails(seeds: Seeds) -> None:
    def failing(request: Request) -> None:
        raise LookupError("secret detail")

    client = create_app(seeds.tickerq, auth=failing, secret=SECRET).test_client()
    for method in ("GET", "POST"):
        response = client.open(f"{BASE}/runs", method=method)
        assert response.status_code == 500
        assert 'aria-label="Pages"' not in response.text
        assert "secret detail" not in response.text
        assert response.headers["X-Request-Id"] in response.text


@pytest.mark.parametrize("user", [User(name="ann", role="owner"), User(name="", role="admin"), 1])
def test_a_user_of_the_host_without_name_or_known_role_is_refused(seeds: Seeds, user: object) -> None:
    client = create_app(seeds.tickerq, auth=lambda _: user, secret=SECRET).test_client()  # type: ignore[arg-type, return-value]
    assert client.get(BASE).status_code == 500
