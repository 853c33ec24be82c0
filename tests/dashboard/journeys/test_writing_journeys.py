"""A person writes schedules and payloads: what is refused is said at its field, and nothing is made twice."""

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect
from pydantic import BaseModel, Field

from tests.dashboard.browsing import logged_in, watched
from tests.dashboard.conftest import BASE, USERS
from tests.dashboard.running import running
from tests.dashboard.seeds import Seeds
from tests.inner import make_function
from tests.statements import functions
from tickerq_celery import TickerContext, TickerStatus
from tickerq_celery.functions.records import function_records
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


class Address(BaseModel):
    zip: str = Field(pattern=r"^\d{5}$")
    since: date


class Parcel(BaseModel):
    to: Address
    weight: int = Field(gt=0)


def send_parcel(request: Parcel) -> None: ...


@pytest.fixture(scope="module")
def store(schema_url: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeds]:
    own = tmp_path_factory.mktemp("store") / "tickers.db"
    shutil.copyfile(schema_url("sqlite").removeprefix("sqlite:///"), own)
    seeds = Seeds(f"sqlite:///{own}")
    seeds.now = seeds.tickerq.core.clock.now()
    seeds.tickerq.function("clean_up")(lambda context: None)

    @seeds.tickerq.function("charge")
    def charge(context: TickerContext[Order], request: Order) -> None: ...

    # Only workers have this one.
    elsewhere = [make_function(send_parcel, "send_parcel")]
    seeds.tickerq.core.write(functions.register, list(function_records(elsewhere)))
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


@pytest.mark.journey("J10")
@pytest.mark.parametrize("sunday", ["SUN", "0"])
def test_an_expression_that_never_fires_is_refused_and_sundays_are_previewed_as_they_are_listed(
    page: Page, base: str, store: Seeds, sunday: str
) -> None:
    store.tickerq.function(f"sundays_{sunday}")(lambda context: None)
    page.goto(f"{base}/crons/new")
    page.get_by_label("Function", exact=True).fill(f"sundays_{sunday}")
    page.get_by_label("Time zone of the schedule").fill("America/New_York")
    page.get_by_role("button", name="Weekdays").click()
    field = page.get_by_label("Cron expression").last
    expect(field).to_have_value("0 9 * * 1-5")
    expect(page.locator("#review .cronwords")).to_contain_text("on Monday to Friday, America/New_York time")
    field.fill("0 0 30 2 *")
    press(page, "Create cron ticker")
    error = page.locator(".fld", has=page.locator("#f-expression")).locator(".wrong")
    expect(error).to_contain_text("Never fires")
    expect(page.locator("#f-expression")).to_have_attribute("aria-invalid", "true")
    # The script, which reviews what is typed, comes after what is seen.
    page.wait_for_load_state()
    assert not store.tickerq.cron_tickers.find(function=f"sundays_{sunday}")
    field.fill(f"30 2 * * {sunday}")
    review = page.locator("#review")
    expect(review.locator(".cronwords")).to_contain_text("on Sunday")
    # In both directions, of a year.
    expect(review).to_contain_text("The clocks skip 02:00 to 03:00")
    previewed = review.locator(".instants time").evaluate_all(MACHINE)
    assert len(previewed) == 5
    zone = ZoneInfo("America/New_York")
    assert {datetime.fromisoformat(each).astimezone(zone).weekday() for each in previewed} == {6}
    press(page, "Create cron ticker")
    expect(page.get_by_role("status")).to_contain_text("Created")
    page.wait_for_load_state()
    shown = page.locator(".instants time").evaluate_all(MACHINE)
    assert (shown[:5], len(shown)) == (previewed, 10)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.locator(".instants td time").evaluate_all(CUT) == []
    page.goto(f"{base}/crons")
    listed = (
        page.get_by_role("row").filter(has_text=f"sundays_{sunday}").locator("time").evaluate_all(MACHINE)
    )
    assert listed[0] == previewed[0]
    [cron] = store.tickerq.cron_tickers.find(function=f"sundays_{sunday}")
    assert (cron.expression, cron.time_zone) == (f"30 2 * * {sunday}", "America/New_York")
    assert cron.next_run_at == datetime.fromisoformat(previewed[0])


