"""Who gets in, what a viewer cannot do, and what a page of another site cannot do with an admin's browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.acceptance.waiting import wait_until
from tests.dashboard.browsing import logged_in
from tests.dashboard.conftest import BASE, PASSWORD, basic
from tests.dashboard.journeys.conftest import opened
from tests.dashboard.journeys.hosts import in_a_host_with_a_log_in
from tests.dashboard.refreshing import refresh, stop_clock, wait_for_lead
from tests.dashboard.running import running
from tests.dashboard.seeds import Seeds
from tests.dashboard.served import Served
from tickerq_celery import TickerStatus

pytestmark = pytest.mark.verify
# An export changes nothing, and a viewer may have one.
ACTS = ", ".join(
    [
        'main form[method="post"]:not(.export)',
        *(f'main a.btn[href*="/{each}"]' for each in ("new", "edit", "pauses/pause")),
    ]
)


@contextmanager
def another_site(html: str) -> Iterator[str]:
    """Serve one page on another origin of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        # Another name of this machine is another site to a browser.
        yield f"http://localhost:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.journey("J1")
def test_the_right_password_opens_and_the_sixth_wrong_one_is_told_to_wait(
    browser: Browser, site: Served
) -> None:
    stranger = browser.new_context()
    for path in ("/", "/runs"):
        answer = stranger.request.get(site.base + path)
        assert (answer.status, "charge_card" in answer.text()) == (401, False)
        assert "Log in" in answer.text()
    stranger.close()
    page, _ = opened(browser, site, "/")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.context.close()
    statuses = []
    guessing = browser.new_context(http_credentials={"username": "admin", "password": "guess"})
    while len(statuses) < 6:
        refused = guessing.request.get(f"{site.base}/")
        statuses.append(refused.status)
    assert int(refused.headers["retry-after"]) > 0
    assert "Wait" in refused.text()
    guessing.close()
    assert statuses == [401] * 5 + [429]


@pytest.mark.journey("J2")
def test_a_viewer_sees_every_page_and_no_button_and_a_forged_form_is_refused_and_kept(
    browser: Browser, site: Served
) -> None:
    admin, _ = opened(browser, site, f"/runs/{site.showcase.failed}")
    assert admin.locator(ACTS).count()
    admin.context.close()
    page, _ = opened(browser, site, "/", user="vera")
    for name, path in site.showcase.paths.items():
        answer = page.goto(site.base + path)
        assert answer is not None
        if name in {"logout", "missing"}:
            continue
        if answer.status == 403:
            expect(page.locator("main")).to_contain_text("Your role does not allow this")
            continue
        assert (name, answer.status) == (name, 200)
        assert (name, page.locator(ACTS).count()) == (name, 0)
    failed = site.showcase.failed
    sent = page.request.post(
        f"{site.base}/runs/{failed}/retry",
        headers={"Origin": site.base.partition("/tickerq")[0]},
        form={"csrf_token": "x", "operation_id": "0b6c1b0a-57b4-4d8e-9b43-6a2f9c2b7f11"},
    )
    assert sent.status == 403
    assert site.showcase.seeds.tickerq.runs.get(failed).status is TickerStatus.FAILED
    [refused] = site.showcase.seeds.tickerq.audit.find(outcome="refused", action="runs.retry")
    assert (refused.actor, refused.role) == ("vera", "viewer")
    page.context.close()


@pytest.mark.journey("J22")
def test_a_page_of_another_site_can_neither_post_nor_frame_nor_redirect(
    browser: Browser, site: Served
) -> None:
    failed = site.showcase.failed
    page, _ = opened(browser, site, f"/runs/{failed}")
    target = f"{site.base}/runs/{failed}/retry"
    form = f'<form method="post" action="{target}"><input name="reason" value="x"></form>'
    attack = f"{form}<script>document.forms[0].submit()</script>"
    with another_site(attack) as evil, page.expect_response(target) as answered:
        # Its own form may lead away from it before it is loaded.
        page.goto(evil, wait_until="commit")
    page.wait_for_url(target)
    assert answered.value.status == 403
    assert site.showcase.seeds.tickerq.runs.get(failed).status is TickerStatus.FAILED
    with another_site(f'<iframe src="{site.base}/runs/{failed}"></iframe>') as evil:
        page.goto(evil, wait_until="load")
        assert all("charge_card" not in frame.content() for frame in page.frames)
    for path in ("//evil.example/", "/\\evil.example/", "/runs?next=https://evil.example/"):
        page.goto(site.base + path)
        assert page.url.startswith(site.base.partition("/tickerq")[0])
    page.context.close()


