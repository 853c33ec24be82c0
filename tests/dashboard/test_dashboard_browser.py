"""The pages in a real browser: nothing overflows, nothing is blocked, nothing is logged as an error."""

import itertools
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from tests.dashboard.conftest import BASE, PASSWORD, QUICK_HASH
from tests.dashboard.seeds import NOW, Seeds
from tickerq_celery import TickerStatus, TickerType
from tickerq_celery.enums import OnLost, TickerKind
from tickerq_dashboard import create_app
from tickerq_dashboard.serving import QuietHandler

# A browser that moves on drops what it still loads, and werkzeug's development server leaves the file open.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in.*FileIO:pytest.PytestUnraisableExceptionWarning"
)
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PAGES = (
    "overview", "runs", "filtered", "no match", "failed run", "waiting run", "call", "crons", "cron",
    "missing",
)  # fmt: skip
WIDTHS = (380, 1280)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def seeded(seeds: Seeds) -> dict[str, str]:
    """Store something of everything, and return the address of each page over it."""
    digest = seeds.cron(
        function="SendDailyDigest",
        description="Every user's digest of the day",
        expression="0 0 9 * * *",
        next_run_at=NOW + timedelta(hours=12),
    )
    seeds.cron(
        function="CleanupOldNotifications",
        expression="0 0 0 * * *",
        next_run_at=NOW + timedelta(hours=3),
        is_enabled=False,
        paused_reason="the archive moves to another disk this week",
        paused_by="ann",
        paused_at=NOW,
    )
    for day in range(4):
        seeds.run(
            function="SendDailyDigest",
            type=int(TickerType.CRON_TICKER_OCCURRENCE),
            cron_ticker_id=digest,
            status=TickerStatus.DUE_DONE if day == 2 else TickerStatus.DONE,
            is_late=day == 2,
            execution_time=NOW - timedelta(days=day + 1),
            ended_at=NOW - timedelta(days=day + 1),
            elapsed=timedelta(seconds=84),
        )
    for status in TickerStatus:
        seeds.run(
            function="SendWelcomeEmail",
            description="Welcome email for user@example.com",
            status=status,
            skipped_reason="the account was closed" if status is TickerStatus.SKIPPED else None,
            elapsed=timedelta(milliseconds=412) if status >= TickerStatus.DONE else None,
        )
    seeds.run(function="a" * 200, held_for="function", description="b" * 500)
    waiting = seeds.run(
        function="SendWelcomeEmail",
        description="Welcome email for john.doe@example.com",
        execution_time=NOW + timedelta(minutes=5),
        request=b'{"email":"john.doe@example.com","name":"John Doe"}',
    )
    failed = seeds.run(
        function="myapp.notifications.SendWelcomeEmail",
        description="Welcome email for john.doe@example.com",
        status=TickerStatus.FAILED,
        elapsed=timedelta(seconds=2.21),
        retry_count=3,
        exception_type="SMTPServerDisconnected",
        exception_message="Connection unexpectedly closed: " + "x" * 300,
        lock_holder="notification-server@web-1:4711:c0ffee",
        tags=["email", "onboarding"],
        request=b'{"email":"john.doe@example.com","name":"John Doe","userId":42}',
    )
    for number in range(4):
        started = NOW + timedelta(minutes=number)
        seeds.attempt(
            failed,
            number=number,
            started_at=started,
            ended_at=started + timedelta(seconds=2),
            exception_type="SMTPServerDisconnected",
            exception_message="Connection unexpectedly closed",
            traceback="Traceback (most recent call last):\n"
            '  File "/srv/app/jobs.py", line 12, in send_welcome_email\n' + "y" * 300,
            node="notification-server@web-1:4711:c0ffee",
        )
    call = seeds.run(
        function="shop.tasks.refresh_the_prices_of_all_suppliers",
        kind=TickerKind.CELERY_TASK.value,
        task_id="d1f3c2aa-7b1f-4f3e-9d59-2f3a9c6f8e11",
        on_lost=OnLost.FAIL.value,
        status=TickerStatus.QUEUED,
        due_at=None,
        published_at=NOW,
        started_at=NOW,
        retry_count=1,
        request=b'{"args":[2,3],"kwargs":{"currency":"EUR"},"options":{"queue":"prices"}}',
    )
    seeds.attempt(
        call,
        exception_type="ConnectionError",
        exception_message="the supplier did not answer",
        node="prices@web-2:4711:c0ffee",
    )
    seeds.attempt(call, claim_no=1, retries=1, number=1, node="prices@web-3:4711:c0ffee")
    return {
        "overview": "/",
        "runs": "/runs",
        "filtered": "/runs?status=failed&type=time",
        "no match": "/runs?function=Nothing",
        "failed run": f"/runs/{failed}",
        "waiting run": f"/runs/{waiting}",
        "call": f"/runs/{call}",
        "crons": "/crons",
        "cron": f"/crons/{digest}",
        "missing": "/nope",
    }


