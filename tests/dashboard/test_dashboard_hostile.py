"""Hostile texts in every field of the store stay text in a browser, without the policy that stops them."""

import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from tests.dashboard.addresses import Objects, addresses, pages_of_the_route_table, rows_of
from tests.dashboard.browsing import watched
from tests.dashboard.conftest import BASE
from tests.dashboard.hostile import BUNDLES, MARK, SUM
from tests.dashboard.hostile_store import make_hostile
from tests.dashboard.refreshing import refresh, stop_clock, wait_for_lead
from tests.dashboard.running import running
from tests.dashboard.seeds import Seeds
from tests.thoroughness import in_proof
from tickerq_dashboard import User, create_app
from tickerq_dashboard.routes import ROUTES

pytestmark = [pytest.mark.verify, pytest.mark.timeout(900)]
# Of one row of the route table; every page links to some of each.
MOST_OF_A_ROW = 8
# Each field of an address says a third of the texts, and the others in the proofs: few are shown in a way of
# their own.
TURNS = 3
NARROW = 320
# What is wrong with a page, whatever it shows.
LOOK = f"""() => {{
  const wrong = window.ran ? ["a script of the store ran"] : [];
  const addressed = ["href", "src", "action", "formaction", "data", "srcdoc", "xlink:href", "style"];
  for (const node of document.querySelectorAll("*")) {{
    for (const {{ name, value }} of node.attributes) {{
      const away = addressed.includes(name) && new URL(value, location.href).origin !== location.origin;
      if (name === "{MARK}" || name === "autofocus" && !node.matches("input, textarea, select"))
        wrong.push(`an element of the store: ${{node.outerHTML.slice(0, 200)}}`);
      if (name.startsWith("on") || away) wrong.push(`${{node.nodeName}} ${{name}}=${{value.slice(0, 100)}}`);
    }}
  }}
  const shown = document.title + document.body.innerText;
  if (shown.includes("{SUM}")) wrong.push("a template of the store was filled");
  const odd = shown.match(/[\\0\\u0085\\u200b\\u2028\\u202e\\u2066\\ufeff]/);
  if (odd) wrong.push(`unmarked: ${{escape(shown.slice(Math.max(0, odd.index - 30), odd.index + 2))}}`);
  return wrong;
}}"""


# What an SVG links to is no text.
FOLLOWED = "all => all.map(each => new URL(each.getAttribute('href'), location.href).href)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """A dashboard over a store that is hostile."""

    app: Flask
    root: str
    objects: Objects

    def path(self, url: str) -> str:
        """Return an address of it as its routes know it."""
        return url.removeprefix(self.root + BASE)


@pytest.fixture(scope="module")
def hostile(schema_url: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    own = tmp_path_factory.mktemp("store") / "tickers.db"
    shutil.copyfile(schema_url("sqlite").removeprefix("sqlite:///"), own)
    seeds = Seeds(f"sqlite:///{own}")
    objects = make_hostile(seeds)
    app = create_app(
        seeds.tickerq,
        auth=lambda request: User(name=BUNDLES[0], role="admin"),
        secret="0123456789abcdef",
        title=BUNDLES[1],
        page_size=12,
    )
    with running(app) as [(host, port)]:
        yield Hostile(app=app, root=f"http://{host}:{port}", objects=objects)
    seeds.close()


class Looker:
    """Looks at pages, and keeps what is wrong with any."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.wrong: list[str] = []
        self._complaints = watched(page)

    def go(self, url: str) -> None:
        answer = self.page.goto(url)
        assert answer is not None
        if answer.status >= 500:
            self.wrong.append(f"{url}: {answer.status}")
        self.look(url)

    def look(self, where: str) -> None:
        """Look at the page as it is now."""
        # The browser's own word for an answer that is no success.
        said = [each for each in self._complaints if "Failed to load resource" not in each]
        self._complaints.clear()
        self.wrong += [f"{where[:200]}: {each}" for each in [*self.page.evaluate(LOOK), *said]]

    def links(self) -> list[str]:
        found: list[str] = self.page.locator("a[href]").evaluate_all(FOLLOWED)
        return found


@pytest.fixture
def looker(browser: Browser, hostile: Hostile) -> Iterator[Looker]:
    context = browser.new_context(bypass_csp=True, viewport={"width": NARROW, "height": 860})
    looker = Looker(context.new_page())
    yield looker
    assert not looker.wrong, "\n".join(looker.wrong)
    context.close()


@pytest.mark.journey("J21")
def test_no_text_of_the_store_is_more_than_text_on_any_page_that_is_linked(
    looker: Looker, hostile: Hostile
) -> None:
    base = hostile.root + BASE
    waiting = deque(base + path for path in addresses(hostile.objects).values())
    seen, visited = set(waiting), Counter[str]()
    while waiting:
        url = waiting.popleft()
        [row] = rows_of(hostile.app, BASE, [hostile.path(url)])
        visited[row] += 1
        if visited[row] > MOST_OF_A_ROW:
            continue
        looker.go(url)
        if looker.page.evaluate("document.documentElement.scrollWidth") > NARROW:
            looker.wrong.append(f"{url[:200]}: it scrolls sideways")
        for link in (each.partition("#")[0] for each in looker.links()):
            if link not in seen and link.startswith(base):
                seen.add(link)
                waiting.append(link)
    assert pages_of_the_route_table() - set(visited) == set()


@pytest.mark.journey("J21")
@pytest.mark.parametrize("turn", [0, *map(in_proof, range(1, TURNS))])
def test_what_an_address_says_is_only_shown(looker: Looker, hostile: Hostile, turn: int) -> None:
    fields = [
        (route.path, name)
        for route in ROUTES
        if route.query is not None and not route.is_api and "<" not in route.path
        for name in route.query.model_fields
    ]
    for number, (path, name) in enumerate(fields):
        for text in BUNDLES[(number + turn) % TURNS :: TURNS]:
            looker.go(f"{hostile.root}{BASE}{path}?{urlencode({name: text[:200]})}")


@pytest.mark.journey("J21")
@pytest.mark.parametrize("name", ["run-new", "run-edit", "cron-new", "cron-edit", "cron-backfill"])
def test_what_is_typed_is_only_shown(looker: Looker, hostile: Hostile, name: str) -> None:
    page = looker.page
    for text in BUNDLES:
        looker.go(hostile.root + BASE + addresses(hostile.objects)[name])
        form = page.locator("main form").last
        for field in form.locator(
            "input[type=text]:visible, input:not([type]):visible, textarea:visible"
        ).all():
            field.fill(text.replace("\0", ""))
        looker.look(f"{name}, typed")
        with page.expect_navigation():
            form.locator("button:visible").last.click()
        looker.look(f"{name}, sent")


@pytest.mark.journey("J21")
@pytest.mark.parametrize("name", ["overview", "runs-history", "run-failed", "crons", "nodes"])
def test_a_refresh_makes_no_more_of_a_text(looker: Looker, hostile: Hostile, name: str) -> None:
    page = looker.page
    stop_clock(page.context)
    looker.go(hostile.root + BASE + addresses(hostile.objects)[name])
    page.evaluate("document.querySelector('#live').replaceChildren()")
    wait_for_lead(page)
    refresh(page, lambda: page.locator("#live *").count() > 0)
    looker.look(f"{name}, refreshed")
