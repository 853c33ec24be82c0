"""The help page says what the other pages do: it is made from their tables."""

import re
from html import unescape

import pytest
from flask.testing import FlaskClient

from tests.dashboard.conftest import BASE, PASSWORD, QUICK_HASH, Visitor, basic
from tests.dashboard.page_text import text_of
from tests.dashboard.seeds import Seeds
from tickerq_dashboard import create_app
from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.assets import FOLDER
from tickerq_dashboard.routes import ROUTES
from tickerq_dashboard.search import KEYS
from tickerq_dashboard.show.bulk import BULK_VERBS
from tickerq_dashboard.show.chain_actions import CHAIN_ACTIONS
from tickerq_dashboard.show.cron_actions import EVERY_CRON_ACTION
from tickerq_dashboard.show.cron_looks import EVERY_CRON_LOOK
from tickerq_dashboard.show.help import FORMS
from tickerq_dashboard.show.run_actions import RUN_ACTIONS
from tickerq_dashboard.show.shortcuts import SHORTCUTS
from tickerq_dashboard.show.statuses import EVERY_LOOK

ACTIONS = (*RUN_ACTIONS, *CHAIN_ACTIONS, *EVERY_CRON_ACTION)
# Keys that the browser itself or the script's handling of fields takes.
OWN_KEYS = {"Enter", "Esc"}


def who_may(page: str, word: str) -> set[str]:
    """The roles that the page names beside each action of a word."""
    return set(re.findall(rf'<dt>{word}</dt><dd>[^<]*</dd><dd class="who">([^<]*)</dd>', page))


def test_every_status_filter_and_action_is_explained(visitor: Visitor) -> None:
    page = unescape(visitor.get("/help").text)
    for look in (*EVERY_LOOK, *EVERY_CRON_LOOK):
        assert f'<span class="word">{look.word}</span></span></dt><dd>{look.about}</dd>' in page
    for key, takes in KEYS.items():
        assert f"<dt><code>{key}:</code></dt><dd>{takes}</dd>" in page
    for action in ACTIONS:
        assert f"<dt>{action.word}</dt><dd>{action.about}</dd>" in page
    for verb in BULK_VERBS:
        assert f"<dt>{verb.word}</dt><dd>{verb.effect}</dd>" in page


def test_missed_instants_are_explained_with_their_term(visitor: Visitor) -> None:
    page = visitor.get("/help").text
    assert re.search(
        r"<dt>Missed instants</dt><dd>Instants at which it should have fired [^<]*<code>misfire</code>", page
    )


def test_nothing_that_a_page_can_change_is_missing(visitor: Visitor) -> None:
    explained = {
        *(each.permission for each in (*ACTIONS, *BULK_VERBS)),
        *(route.permission for route in ROUTES if route.name in FORMS),
    }
    changed = {each.permission for each in ROUTES if each.is_unsafe and not each.is_api}
    assert changed - {Permission.VIEW} <= explained


def test_it_names_the_roles_as_they_are_configured(visitor: Visitor, seeds: Seeds) -> None:
    assert who_may(visitor.get("/help").text, "Retry run") == {"operator, admin"}
    assert who_may(visitor.get("/help").text, "Terminate run") == {"admin"}
    app = create_app(
        seeds.tickerq,
        users={"ann": (QUICK_HASH, "viewer")},
        permissions={"viewer": ["runs.retry"], "operator": []},
    )
    page = app.test_client().get(f"{BASE}/help", headers=basic("ann", PASSWORD)).text
    assert who_may(page, "Retry run") == {"viewer, admin"}
    assert "yours is viewer" in text_of(page)


def test_every_page_of_the_side_bar_has_a_shortcut_of_its_own(visitor: Visitor) -> None:
    page = visitor.get("/help").text
    side = page[page.index("<header") : page.index("</header>")]
    keys = re.findall(r'<li><a href="[^"]+" data-keys="([^"]+)"', side)
    assert len(keys) == len(set(keys)) == side.count("<li>")
    assert "?" in keys
    for each in keys:
        said = " ".join(f"<kbd>{key}</kbd>" for key in each.split(" "))
        assert f"<dt>{said}</dt>" in page


def test_every_shortcut_that_is_listed_is_bound() -> None:
    script = (FOLDER / "tq.js").read_text(encoding="utf-8")
    table = re.search(r"const KEYS = \{(.*)\};", script)
    assert table is not None
    templates = "".join(path.read_text() for path in (FOLDER.parent / "templates").rglob("*.html"))
    bound = {
        *re.findall(r"(\w): \(?", table[1]),
        *re.findall(r'data-keys="([^"{]+)"', templates),
        *(each.key for each in (*ACTIONS, *BULK_VERBS)),
    }
    assert {each.keys for each in SHORTCUTS} <= bound | OWN_KEYS


@pytest.mark.parametrize(("cookie", "are_on"), [("", True), ("on", True), ("off", False)])
def test_a_reader_switches_the_shortcuts_off(
    client: FlaskClient, visitor: Visitor, cookie: str, are_on: bool
) -> None:
    client.set_cookie("tq_shortcuts", cookie)
    page = visitor.get("/help").text
    assert ("data-shortcuts>" in page) is are_on
    assert ('name="shortcuts" checked>' in page) is are_on


@pytest.mark.parametrize(("cookie", "is_live"), [("", True), ("on", True), ("off", False)])
def test_a_reader_switches_the_refreshing_off(
    client: FlaskClient, visitor: Visitor, cookie: str, is_live: bool
) -> None:
    client.set_cookie("tq_live", cookie)
    assert ('name="live" checked>' in visitor.get("/help").text) is is_live
