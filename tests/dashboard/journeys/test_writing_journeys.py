"""A person writes schedules and payloads: what is refused is said at its field, and nothing is made twice."""

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from pydantic import BaseModel

from tests.dashboard.browsing import logged_in, watched
from tests.dashboard.conftest import BASE, USERS
from tests.dashboard.running import running
from tests.dashboard.seeds import Seeds
from tickerq_celery import TickerContext, TickerStatus
from tickerq_dashboard import create_app

pytestmark = pytest.mark.verify
# Those that do not fit between the paddings of their cell, where they are as long as they can be.
CUT = """all => all.filter((each) => {
  each.firstChild.nodeValue = "in 22 h 58 min";
  const range = document.createRange(), cell = each.closest("td");
  range.selectNodeContents(cell);
  return range.getBoundingClientRect().width > cell.clientWidth - 24;
}).map((each) => each.textContent)"""
MACHINE = "all => all.map((each) => each.getAttribute('datetime'))"


class Order(BaseModel):
    customer: int


@pytest.fixture(scope="module")
def store(schema_url: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeds]:
    own = tmp_path_factory.mktemp("store") / "tickers.db"
    shutil.copyfile(schema_url("sqlite").removeprefix("sqlite:///"), own)
    seeds = Seeds(f"sqlite:///{own}")
    seeds.now = seeds.tickerq.core.clock.now()
    seeds.tickerq.function("clean_up")(lambda context: None)

    @seeds.tickerq.function("charge")
    def charge(context: TickerContext[Order], request: Order) -> None: ...

    yield seeds
    seeds.close()


@pytest.fixture(scope="module")
def base(store: Seeds) -> Iterator[str]:
    with running(create_app(store.tickerq, users=USERS)) as [(host, port)]:
        yield f"http://{host}:{port}{BASE}"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = logged_in(browser)
    page = context.new_page()
    complaints = watched(page)
    yield page
    # Chromium's own lines about forms that were refused.
    assert [each for each in complaints if not re.search(r"\b(422|409)\b", each)] == []
    context.close()


@pytest.fixture
def without_script(browser: Browser) -> Iterator[Page]:
    context = logged_in(browser, script=False)
    yield context.new_page()
    context.close()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).last.click()


def test_an_expression_that_never_fires_is_refused_and_sundays_are_previewed_as_they_are_listed(
    page: Page, base: str, store: Seeds
) -> None:
    page.goto(f"{base}/crons/new")
    page.get_by_label("Function", exact=True).fill("clean_up")
    field = page.get_by_label("Cron expression").last
    field.fill("0 0 30 2 *")
    press(page, "Create cron ticker")
    error = page.locator(".fld", has=page.locator("#f-expression")).locator(".wrong")
    expect(error).to_contain_text("Never fires")
    expect(page.locator("#f-expression")).to_have_attribute("aria-invalid", "true")
    # The script, which reviews what is typed, comes after what is seen.
    page.wait_for_load_state()
    assert not store.tickerq.cron_tickers.find(function="clean_up")
    field.fill("30 2 * * SUN")
    review = page.locator("#review")
    expect(review.locator(".cronwords")).to_contain_text("on Sunday")
    previewed = review.locator(".instants time").evaluate_all(MACHINE)
    assert len(previewed) == 5
    press(page, "Create cron ticker")
    expect(page.get_by_role("status")).to_contain_text("Created")
    page.wait_for_load_state()
    shown = page.locator(".instants time").evaluate_all(MACHINE)
    assert shown[:5] == previewed
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.locator(".instants td time").evaluate_all(CUT) == []
    page.goto(f"{base}/crons")
    listed = page.locator(".crons tbody tr", has_text="clean_up").locator("time").evaluate_all(MACHINE)
    assert listed[0] == previewed[0]
    [cron] = store.tickerq.cron_tickers.find(function="clean_up")
    assert cron.expression == "30 2 * * SUN"


