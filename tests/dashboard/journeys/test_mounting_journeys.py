"""Wherever a dashboard is mounted, all that its pages load and lead to stays below its path."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response

from tests.dashboard.browsing import logged_in, watched
from tests.dashboard.conftest import USERS
from tests.dashboard.journeys.hosts import in_a_host_with_a_log_in
from tests.dashboard.running import running
from tests.dashboard.seeds import Seeds
from tickerq_celery import TickerStatus
from tickerq_dashboard import create_app, create_blueprint

pytestmark = pytest.mark.verify
WSGI = Callable[[dict[str, Any], Any], Iterable[bytes]]
# A link's words have a count, which changes.
HREFS = "all => all.map((each) => each.getAttribute('href'))"


def below_a_path(seeds: Seeds) -> tuple[Flask, str]:
    return create_app(seeds.tickerq, users=USERS, base_path="/admin/tickerq"), "/admin/tickerq"


def at_the_root(seeds: Seeds) -> tuple[Flask, str]:
    return create_app(seeds.tickerq, users=USERS, base_path="/"), ""


def beside_others(seeds: Seeds) -> tuple[Flask, str]:
    """As Django has it: the server tells the path below which it is as SCRIPT_NAME."""
    host, own = Flask("host"), create_app(seeds.tickerq, users=USERS, base_path="/")
    host.wsgi_app = DispatcherMiddleware(host.wsgi_app, {"/ops": own})  # type: ignore[method-assign]
    return host, "/ops"


def behind_a_proxy(seeds: Seeds) -> tuple[Flask, str]:
    """A proxy strips a prefix, and tells it in a header."""
    own = create_app(seeds.tickerq, users=USERS, base_path="/tickers")
    fixed = ProxyFix(own.wsgi_app, x_prefix=1)

    def proxy(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith("/edge/"):
            return Response("another site", status=404)(environ, start_response)
        asked = {**environ, "PATH_INFO": environ["PATH_INFO"].removeprefix("/edge")}
        return fixed({**asked, "HTTP_X_FORWARDED_PREFIX": "/edge"}, start_response)

    own.wsgi_app = proxy  # type: ignore[method-assign]
    return own, "/edge/tickers"


def one_of_two(seeds: Seeds) -> tuple[Flask, str]:
    host = Flask("host", static_folder=None)
    for name in ("one", "two"):
        blueprint = create_blueprint(seeds.tickerq, users=USERS, base_path=f"/{name}")
        host.register_blueprint(blueprint, name=name)
    return host, "/two"


MOUNTS = (below_a_path, at_the_root, beside_others, behind_a_proxy, one_of_two, in_a_host_with_a_log_in)


def entered(page: Page, origin: str, below: str, mount: object) -> None:
    """Open the overview, by the host's own log-in where that is what lets one in."""
    if mount is in_a_host_with_a_log_in:
        assert page.request.get(f"{origin}{below}/").status == 401
        page.goto(f"{origin}/log-in")
        page.get_by_role("button", name="Log in").click()
    else:
        page.goto(f"{origin}{below}/")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.wait_for_load_state()


@pytest.mark.journey("J25")
@pytest.mark.parametrize("mount", MOUNTS, ids=lambda mount: mount.__name__)
def test_all_that_pages_load_and_lead_to_stays_below_their_path(
    browser: Browser, seeds: Seeds, mount: Callable[[Seeds], tuple[Flask, str]]
) -> None:
    run_id = seeds.run(status=TickerStatus.FAILED, exception_type="ValueError")
    app, below = mount(seeds)
    with running(app) as [(host, port)]:
        origin = f"http://{host}:{port}"
        page = logged_in(browser).new_page()
        entered(page, origin, below, mount)
        complaints = watched(page)
        answers: list[tuple[str, int]] = []
        page.on("response", lambda answer: answers.append((answer.url, answer.status)))
        pages = page.get_by_role("navigation", name="Pages")
        for path in pages.get_by_role("link").evaluate_all(HREFS):
            # The first leads to where one is.
            with page.expect_navigation():
                pages.locator(f'a[href="{path}"]').click()
            expect(pages.locator("a[aria-current]")).to_have_attribute("href", path)
        page.get_by_label("Find a name or an id").last.fill(str(run_id))
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Retry run").click()
        page.get_by_role("status").get_by_text("Retried").wait_for()
        page.wait_for_load_state()
        hrefs = page.locator("[href], [src], [action]").evaluate_all(
            "all => all.map((each) => each.href?.baseVal ?? each.href ?? each.src ?? each.action)"
        )
        page.context.close()
    assert seeds.tickerq.runs.get(run_id).status is TickerStatus.IDLE
    assert [each for each in answers if not each[0].startswith(f"{origin}{below}/")] == []
    assert [each for each in answers if each[1] >= 400] == []
    own = (f"{origin}{below}/", f"{below}/", "#")
    assert len(hrefs) > 20
    assert [each for each in hrefs if not each.startswith(own)] == []
    assert complaints == []