@pytest.mark.journey("J11")
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
    with page.expect_response(lambda it: it.request.is_navigation_request()) as answered:
        press(page, "Save changes")
    assert answered.value.status == 409
    refused = page.locator("form [role=alert]")
    expect(refused).to_contain_text("Not saved: admin changed this cron ticker at")
    expect(refused).to_contain_text("Saving again overwrites those fields; what else was changed stays.")
    expect(page.locator("#review")).to_contain_text("of the first one")
    assert store.tickerq.cron_tickers.get(cron_id).expression == "0 0 9 * * *"
    press(page, "Save changes")
    expect(page.get_by_role("status")).to_contain_text("Saved the changes")
    cron = store.tickerq.cron_tickers.get(cron_id)
    assert (cron.expression, cron.description) == ("0 0 7 * * *", "of the first one")


@pytest.mark.journey("J7")
def test_a_payload_is_refused_where_it_is_wrong_and_a_copy_that_is_sent_twice_is_one_run(
    page: Page, base: str, store: Seeds
) -> None:
    failed = store.run(function="charge", status=TickerStatus.FAILED, request=b'{"customer": 6}')
    page.goto(f"{base}/runs/{failed}")
    page.get_by_role("link", name="Clone and edit …").click()
    payload = page.get_by_label("Payload", exact=True)
    expect(payload).to_have_value(re.compile('"customer": 6'))
    for typed, said in (
        ('{"customer": 7,\n oops}', "line 2, column 2"),
        ('{"customer": "ann"}', "customer: "),
    ):
        payload.fill(typed)
        press(page, "Schedule copy")
        error = page.locator(".fld", has=payload).locator(".wrong")
        expect(error).to_contain_text(said)
        expect(payload).to_have_attribute("aria-invalid", "true")
        expect(payload).to_have_value(typed)
    payload.fill('{"customer": 7}')
    page.get_by_label("After a time").check()
    page.get_by_label("Time from now").fill("2 h")
    # What the script asks for a review of what is typed is a request by the same method.
    with page.expect_request(lambda it: it.is_navigation_request() and it.method == "POST") as sent:
        page.get_by_role("button", name="Schedule copy").last.dblclick()
    expect(page.get_by_role("status")).to_contain_text("Scheduled a copy")
    form = sent.value
    again = page.request.post(
        form.url,
        headers={"Origin": base.removesuffix(BASE), "Content-Type": form.headers["content-type"]},
        data=form.post_data or "",
    )
    assert (again.status, again.url) == (200, page.url)
    [copy] = [each for each in store.tickerq.time_tickers.find(function="charge") if each.id != failed]
    assert (copy.cloned_from, copy.request) == (failed, {"customer": 7})
    page.get_by_role("main").get_by_role("link", name=str(failed)).click()
    page.wait_for_url(re.compile(str(failed)))


@pytest.mark.journey("J17")
def test_from_the_page_of_a_function_a_run_is_scheduled_with_a_payload_that_fits(
    page: Page, store: Seeds, base: str
) -> None:
    page.goto(f"{base}/functions/send_parcel")
    page.get_by_role("link", name="Schedule a run …").click()
    payload = page.get_by_label("Payload", exact=True)
    payload.fill('{"to": {"zip": "text", "since": "soon"}, "weight": 0}')
    review = page.locator("#review")
    page.get_by_role("button", name="Review").first.click()
    for each in ("to.zip: String should match", "to.since: Input should be", "weight: Input should be"):
        expect(review.get_by_text(f"The payload does not fit: {each}")).to_be_visible()
    page.get_by_role("button", name="Schedule run").first.click()
    for each in ("to.zip: String should match", "to.since: Input should be", "weight: Input should be"):
        expect(page.locator("#e-request").get_by_text(each)).to_be_visible()
    page.get_by_role("button", name="Fill in an example").click()
    page.get_by_role("button", name="Schedule run").first.click()
    expect(page.get_by_text("Fits what send_parcel takes.")).to_be_visible()
    [run] = store.tickerq.runs.find(function="send_parcel")
    assert run.created_by == "admin"
    assert Parcel.model_validate(run.request).to.zip == "11111"


@pytest.mark.journey("J20")
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
