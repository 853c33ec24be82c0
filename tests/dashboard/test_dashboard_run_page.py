"""The page of a run: its head in one row, sentences that age, what it returned, what one has just done."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, Locator, Page, expect

from tests.dashboard.access.users import SECRET, by_role
from tests.dashboard.actions.forms import Person
from tests.dashboard.browsing import logged_in
from tests.dashboard.conftest import BASE
from tests.dashboard.page_text import text_in, text_of
from tests.dashboard.refreshing import stop_clock
from tests.dashboard.seeds import Seeds
from tests.dashboard.served import Served
from tests.integration.apps import join
from tickerq_celery import TickerStatus
from tickerq_celery.enums import NodeKind, TickerKind
from tickerq_celery.health.phrases import comes, span
from tickerq_celery.wording import moment
from tickerq_dashboard import create_app
from tickerq_dashboard.reading.reader import Reader
from tickerq_dashboard.show.reasons import names_moment, parts_of

NOW = datetime(2026, 11, 26, 14, 4, 12, 900_000, tzinfo=UTC)
DONE: dict[str, Any] = {"status": TickerStatus.DONE, "due_at": None, "has_children": True}
RETURNED = b'{"value":{"orders":219,"card_token":"tok_9"}}'
AGE = re.compile(r'<time datetime="([^"]+)" title="[^"]+" data-v=(\w+)>([^<]+)</time>')
# Pages of one thing, each of which has other buttons.
HEADS = ("run-failed", "run-waiting", "run-running", "run-call", "cron", "chain")


@pytest.fixture
def client(seeds: Seeds) -> FlaskClient:
    permissions = {"viewer": ["audit.view"]}
    return create_app(seeds.tickerq, auth=by_role, secret=SECRET, permissions=permissions).test_client()


@pytest.fixture
def admin(client: FlaskClient) -> Person:
    return Person(client)


@pytest.fixture
def viewer(client: FlaskClient) -> Person:
    return Person(client, "viewer")


def panel(page: str, name: str) -> str:
    """What a reader sees of a panel of a page, empty where it has none of that name."""
    part = page.partition(f'aria-labelledby="{name}-title">')[2].partition("</section>")[0]
    return text_in(part).strip()


def test_what_a_run_returned_for_its_children_is_shown_masked_to_those_who_may_see_payloads(
    admin: Person, viewer: Person, seeds: Seeds
) -> None:
    path = f"/runs/{seeds.run(**DONE, result=RETURNED)}"
    assert panel(admin.get(path).text, "result").startswith(
        "Returned 35 bytes {2} orders: 219 card_token: masked Raw"
    )
    assert "tok_9" not in admin.get(path).text
    page = viewer.get(path).text
    assert panel(page, "result") == "Returned Your role may not see what it returned."
    assert "219" not in page


def test_a_parent_that_returned_nothing_or_what_cannot_be_given_on_says_so(
    admin: Person, seeds: Seeds
) -> None:
    nothing = admin.get(f"/runs/{seeds.run(**DONE)}").text
    assert panel(nothing, "result") == "Returned It returned nothing."
    refused = seeds.run(**DONE, result=b'{"refused":"result: too large"}')
    assert panel(admin.get(f"/runs/{refused}").text, "result") == (
        "Returned It returned what its children cannot be given: result: too large."
    )


@pytest.mark.parametrize("columns", [{"has_children": False}, {"status": TickerStatus.FAILED}])
def test_where_nothing_keeps_what_was_returned_nothing_is_said_of_it(
    admin: Person, seeds: Seeds, columns: dict[str, Any]
) -> None:
    assert panel(admin.get(f"/runs/{seeds.run(**DONE | columns)}").text, "result") == ""


def test_of_the_call_of_a_celery_task_it_is_said_that_celery_keeps_it(admin: Person, seeds: Seeds) -> None:
    now = seeds.now
    call = {**DONE, "has_children": False, "kind": TickerKind.CELERY_TASK.value, "started_at": now}
    assert "Returned see Celery's results, by its task id" in text_of(
        admin.get(f"/runs/{seeds.run(**call)}").text
    )


DELTAS = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400))


@given(DELTAS)
def test_a_moment_to_come_stands_in_a_sentence_with_how_far_off_it_is(ahead: timedelta) -> None:
    at = NOW + ahead
    sentence = f"It is due {comes(at, NOW)}. Its execution time is {moment(NOW)}."
    whole = at.replace(microsecond=0)
    found = [(part.text if part.at is None else "", part.at, part.ages) for part in parts_of(sentence)]
    assert found == [
        ("It is due at ", None, ""),
        ("", whole, ""),
        (", ", None, ""),
        ("", whole, "ago"),
        (". Its execution time is ", None, ""),
        ("", NOW.replace(microsecond=0), ""),
        (".", None, ""),
    ]
    assert names_moment(sentence, at)
    assert not names_moment(sentence, at + timedelta(seconds=1))


@given(DELTAS)
def test_so_does_one_that_has_passed(ago: timedelta) -> None:
    since = NOW - ago
    whole = since.replace(microsecond=0)
    lasting = f"no tick for {span(ago)}, since {moment(since)}"
    assert [(part.text if part.at is None else "", part.at, part.ages) for part in parts_of(lasting)] == [
        ("no tick ", None, ""),
        ("for ", None, ""),
        ("", whole, "for"),
        (", since ", None, ""),
        ("", whole, ""),
        ("", None, ""),
    ]
    for joint in (", at ", " and since, from "):
        past = f"it came {span(ago)} ago{joint}{moment(since)}"
        assert [part.ages for part in parts_of(past) if part.at is not None] == ["ago", ""]


def test_sentences_of_what_a_run_waits_for_count_on_and_say_the_moment_without_script(
    admin: Person, seeds: Seeds
) -> None:
    join(seeds.tickerq, NodeKind.BEAT)
    now = datetime.now(UTC)
    due = now + timedelta(hours=3, minutes=1)
    retry = {"retries": 3, "retry_count": 1, "claim_no": 1, "locked_at": now, "exception_type": "KeyError"}
    run_id = seeds.run(**retry, due_at=due, execution_time=now, started_at=now)
    seeds.attempt(run_id, exception_type="KeyError")
    page = admin.get(f"/runs/{run_id}").text
    shown = f"{due:%H:%M:%S} UTC" if due.date() == now.date() else f"{due:%a %H:%M} UTC"
    why = panel(page, "why")
    assert f"Waits for retry 1 of 3, at {shown} , in 3 h" in why
    assert f"Retry 1 of 3 comes at {shown} , in 3 h" in why
    # Once in each sentence: what the wait says itself is not said again.
    assert "Until" not in why
    ages = AGE.findall(page.partition('id="why-title"')[2].partition("</section>")[0])
    assert [(kind, text.replace("\u202f", " ")) for _, kind, text in ages] == [("ago", "in 3 h")] * 2
    assert {at for at, _, _ in ages} == {f"{due:%Y-%m-%dT%H:%M:%SZ}"}


def live_of(page: str) -> str:
    return page.partition('id="live" data-live="')[2].partition('"')[0]


def test_after_an_act_of_ones_own_pages_refresh_each_second_until_its_effect_has_come(
    admin: Person, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = seeds.run(**DONE)
    below = {"parent_id": head, "root_id": head, "run_condition": 0, "status": TickerStatus.FAILED}
    seeds.run(**below, execution_time=None, due_at=None)
    assert live_of(admin.get(f"/chains/{head}").text) == "15"
    answer = admin.act(f"/chains/{head}", "retry-failed")
    path = unescape(answer.headers["Location"]).removeprefix(BASE)
    assert live_of(admin.get(path).text) == "1"
    # Without having done it, and a while after it, as ever.
    assert live_of(admin.get(f"/chains/{head}").text) == "5"
    later = datetime.now(UTC) + timedelta(seconds=21)
    monkeypatch.setattr(Reader, "now", lambda _: later)
    assert live_of(admin.get(path).text) == "5"


def box(of: Locator) -> dict[str, float]:
    found = of.bounding_box()
    assert found is not None
    return {**found, "bottom": found["y"] + found["height"], "right": found["x"] + found["width"]}


def heads(browser: Browser, served: Served, width: int) -> Iterator[Page]:
    """The pages whose heads have each other buttons, one after the other."""
    page = opened(browser, served, HEADS[0], width, script=False)
    for name in HEADS:
        page.goto(served.address(name))
        assert page.locator(".acts .btn:visible").count() >= 1
        yield page
    page.context.close()


def opened(browser: Browser, served: Served, name: str, width: int, *, script: bool) -> Page:
    page = logged_in(browser, script=script).new_page()
    page.set_viewport_size({"width": width, "height": 860})
    page.goto(served.address(name))
    return page


def test_a_head_is_one_row(browser: Browser, served: Served) -> None:
    for page in heads(browser, served, 1280):
        name = box(page.locator(".head h1"))
        for each in map(box, page.locator(".acts .btn:visible").all()):
            assert each["y"] < name["bottom"], page.url
            assert name["y"] < each["bottom"], page.url
            assert name["right"] <= each["x"], page.url
        for badge in map(box, page.locator(".head .badge").all()):
            assert name["y"] <= badge["y"] < badge["bottom"] <= name["bottom"], page.url


def test_on_a_phone_state_and_name_come_first_and_what_can_be_done_takes_one_row(
    browser: Browser, served: Served
) -> None:
    for page in heads(browser, served, 390):
        acts = [box(each) for each in page.locator(".acts .btn:visible").all()]
        assert len({each["y"] for each in acts}) == 1, page.url
        assert box(page.locator(".head h1"))["bottom"] <= acts[0]["y"], page.url
        assert all(each["x"] >= 0 and each["right"] <= 390 for each in acts), page.url


def test_what_is_rarely_done_is_in_a_menu_that_opens_without_script(browser: Browser, served: Served) -> None:
    page = opened(browser, served, "run-failed", 1280, script=False)
    delete = page.get_by_role("link", name="Delete run …")
    expect(delete).to_be_hidden()
    page.get_by_label("More actions").click()
    delete.click()
    expect(page).to_have_url(re.compile("/delete$"))
    page.context.close()


def test_with_script_the_menu_closes_by_escape_and_by_a_click_beside_it(
    browser: Browser, served: Served
) -> None:
    page = opened(browser, served, "run-failed", 1280, script=True)
    menu, delete = page.get_by_label("More actions"), page.get_by_role("link", name="Delete run …")
    menu.press("Enter")
    expect(delete).to_be_visible()
    page.keyboard.press("Escape")
    expect(delete).to_be_hidden()
    expect(menu).to_be_focused()
    menu.click()
    expect(delete).to_be_visible()
    page.get_by_role("heading", name="Attempts").click()
    expect(delete).to_be_hidden()
    page.context.close()


def test_a_sentence_ages_as_times_do(browser: Browser, served: Served) -> None:
    context = logged_in(browser)
    stop_clock(context)
    page = context.new_page()
    served.showcase.beat()
    page.goto(f"{served.base}/runs/{served.showcase.upcoming}")
    said = page.locator(".checks time[data-v=ago]").first
    before = said.text_content()
    page.clock.run_for(1_000)
    at = said.get_attribute("datetime")
    assert at is not None
    page.clock.set_system_time(datetime.fromisoformat(at) + timedelta(seconds=5))
    page.clock.run_for(1_000)
    assert said.text_content() == "6\u202fs ago" != before
    context.close()
