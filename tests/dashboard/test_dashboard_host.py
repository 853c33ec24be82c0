"""The dashboard as a guest in another application."""

import re
from urllib.parse import urljoin
from uuid import uuid4

import pytest
from flask import Flask
from flask_wtf.csrf import CSRFProtect

from tests.dashboard.conftest import LOGIN, QUICK_HASH
from tests.dashboard.seeds import Seeds
from tickerq_celery import TickerStatus
from tickerq_dashboard import create_blueprint
from tickerq_dashboard.access.headers import SECURITY_HEADERS


def host_app(seeds: Seeds) -> Flask:
    host = Flask("host")

    @host.get("/")
    def home() -> str:
        return "the host's own page"

    @host.errorhandler(404)
    def missing(error: Exception) -> tuple[str, int]:
        return "the host's own 404", 404

    @host.get("/admin/tickerq-other")
    def neighbour() -> str:
        return "a neighbour"

    host.jinja_env.autoescape = False
    host.register_blueprint(
        create_blueprint(seeds.tickerq, users={"admin": QUICK_HASH}, base_path="/admin/tickerq")
    )
    return host


def test_a_host_keeps_its_own_pages_open_and_the_dashboard_closed(seeds: Seeds) -> None:
    client = host_app(seeds).test_client()
    for path in ("/", "/admin/tickerq-other"):
        response = client.get(path)
        assert response.status_code == 200
        assert "Content-Security-Policy" not in response.headers
    assert client.get("/elsewhere").text == "the host's own 404"
    for path in ("", "/", "/runs", "/nope", "/static/tq.css"):
        response = client.get(f"/admin/tickerq{path}")
        assert response.status_code == 401
        assert SECURITY_HEADERS.items() <= dict(response.headers).items()
    assert client.get("/admin/tickerq", headers=LOGIN).status_code == 200
    for path in ("/nope", "/static/nope", f"/runs/{uuid4()}"):
        response = client.get(f"/admin/tickerq{path}", headers=LOGIN)
        assert response.status_code == 404
        assert ("There is no such run" if "runs" in path else "Nothing is at this address") in response.text
        assert SECURITY_HEADERS.items() <= dict(response.headers).items()


def test_a_host_cannot_switch_escaping_off_by_accident(seeds: Seeds) -> None:
    seeds.run(function="<svg onload=x>")
    page = host_app(seeds).test_client().get("/admin/tickerq/runs", headers=LOGIN).text
    assert "<svg onload" not in page


@pytest.mark.parametrize("base_path", ["/admin/tickerq", "/admin/tickerq/", "/"])
def test_every_link_stays_below_the_base_path_and_a_proxys_prefix(seeds: Seeds, base_path: str) -> None:
    run_id, cron_id = seeds.run(status=TickerStatus.DONE), seeds.cron()
    rows = {"/runs": run_id, "/crons": cron_id}
    host = Flask("host", static_folder=None)
    host.register_blueprint(create_blueprint(seeds.tickerq, users={"admin": QUICK_HASH}, base_path=base_path))
    client = host.test_client()
    below = base_path.rstrip("/")
    for path in ("/", "/runs", f"/runs/{run_id}", "/crons", f"/crons/{cron_id}"):
        response = client.get(
            below + path,
            headers=LOGIN | {"Host": "evil.example"},
            environ_overrides={"SCRIPT_NAME": "/behind"},
        )
        assert response.status_code == 200
        links = re.findall(r'(?:href|src|action)="([^#"][^"]*)"', response.text)
        assert len(links) > 5
        addresses = {urljoin(f"/behind{below}{path}", link) for link in links}
        assert all(each.startswith(f"/behind{below}/") for each in addresses), addresses
        if path in rows:
            assert f"/behind{below}{path}/{rows[path]}" in addresses
        assert "evil.example" not in response.text


def test_two_dashboards_can_live_in_one_application(seeds: Seeds) -> None:
    host = Flask("host")
    for name in ("one", "two"):
        blueprint = create_blueprint(seeds.tickerq, users={"admin": QUICK_HASH}, base_path=f"/{name}")
        host.register_blueprint(blueprint, name=name)
    page = host.test_client().get("/two/runs", headers=LOGIN).text
    assert 'href="/two/crons"' in page
    assert 'href="/one' not in page


@pytest.mark.parametrize(("is_exempt", "status"), [(False, 400), (True, 303)])
def test_a_host_that_guards_all_forms_exempts_the_dashboard_which_guards_its_own(
    seeds: Seeds, *, is_exempt: bool, status: int
) -> None:
    host = Flask("host")
    host.secret_key = "the host's own secret"
    csrf = CSRFProtect(host)
    blueprint = create_blueprint(seeds.tickerq, users={"admin": (QUICK_HASH, "admin")})
    host.register_blueprint(blueprint)
    if is_exempt:
        csrf.exempt(blueprint)
    client, run_id = host.test_client(), seeds.run(status=TickerStatus.FAILED)
    page = client.get(f"{blueprint.url_prefix}/runs/{run_id}", headers=LOGIN).text
    form = re.search(r'action="([^"]*/retry)".*?</form>', page, re.DOTALL)
    assert form is not None
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form[0]))
    assert client.post(form[1], data=fields, headers=LOGIN).status_code == status
    if is_exempt:
        assert client.post(form[1], headers=LOGIN).status_code == 403