@pytest.mark.journey("J28")
def test_after_logging_out_no_data_is_shown_and_a_page_that_refreshes_says_so(
    browser: Browser, site: Served
) -> None:
    page, _ = opened(browser, site, "/logout")
    page.get_by_role("button", name="Log out").click()
    expect(page.locator("body")).to_contain_text("logged out", ignore_case=True)
    page.context.close()
    expired = logged_in(browser).new_page()
    stop_clock(expired.context)
    dialogs: list[str] = []
    expired.on("dialog", lambda dialog: dialogs.append(dialog.type))
    expired.goto(f"{site.base}/runs")
    expired.route("**/runs", lambda route: route.fulfill(status=401, headers={"WWW-Authenticate": "xBasic"}))
    wait_for_lead(expired)
    refresh(expired, expired.get_by_text("logged out: load the page again").is_visible)
    expired.unroute("**/runs")
    answer = expired.goto(f"{site.base}/runs")
    assert answer is not None
    assert answer.headers["cache-control"] == "no-store"
    assert dialogs == []
    assert PASSWORD not in expired.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
    expired.context.close()


@pytest.mark.journey("J28")
def test_where_the_session_of_a_host_ends_a_refresh_says_so_and_no_way_back_shows_data(
    browser: Browser, seeds: Seeds
) -> None:
    seeds.run(function="shop.secret_offer", status=TickerStatus.DONE)
    app, below = in_a_host_with_a_log_in(seeds)
    context = browser.new_context()
    stop_clock(context)
    page = context.new_page()
    with running(app) as [(host, port)]:
        origin = f"http://{host}:{port}"
        page.goto(f"{origin}/log-in")
        page.get_by_role("button", name="Log in").click()
        pages = page.get_by_role("navigation", name="Pages")
        pages.get_by_role("link", name="Runs").click()
        expect(page.get_by_role("link", name="secret_offer")).to_be_visible()
        wait_for_lead(page)
        context.clear_cookies()
        refresh(page, page.get_by_text("logged out: load the page again").is_visible)
        pages.get_by_role("link", name="Cron tickers").click()
        expect(page.locator("body")).not_to_contain_text("Cron tickers")
        page.go_back()
        expect(page.locator("body")).not_to_contain_text("secret_offer")
        assert page.request.get(f"{origin}{below}/runs").status == 401
    context.close()


@pytest.mark.parametrize("origin", ["https://tickers.example", "http://localhost"])
def test_cookies_hold_choices_only_and_are_secure_on_https(
    browser: Browser, site: Served, origin: str
) -> None:
    client, headers = site.app.test_client(), basic("admin", PASSWORD)

    def answer(route: Route) -> None:
        given = client.get(route.request.url, headers=headers, buffered=True)
        route.fulfill(status=given.status_code, headers=dict(given.headers), body=given.data)

    context = browser.new_context()
    # As a proxy that speaks TLS: the browser sees an answer of that origin.
    context.route(f"{origin}/**", answer)
    page = context.new_page()
    page.goto(f"{origin}{BASE}/help")
    page.get_by_label("Dark").check(force=True)
    page.get_by_label("Refresh by itself").first.uncheck()
    chosen = {"tq_theme": "dark", "tq_live": "off"}

    def kept() -> dict[str, str]:
        return {each["name"]: each["value"] for each in context.cookies()}

    # The browser gets them from its page in its own time.
    wait_until(lambda: kept() == chosen, lambda: str(kept()), 10)
    for each in context.cookies():
        assert (each["sameSite"], each["path"]) == ("Lax", f"{BASE}/")
        assert each["secure"] is origin.startswith("https")
    context.close()