def test_of_two_who_edit_a_cron_ticker_the_second_sees_what_the_first_has_changed(
    browser: Browser, page: Page, base: str, store: Seeds
) -> None:
    cron_id = store.cron(function="clean_up", next_run_at=store.now + timedelta(days=9), description="old")
    other = logged_in(browser).new_page()
    for each in (page, other):
        each.goto(f"{base}/crons/{cron_id}/edit")
    other.get_by_label("Description").fill("of the first one")
    press(other, "Save changes")
    expect(other.get_by_role("status")).to_contain_text("Saved the changes")
    other.context.close()
    page.get_by_label("Cron expression").last.fill("0 0 7 * * *")
    press(page, "Save changes")
    expect(page.locator("form [role=alert]")).to_contain_text("it has changed since you opened this form")
    expect(page.locator("#review")).to_contain_text("of the first one")
    assert store.tickerq.cron_tickers.get(cron_id).expression == "0 0 9 * * *"
    press(page, "Save changes")
    expect(page.get_by_role("status")).to_contain_text("Saved the changes")
    cron = store.tickerq.cron_tickers.get(cron_id)
    assert (cron.expression, cron.description) == ("0 0 7 * * *", "of the first one")


def test_a_payload_that_does_not_fit_is_refused_at_its_field_and_a_form_sent_twice_makes_one_run(
    page: Page, base: str, store: Seeds
) -> None:
    page.goto(f"{base}/runs/new?function=charge")
    payload = page.get_by_label("Payload", exact=True)
    payload.fill('{"customer": "ann"}')
    press(page, "Schedule run")
    error = page.locator(".fld", has=payload).locator(".wrong")
    expect(error).to_contain_text("customer")
    expect(payload).to_have_attribute("aria-invalid", "true")
    payload.fill('{"customer": 7}')
    page.get_by_label("After a time").check()
    page.get_by_label("Time from now").fill("2 h")
    # What the script asks for a review of what is typed is a request by the same method.
    with page.expect_request(lambda it: it.is_navigation_request() and it.method == "POST") as sent:
        page.get_by_role("button", name="Schedule run").last.dblclick()
    expect(page.get_by_role("status")).to_contain_text("Scheduled")
    form = sent.value
    again = page.request.post(
        form.url,
        headers={"Origin": base.removesuffix(BASE), "Content-Type": form.headers["content-type"]},
        data=form.post_data or "",
    )
    assert (again.status, again.url) == (200, page.url)
    assert len(store.tickerq.time_tickers.find(function="charge")) == 1


def test_without_script_a_run_is_retried_and_a_cron_ticker_is_reviewed_created_and_paused(
    without_script: Page, base: str, store: Seeds
) -> None:
    page = without_script
    run_id = store.run(function="clean_up", status=TickerStatus.FAILED)
    page.goto(f"{base}/runs/{run_id}")
    page.get_by_role("button", name="Retry run").click()
    expect(page.get_by_role("status")).to_contain_text("Retried")
    assert store.tickerq.runs.get(run_id).status is not TickerStatus.FAILED
    page.goto(f"{base}/crons/new")
    page.get_by_label("Function", exact=True).fill("charge")
    page.get_by_label("Payload", exact=True).fill('{"customer": 7}')
    page.get_by_label("Cron expression").last.fill("15 4 * * MON")
    press(page, "Review")
    expect(page.locator(".cronwords")).to_contain_text("on Monday")
    expect(page.locator("#review .instants time")).to_have_count(5)
    press(page, "Create cron ticker")
    expect(page.get_by_role("status")).to_contain_text("Created")
    page.get_by_role("link", name="Pause cron ticker …").click()
    page.get_by_label("Reason").fill("a move")
    page.locator("form.ask").get_by_role("button", name="Pause cron ticker").click()
    expect(page.get_by_role("status")).to_contain_text("Paused")
    [cron] = store.tickerq.cron_tickers.find(function="charge")
    assert (cron.is_enabled, cron.paused_reason) == (False, "a move")
