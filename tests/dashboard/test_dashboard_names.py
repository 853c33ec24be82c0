"""Pages call runs and cron tickers by function and description, not by the digits of their ids."""

import re
from datetime import timedelta
from html import unescape
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from tests.dashboard.access.users import SECRET, by_role
from tests.dashboard.actions.forms import Person
from tests.dashboard.actions.many import asked, start
from tests.dashboard.browsing import logged_in
from tests.dashboard.conftest import BASE, LOGIN
from tests.dashboard.forms.filling import fields_of, fill, press
from tests.dashboard.page_text import text_in, text_of
from tests.dashboard.seeds import NOW, Seeds
from tests.dashboard.served import Served
from tests.thoroughness import in_verify
from tickerq_celery import TickerContext, TickerStatus
from tickerq_celery.enums import Origin
from tickerq_celery.views import Actor
from tickerq_dashboard import create_app

LATER = NOW.replace(year=2099)
ORDER = "Order 10342"
CALLED = f"charge_card “{ORDER}”"
# Twelve digits are as many as a page shortens an id to.
DIGITS = re.compile(r"\b[0-9a-f]{12}\b")
# Of one thing: pages whose head says what that is.
OF_ONE = (
    "run-failed",
    "run-running",
    "run-waiting",
    "cron",
    "chain",
    "function",
    "bulk-job",
    "cron-backfill",
)
HEIGHTS = """() => {
  const edge = (which) => [...document.querySelectorAll(`main ${which}`)]
    .find((each) => each.checkVisibility()).getBoundingClientRect();
  return [edge("h1").bottom, edge(":is(.btn, .seg)").top];
}"""


@pytest.fixture
def client(seeds: Seeds) -> FlaskClient:
    @seeds.tickerq.function("billing.charge_card")
    def charge_card(context: TickerContext[None]) -> None: ...

    return create_app(seeds.tickerq, auth=by_role, secret=SECRET).test_client()


@pytest.fixture
def admin(client: FlaskClient) -> Person:
    return Person(client)


def failed(seeds: Seeds, **columns: object) -> UUID:
    own = {"function": "billing.charge_card", "description": ORDER, "status": TickerStatus.FAILED}
    return seeds.run(**{**own, **columns})


def flash_of(page: str) -> str:
    """What the message about what was done says."""
    return text_in(page.partition('class="flash"')[2].partition("</div>")[0].partition(">")[2]).replace(
        " ,", ","
    )


def test_a_message_names_what_was_done_something_to(admin: Person, seeds: Seeds) -> None:
    run_id, cron_id = failed(seeds), seeds.cron(function="billing.charge_card", description="The rest of May")
    retried = admin.act(f"/runs/{run_id}", "retry")
    assert f"Retried {CALLED}," in flash_of(admin.get(retried.location).text)
    paused = admin.act(f"/crons/{cron_id}", "pause", reason="the bank is away")
    assert "Paused charge_card “The rest of May”," in flash_of(admin.get(paused.location).text)
    saved = fill(admin, f"/crons/{cron_id}/edit", {"expression": "0 0 10 * * *"})
    assert "Saved the changes of charge_card “The rest of May”," in flash_of(admin.get(saved.location).text)
    tag = admin.send("/pauses/pause", {**admin.forms("/pauses/pause?kind=tag&name=eu")["/pauses/pause"]})
    assert "Paused tag eu," in flash_of(admin.get(tag.location).text)


def test_a_message_names_what_is_gone(admin: Person, seeds: Seeds) -> None:
    run_id = failed(seeds)
    deleted = admin.act(f"/runs/{run_id}", "delete")
    assert f"Deleted {CALLED}," in flash_of(admin.get(deleted.location).text)
    gone = admin.get(f"/runs/{run_id}").text
    assert f"The run {CALLED} was deleted" in text_of(gone)
    assert f"<title>Deleted: {CALLED} ·" in unescape(gone)


def test_a_message_names_the_bulk_job_by_what_it_does(admin: Person, seeds: Seeds) -> None:
    run_id = failed(seeds)
    started = start(admin, asked(admin, "/runs", "retry", ids=[run_id]), "retry")
    assert "Started the bulk job “Retry runs”," in flash_of(admin.get(started.location).text)


def test_after_cloning_the_message_is_about_the_new_run(admin: Person, seeds: Seeds) -> None:
    run_id = failed(seeds)
    texts = {"description": "Order 10343", "when": "in", "delay": "2 h"}
    made = fill(admin, f"/runs/{run_id}/clone", texts)
    [copy] = [each for each in seeds.tickerq.time_tickers.find() if each.cloned_from == run_id]
    page = admin.get(made.location).text
    assert "Scheduled a copy: charge_card “Order 10343”," in flash_of(page)
    assert f'title="{copy.id}"' in page.partition('class="flash"')[2].partition("</div>")[0]