@pytest.fixture(scope="module")
def addresses(
    schema_url: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    own = tmp_path_factory.mktemp("store") / "tickers.db"
    shutil.copyfile(schema_url("sqlite").removeprefix("sqlite:///"), own)
    seeds = Seeds(f"sqlite:///{own}")
    paths = seeded(seeds)
    app = create_app(seeds.tickerq, users={"admin": QUICK_HASH}, page_size=12)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield {name: f"http://127.0.0.1:{server.port}{BASE}{path}" for name, path in paths.items()}
    server.shutdown()
    thread.join()
    server.server_close()
    seeds.close()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


def watched(page: Page) -> list[str]:
    """Every complaint of a page: errors, blocked content, requests that leave this machine."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("dialog", lambda dialog: complaints.append("a dialog opened"))
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith("http://127.0.0.1:") else complaints.append(f"asked {request.url}")
        ),
    )
    return complaints


CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgb = (color) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = rgb(getComputedStyle(at).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const node of document.querySelectorAll("body *")) {
    const says = [...node.childNodes].some((each) => each.nodeType === 3 && each.data.trim());
    if (!says || !node.checkVisibility()) continue;
    const [one, two] = [light(rgb(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    if (ratio < 4.5) poor.push(`${node.className || node.tagName}: ${ratio.toFixed(2)}`);
  }
  return poor;
}"""


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_its_width_and_breaks_no_rule(
    browser: Browser, addresses: dict[str, str], name: str
) -> None:
    context = browser.new_context(http_credentials={"username": "admin", "password": PASSWORD})
    page = context.new_page()
    complaints = watched(page)
    page.goto(addresses[name])
    page.locator("details").evaluate_all("all => all.forEach((each) => { each.open = true })")
    for width, scheme in itertools.product(WIDTHS, SCHEMES):
        page.set_viewport_size({"width": width, "height": 860})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CONTRAST) == [], (width, scheme)
    expected = ["404"] if name == "missing" else []
    assert ["404" if "404" in each else each for each in complaints] == expected
    context.close()


def test_the_pages_are_complete_without_script(browser: Browser, addresses: dict[str, str]) -> None:
    context = browser.new_context(
        java_script_enabled=False, http_credentials={"username": "admin", "password": PASSWORD}
    )
    page = context.new_page()
    page.goto(addresses["runs"])
    page.get_by_label("Status").select_option("Failed")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("link", name="myapp.notifications.SendWelcomeEmail").click()
    page.get_by_text("Traceback of attempt 4").click()
    page.get_by_text("send_welcome_email").last.wait_for(state="visible")
    page.get_by_role("link", name="Cron tickers").click()
    page.get_by_role("link", name="SendDailyDigest").click()
    page.get_by_role("heading", name="Next runs").wait_for(state="visible")
    context.close()


def test_the_script_shows_how_far_off_a_time_is(browser: Browser, addresses: dict[str, str]) -> None:
    context = browser.new_context(http_credentials={"username": "admin", "password": PASSWORD})
    page = context.new_page()
    page.clock.set_fixed_time(NOW + timedelta(minutes=2))
    page.goto(addresses["waiting run"])
    assert page.locator("time").first.inner_text() == "2026-11-24 21:10:00 UTC in 3 min."
    context.close()
