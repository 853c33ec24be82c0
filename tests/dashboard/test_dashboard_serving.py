"""The examples that put the dashboard into another program, run as they stand in their pages."""

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from flask import Flask
from flask_login import UserMixin, login_user, logout_user
from werkzeug.test import Client

from tests.acceptance.waiting import wait_until
from tests.dashboard.conftest import LOGIN, QUICK_HASH
from tests.dashboard.seeds import Seeds
from tests.pages import BLOCK, ROOT, text_of
from tests.servers.ports import free_port

PAGES = ("docs/how-to/mount-the-dashboard.md", "docs/how-to/serve-the-dashboard.md")
OPS = "/ops/tickers"
SECONDS = 60.0


def block_with(words: str) -> str:
    """The one block of the pages that has some words."""
    blocks = [match["text"] for page in PAGES for match in BLOCK.finditer(text_of(page))]
    [found] = [block for block in blocks if words in block]
    return found


def executed(words: str, **names: Any) -> dict[str, Any]:
    """What a block of the page defines, given what it takes from the reader's project."""
    exec(block_with(words), names)
    return names


class Member(UserMixin):
    """A user of a host."""

    def __init__(self, name: str) -> None:
        self.id, self.is_staff = name, name == "ann"


def test_users_of_flask_login_are_those_of_the_dashboard(
    seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "0123456789abcdef")
    web: Flask = executed("from flask_login", tickerq=seeds.tickerq, load_user=Member, __name__="web")["web"]
    web.add_url_rule("/in/<name>", "in", lambda name: str(login_user(Member(name))))
    web.add_url_rule("/out", "out", lambda: str(logout_user()))
    client = web.test_client()
    pages = ("/admin/tickerq/runs", "/admin/tickerq/pauses/pause")

    def statuses() -> list[int]:
        return [client.get(page).status_code for page in pages]

    assert statuses() == [401, 401]
    client.get("/in/ann")
    assert statuses() == [200, 200]
    assert ">ann<" in client.get(pages[0]).text
    client.get("/in/ben")
    assert statuses() == [200, 403]
    client.get("/out")
    assert statuses() == [401, 401]


def test_it_is_mounted_beside_djangos_pages(seeds: Seeds, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpRequest, HttpResponse
    from django.urls import path

    def home(request: HttpRequest) -> HttpResponse:
        return HttpResponse(f"Django's own page, {request.path}")

    urls = ModuleType("urls_of_a_test")
    urls.urlpatterns = [path("", home), path("shop/", home)]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, urls.__name__, urls)
    settings.configure(
        ROOT_URLCONF=urls.__name__,
        ALLOWED_HOSTS=["*"],
        MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
        LOGGING_CONFIG=None,
    )
    given = {"tickerq": seeds.tickerq, "password_hash": QUICK_HASH}
    names = executed("DispatcherMiddleware(", application=get_wsgi_application(), **given)
    client = Client(names["application"])
    assert client.get("/shop/").text == "Django's own page, /shop/"
    assert client.get("/shop").location == "/shop/"
    assert client.get(f"{OPS}/runs").status_code == 401
    page = client.get(f"{OPS}/runs", headers=LOGIN)
    assert page.status_code == 200
    links = re.findall(r'(?:href|src|action)="([^"]*)"', page.text)
    assert len(links) > 5
    assert [link for link in links if not link.startswith((f"{OPS}/", "#", "runs"))] == []


@pytest.mark.verify
def test_gunicorn_serves_it_by_the_command_of_the_page(seeds: Seeds, tmp_path: Path) -> None:
    prelude = f"""
from celery import Celery
from tickerq_celery import TickerQ
from tickerq_dashboard.access import hashing
hashing.LEAST_PBKDF2_ROUNDS = 1
tickerq = TickerQ(Celery("dashboard"), {str(seeds.tickerq.store_url)!r})
password_hash = {QUICK_HASH!r}
"""
    (tmp_path / "web.py").write_text(prelude + block_with('title="Orders"'))
    port = free_port()
    [command] = [line for line in block_with("gunicorn ").splitlines() if line.startswith("gunicorn")]
    program, *arguments = shlex.split(command.replace(":5556", f":{port}"))
    paths = os.pathsep.join([str(ROOT), str(ROOT / "dashboard")])
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", program, *arguments],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": paths}, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{port}/tickerq/dashboard/runs"
        wait_until(lambda: answer(address, {}) == 401, (tmp_path / "log").read_text, SECONDS)
        assert answer(address, LOGIN) == 200
        workers = re.findall(r"Booting worker", (tmp_path / "log").read_text())
        server.send_signal(signal.SIGTERM)
        assert (server.wait(SECONDS), len(workers)) == (0, 2)
    finally:
        server.kill()


def answer(address: str, headers: dict[str, str]) -> int:
    """The status of an answer, or 0 where there is none yet."""
    try:
        with urlopen(Request(address, headers=headers)) as found:
            return int(found.status)
    except HTTPError as error:
        return error.code
    except OSError:
        return 0