def test_a_run_of_a_form_was_made_by_who_sent_it(admin: Person, seeds: Seeds) -> None:
    texts = {"function": "billing.charge_card", "when": "in", "delay": "2 h"}
    made = fill(admin, "/runs/new", texts)
    assert " Made by ann " in text_of(admin.get(made.location).text)
    by_code, copied = failed(seeds), failed(seeds, origin=Origin.CLONE.value, created_by="ben")
    assert " Made by Code " in text_of(admin.get(f"/runs/{by_code}").text)
    assert " Made by A copy, by ben " in text_of(admin.get(f"/runs/{copied}").text)
    cron = {"function": "billing.charge_card", "expression": "0 0 9 * * *"}
    stored = fill(admin, "/crons/new", cron)
    assert " Made by ann " in text_of(admin.get(stored.location).text)


def test_a_list_says_what_a_run_is_beside_its_name_and_what_went_wrong_in_a_column_of_its_own(
    admin: Person, seeds: Seeds
) -> None:
    error = {"exception_type": "shop.NoStock", "exception_message": "none of 7"}
    seeds.run(function="Ship", status=TickerStatus.DONE, description="Order 7")
    seeds.run(function="Ship", status=TickerStatus.FAILED, description="Order 8", **error)
    seeds.run(function="Ship", status=TickerStatus.IN_PROGRESS, description="Order 9")
    seeds.run(function="Ship", execution_time=LATER, due_at=LATER, description="Order 10")
    found: dict[str, str] = {}
    for path in ("/runs", "/runs/active", "/runs/upcoming"):
        for row in admin.get(path).text.partition("<tbody>")[2].split("<tr")[1:]:
            name, last = row.partition("<th")[2].partition("<td>")[0], row.rpartition("<td>")[2]
            found[text_in(f"<{name}").strip()] = text_in(last.partition("</tbody>")[0]).strip()
    assert found == {
        "Ship Order 7": "",
        "Ship Order 8": "NoStock : none of 7",
        "Ship Order 9": "",
        "Ship Order 10": "",
    }


def test_no_crumb_title_or_heading_has_the_digits_of_an_id(served: Served) -> None:
    found: list[str] = []
    for name, path in served.showcase.paths.items():
        page = served.app.test_client().get(BASE + path, headers=LOGIN).text
        found += [
            f"{name}: {text_in(each).strip()}"
            for each in re.findall(
                r"<title>.*?</title>|<p class=\"crumbs\">.*?</p>|<h1.*?</h1>", page, re.DOTALL
            )
            if DIGITS.search(text_in(each))
        ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", [OF_ONE[0], *map(in_verify, OF_ONE[1:])])
def test_on_a_phone_the_title_of_a_thing_stands_above_what_can_be_done_to_it(
    browser: Browser, served: Served, name: str
) -> None:
    context = logged_in(browser)
    page = context.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(served.address(name))
    title, button = page.evaluate(HEIGHTS)
    context.close()
    assert title <= button


@pytest.mark.parametrize("is_run", [True, False])
def test_a_refused_edit_says_who_was_faster_and_what_saving_again_does(
    admin: Person, seeds: Seeds, *, is_run: bool
) -> None:
    ben = seeds.tickerq.acting_as(Actor("ben"))
    if is_run:
        run_id = failed(seeds, status=TickerStatus.IDLE, execution_time=LATER, due_at=LATER)
        path, update = f"/runs/{run_id}/edit", ben.time_tickers.update
    else:
        cron_id = seeds.cron(function="billing.charge_card", next_run_at=NOW + timedelta(days=9))
        path, update = f"/crons/{cron_id}/edit", ben.cron_tickers.update
    texts = fields_of(admin.get(path).text)
    update(path.split("/")[2], description="of ben")
    refused = press(admin, path, {**texts, "description": "of ann"})
    said = text_of(refused.text)
    assert refused.status_code == 409
    noun = "run" if is_run else "cron ticker"
    assert re.search(rf"Not saved: ben changed this {noun} at [\w :-]+ UTC, after you opened this form", said)
    assert "Saving again overwrites those fields; what else was changed stays." in said
    assert "Description: of ben becomes of ann" in said
    viewer = create_app(
        seeds.tickerq, auth=by_role, secret=SECRET, permissions={"admin": ["crons.edit", "tickers.edit"]}
    )
    update(path.split("/")[2], description="of ben, once more")
    unnamed = text_of(press(Person(viewer.test_client()), path, {**texts, "description": "of ann"}).text)
    assert f"Not saved: this {noun} was changed at " in unnamed
    assert "ben changed" not in unnamed


def test_the_title_of_a_window_has_the_whole_name_and_the_description(admin: Person, seeds: Seeds) -> None:
    for path in (f"/runs/{failed(seeds)}", f"/crons/{seeds.cron(function='shop.bill', description=ORDER)}"):
        function = "billing.charge_card" if "runs" in path else "shop.bill"
        assert f"<title>{function} “{ORDER}” ·" in unescape(admin.get(path).text)
