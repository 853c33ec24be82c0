"""The forms in a real browser: reviewed as one types, and whole without script."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboard.browsing import logged_in, watched
from tests.dashboard.conftest import BASE, QUICK_HASH
from tests.dashboard.running import running
from tests.dashboard.seeds import NOW, Seeds
from tickerq_celery import RunCondition, TickerStatus
from tickerq_dashboard import create_app


@pytest.fixture(scope="module")
def store(schema_url: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeds]:
    own = tmp_path_factory.mktemp("store") / "tickers.db"
    shutil.copyfile(schema_url("sqlite").removeprefix("sqlite:///"), own)
    seeds = Seeds(f"sqlite:///{own}")
    seeds.tickerq.function("clean_up")(lambda context: None)
    yield seeds
    seeds.close()


@pytest.fixture(scope="module")
def base(store: Seeds) -> Iterator[str]:
    app = create_app(store.tickerq, users={"admin": (QUICK_HASH, "admin")})
    with running(app) as [(host, port)]:
        yield f"http://{host}:{port}{BASE}"


def opened(browser: Browser, address: str, *, script: bool = True) -> tuple[Page, list[str]]:
    page = logged_in(browser, script=script).new_page()
    complaints = watched(page)
    page.goto(address)
    return page, complaints


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).last.click()


@pytest.mark.journey("J10")
def test_a_cron_ticker_is_reviewed_as_one_types_and_created(
    browser: Browser, base: str, store: Seeds
) -> None:
    page, complaints = opened(browser, f"{base}/crons/new")
    page.get_by_label("Function", exact=True).fill("clean_up")
    page.get_by_label("Time zone of the schedule").fill("America/New_York")
    page.get_by_label("Cron expression").last.fill("61 2 * * *")
    press(page, "Create cron ticker")
    page.get_by_role("alert").get_by_role("link", name="Cron expression").wait_for()
    # The script, which reviews what is typed, comes after what is seen.
    page.wait_for_load_state()
    field = page.locator('[id="f-expression"]')
    expect(field).to_be_focused()
    assert field.input_value() == "61 2 * * *"
    complaints.clear()  # Chromium's own line about the answer 422.
    field.fill("30 2 * * *")
    page.get_by_text("At 02:30, America/New_York time.").wait_for()
    minute, hour = (page.get_by_label(each, exact=True) for each in ("Minute", "Hour"))
    assert (minute.input_value(), hour.input_value()) == ("30", "2")
    hour.fill("3")
    assert field.input_value() == "30 3 * * *"
    field.fill("30 2 * * *")
    assert hour.input_value() == "2"
    page.get_by_text("The clocks skip 02:00 to 03:00").first.wait_for()
    assert field.evaluate("node => node === document.activeElement")
    press(page, "Create cron ticker")
    page.get_by_role("status").get_by_text("Created").wait_for()
    [cron] = store.tickerq.cron_tickers.find(function="clean_up")
    assert (cron.expression, cron.time_zone) == ("30 2 * * *", "America/New_York")
    assert complaints == []
    page.context.close()


def test_by_mouse_the_zone_of_a_schedule_is_typed_over_also_one_that_was_refused(
    browser: Browser, base: str
) -> None:
    page, _ = opened(browser, f"{base}/crons/new")
    zone = page.get_by_label("Time zone of the schedule")
    for typed in ("Mars/Base", "Asia/Kolkata"):
        zone.click()
        page.keyboard.type(typed)
        assert zone.input_value() == typed
        press(page, "Create cron ticker")
        page.locator(".note.bad").wait_for()
        page.wait_for_load_state()
    expect(page.locator(".note.bad")).not_to_contain_text("time zone")
    page.context.close()


@pytest.mark.journey("J20")
@pytest.mark.verify
def test_a_cron_ticker_is_edited_without_script(browser: Browser, base: str, store: Seeds) -> None:
    cron_id = store.cron(function="clean_up", next_run_at=NOW.replace(year=2099))
    page, _ = opened(browser, f"{base}/crons/{cron_id}", script=False)
    page.get_by_role("link", name="Edit …").click()
    page.get_by_role("button", name="Weekdays").click()
    page.get_by_text("on Monday to Friday").wait_for()
    page.get_by_label("If the run before is still going").select_option("skip")
    page.get_by_label("Reason").fill("no books on Sundays")
    press(page, "Save changes")
    page.get_by_role("status").get_by_text("Saved the changes").wait_for()
    cron = store.tickerq.cron_tickers.get(cron_id)
    assert (cron.expression, cron.overlap.value) == ("0 9 * * 1-5", "skip")
    page.context.close()


@pytest.mark.verify
@pytest.mark.parametrize("script", [True, False])
def test_a_chain_is_built_and_scheduled(browser: Browser, base: str, store: Seeds, *, script: bool) -> None:
    page, complaints = opened(browser, f"{base}/runs/new?function=clean_up", script=script)
    page.get_by_label("Description").fill(f"head {script}")
    page.get_by_label("After a time").check()
    page.get_by_label("Time from now").fill("2 h")
    press(page, "Add a child")
    child = page.get_by_role("group", name="Child 1")
    child.get_by_label("Function").fill("clean_up")
    child.get_by_label("Runs when").select_option("on_failure")
    press(page, "Add a child of 1")
    page.get_by_role("group", name="Child 1.1").get_by_label("Function").fill("clean_up")
    press(page, "Schedule run")
    page.get_by_role("status").get_by_text("Scheduled").wait_for()
    page.get_by_text("runs on failure").wait_for()
    head = next(each for each in store.tickerq.time_tickers.find() if each.description == f"head {script}")
    found = [each.run_condition for each in store.tickerq.chains.tree(head.id).runs]
    assert found == [None, RunCondition.ON_FAILURE, None]
    assert complaints == []
    page.context.close()


@pytest.mark.journey("J7")
@pytest.mark.verify
def test_a_failed_run_is_cloned_with_another_payload(browser: Browser, base: str, store: Seeds) -> None:
    run_id = store.run(function="unknown", status=TickerStatus.FAILED, request=b'{"password":"x","n":1}')
    page, complaints = opened(browser, f"{base}/runs/{run_id}")
    page.get_by_role("link", name="Clone and edit …").click()
    payload = page.get_by_label("Payload", exact=True)
    assert "•••" in payload.input_value()
    payload.fill("{oops")
    page.get_by_label("Function", exact=True).fill("clean_up")
    press(page, "Schedule copy")
    page.get_by_text("This is not JSON").first.wait_for()
    payload = page.get_by_label("Payload", exact=True)
    payload.fill("")
    page.get_by_label("After a time").check()
    page.get_by_label("Time from now").fill("2 h")
    press(page, "Schedule copy")
    page.get_by_role("status").get_by_text("Scheduled a copy").wait_for()
    [copy] = [each for each in store.tickerq.time_tickers.find() if each.cloned_from == run_id]
    assert copy.function == "clean_up"
    assert [each for each in complaints if "422" not in each] == []
    page.context.close()


@pytest.mark.journey("J11")
@pytest.mark.verify
def test_a_waiting_run_is_edited_and_a_lost_update_is_refused(
    browser: Browser, base: str, store: Seeds
) -> None:
    later = NOW.replace(year=2099)
    run_id = store.run(function="clean_up", execution_time=later, due_at=later)
    first, _ = opened(browser, f"{base}/runs/{run_id}/edit")
    second, _ = opened(browser, f"{base}/runs/{run_id}/edit")
    first.get_by_label("Description").fill("first")
    press(first, "Save changes")
    first.get_by_role("status").get_by_text("Saved the changes").wait_for()
    second.get_by_label("Description").fill("second")
    press(second, "Save changes")
    second.get_by_text("Not saved: admin changed this run at").wait_for()
    press(second, "Save changes")
    second.get_by_role("status").get_by_text("Saved the changes").wait_for()
    assert store.tickerq.runs.get(run_id).description == "second"
    for page in (first, second):
        page.context.close()
