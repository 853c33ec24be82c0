"""The form of a cron ticker: reviewed, stored once, refused field by field, and changed as it was seen."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from tests.dashboard.access.users import SECRET, by_role
from tests.dashboard.actions.forms import Person
from tests.dashboard.conftest import BASE
from tests.dashboard.forms.filling import error_of, fields_of, fill, press
from tests.dashboard.hostile import HOSTILE
from tests.dashboard.page_text import text_of
from tests.dashboard.seeds import NOW, Seeds
from tickerq_celery import (
    CronTicker,
    MisfirePolicy,
    OverlapPolicy,
    RunCondition,
    TickerPriority,
    TimeTicker,
)
from tickerq_dashboard import create_app

NEW = "/crons/new"
LATER = NOW.replace(year=2099)
GOOD = {"function": "clean_up", "expression": "30 2 14 * *", "time_zone": "America/New_York"}


def test_a_new_cron_ticker_is_stored_once_with_all_that_its_form_says(admin: Person, seeds: Seeds) -> None:
    texts = {
        **GOOD, "overlap": "skip", "misfire": "run_all", "misfire_limit": "7", "misfire_grace": "2 h",
        "pause_on_failure": "3", "retries": "2", "retry_intervals": "30 s, 1 min", "timeout": "20 min",
        "hard_timeout": "25 min", "jitter": "10 s", "queue": "books", "priority": "high", "tags": "eu, shop",
        "description": "Close the month", "start_at": "2026-12-01T00:00", "end_at": "2098-12-01T00:00",
        "max_runs": "9", "exclude": "2027-01-14", "concurrency_key": "ledger",
    }  # fmt: skip
    form = {**fields_of(admin.get(NEW).text), **texts}
    first, second = (press(admin, NEW, form) for _ in range(2))
    assert (first.status_code, first.location) == (303, second.location)
    [cron] = seeds.tickerq.cron_tickers.find()
    assert first.location == f"{BASE}/crons/{cron.id}?did={form['operation_id']}"
    assert (cron.function, cron.expression, cron.time_zone) == ("clean_up", "30 2 14 * *", "America/New_York")
    assert (cron.overlap, cron.misfire, cron.misfire_limit) == (OverlapPolicy.SKIP, MisfirePolicy.RUN_ALL, 7)
    assert (cron.misfire_grace, cron.pause_on_failure, cron.max_runs) == (timedelta(hours=2), 3, 9)
    assert (cron.retries, cron.retry_intervals) == (2, (timedelta(seconds=30), timedelta(minutes=1)))
    assert (cron.timeout, cron.hard_timeout) == (timedelta(minutes=20), timedelta(minutes=25))
    assert (cron.jitter, cron.queue, cron.priority) == (timedelta(seconds=10), "books", TickerPriority.HIGH)
    assert (cron.tags, cron.description, cron.concurrency_key) == (
        ("eu", "shop"),
        "Close the month",
        "ledger",
    )
    assert cron.start_at == datetime(2026, 12, 1, 5, tzinfo=UTC)
    assert (cron.exclude, cron.is_enabled) == ((date(2027, 1, 14),), True)
    [entry] = seeds.tickerq.audit.find()
    assert (entry.action, entry.actor, entry.via, str(entry.id)) == (
        "cron_tickers.add", "ann", "dashboard", form["operation_id"]
    )  # fmt: skip
    assert "Created" in text_of(admin.get(first.location).text)


def test_a_review_says_what_will_happen_and_stores_nothing(admin: Person, seeds: Seeds) -> None:
    answer = fill(admin, NEW, GOOD, step="review")
    said = text_of(answer.text)
    assert answer.status_code == 200
    assert "At 02:30, on day 14 of the month, America/New_York time." in said
    assert "Next 5" in said
    coming = seeds.tickerq.cron_tickers.preview("30 2 14 * *", time_zone="America/New_York", count=5)
    for each in coming:
        assert f'datetime="{each:%Y-%m-%dT%H:%M:%SZ}"' in answer.text
    assert "No live worker has clean_up: its runs are held until one does." in said
    assert list(seeds.tickerq.cron_tickers.find()) == []
    assert list(seeds.tickerq.audit.find()) == []


def test_clock_changes_of_the_next_400_days_are_told_before(admin: Person) -> None:
    daily = text_of(fill(admin, NEW, {**GOOD, "expression": "30 2 * * *"}, step="review").text)
    assert (
        "changes of the clocks touch it in the next 400 days" in daily
        or "change of the clocks touches" in daily
    )
    assert "The clocks skip 02:00 to 03:00 on" in daily
    noon = text_of(fill(admin, NEW, {**GOOD, "expression": "0 12 * * *"}, step="review").text)
    assert "No change of the clocks touches it" in noon
    kolkata = {**GOOD, "time_zone": "Asia/Kolkata"}
    assert "The clocks of Asia/Kolkata do not change." in text_of(
        fill(admin, NEW, kolkata, step="review").text
    )


def test_a_preset_fills_in_its_expression_and_complains_of_nothing(admin: Person) -> None:
    answer = fill(admin, NEW, {"schedule": "every"}, step="preset:0 9 * * 1-5")
    form = fields_of(answer.text)
    assert (form["expression"], form["schedule"]) == ("0 9 * * 1-5", "cron")
    assert 'class="note bad"' not in answer.text


@pytest.mark.parametrize("expression", ["0 0 * * 0", "0 0 * * SUN", "0 0 0 * * 7", "@daily"])
def test_what_beat_can_read_can_be_saved(admin: Person, seeds: Seeds, expression: str) -> None:
    assert fill(admin, NEW, {**GOOD, "expression": expression}).status_code == 303
    assert seeds.tickerq.cron_tickers.find()[0].next_run_at is not None


def test_a_review_heeds_the_bounds(admin: Person) -> None:
    texts = {**GOOD, "expression": "0 9 * * *", "start_at": "2098-12-01T00:00", "end_at": "2098-12-04T00:00"}
    said = text_of(fill(admin, NEW, {**texts, "exclude": "2098-12-02"}, step="review").text)
    assert "Next 2" in said
    assert "Mon 2098-12-01 09:00" in said
    assert "Wed 2098-12-03 09:00" in said
    assert "Next 1 " in text_of(fill(admin, NEW, {**texts, "max_runs": "1"}, step="review").text)
    never = fill(admin, NEW, {**texts, "expression": "0 9 25 * *"}, step="review").text
    assert "It never fires within these bounds." in text_of(never)


def test_bounds_are_those_of_the_zone_that_is_chosen(admin: Person, seeds: Seeds) -> None:
    start = datetime(2098, 12, 1, tzinfo=UTC)
    path = f"/crons/{seeds.cron(function='clean_up', start_at=start)}/edit"
    assert fill(admin, path, {"time_zone": "America/New_York"}).status_code == 303
    [cron] = seeds.tickerq.cron_tickers.find()
    assert cron.start_at == start + timedelta(hours=5)


def test_an_interval_fires_by_elapsed_time(admin: Person, seeds: Seeds) -> None:
    texts = {"function": "clean_up", "schedule": "every", "every": "1 d 2 h 30 min"}
    assert "Every 1 d 2 h 30 min." in text_of(fill(admin, NEW, texts, step="review").text)
    assert fill(admin, NEW, texts).status_code == 303
    [cron] = seeds.tickerq.cron_tickers.find()
    assert cron.every == timedelta(days=1, hours=2, minutes=30)
    assert "Every 1 d 2 h 30 min" in text_of(admin.get("/crons").text)


@pytest.mark.parametrize(
    ("texts", "field", "says"),
    [
        ({"function": ""}, "function", "Name a function."),
        ({"function": "nothing"}, "function", "No function of this name is registered"),
        ({"kind": "task", "function": "celery.backend_cleanup"}, "function", "no Celery task of this name"),
        ({"expression": ""}, "expression", "This is needed."),
        ({"expression": "60 * * * *"}, "expression", "60"),
        ({"expression": "0 0 31 2 *"}, "expression", "ever fires"),
        ({"expression": "* " * 101}, "expression", "200 characters at most."),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "no such time zone"),
        ({"retries": "many"}, "retries", "Write a whole number."),
        ({"retries": "2000"}, "retries", "1,000 at most."),
        ({"retry_intervals": "soon"}, "retry_intervals", "such as 30 s"),
        ({"misfire_limit": "0"}, "misfire_limit", "1 or more."),
        ({"overlap": "maybe"}, "overlap", "Choose one of the list."),
        ({"timeout": "40 d"}, "timeout", "at most 30 days"),
        ({"timeout": "5 min", "hard_timeout": "1 min"}, "hard_timeout", "more than timeout"),
        ({"schedule": "every", "every": "0 s"}, "every", "from 1 s"),
        ({"exclude": "Monday"}, "exclude", "Write dates"),
        ({"start_at": "soon"}, "start_at", "Write a date and a time."),
        ({"description": "x" * 501}, "description", "500 characters at most."),
        ({"function": "charge_card", "request": '{"customer": "x"}'}, "request", "customer: "),
        ({"function": "charge_card", "request": "{"}, "request", "not JSON"),
        ({"children.0.function": ""}, "children.0.function", "Name a function."),
        ({"children.0.function": "nope"}, "children.0.function", "No function of this name"),
        (
            {"children.0.function": "clean_up", "children.0.retries": "x"},
            "children.0.retries",
            "whole number",
        ),
        (
            {"children.0.function": "clean_up", "children.0.children.0.function": "charge_card"},
            "children.0.children.0.request",
            "needs one",
        ),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_stored(
    admin: Person, seeds: Seeds, texts: dict[str, str], field: str, says: str
) -> None:
    answer = fill(admin, NEW, {**GOOD, "description": "kept", **texts})
    assert answer.status_code == 422
    assert says in text_of(error_of(answer.text, field)) or says in error_of(answer.text, field)
    assert f'href="#f-{field}"' in answer.text
    tag = answer.text.partition(f'id="f-{field}"')[2].partition(">")[0]
    assert 'aria-invalid="true" autofocus aria-describedby="e-' in tag
    form = fields_of(answer.text)
    assert form["time_zone"] == texts.get("time_zone", GOOD["time_zone"])
    assert form["description"] == texts.get("description", "kept")
    assert list(seeds.tickerq.cron_tickers.find()) == []


def test_all_that_is_wrong_is_listed_in_the_order_of_the_page(admin: Person, seeds: Seeds) -> None:
    texts = {"expression": "61 * * * *", "function": "nothing", "retries": "x", "tags": "t" * 51}
    page = fill(admin, NEW, {**GOOD, **texts, "children.0.function": ""}).text
    summary = page.partition('role="alert" aria-labelledby="wrong-title"')[2].partition("</section>")[0]
    listed = re.findall(r'href="#f-([^"]+)"', summary)
    assert listed == ["expression", "function", "retries", "tags", "children.0.function"]
    assert "Not saved: 5 things are wrong" in text_of(page)


def test_what_the_core_refuses_is_in_the_audit(admin: Person, seeds: Seeds) -> None:
    fill(admin, NEW, {**GOOD, "timeout": "40 d"})
    [entry] = seeds.tickerq.audit.find()
    assert (entry.action, entry.outcome.value, entry.actor) == ("cron_tickers.add", "refused", "ann")


@pytest.mark.parametrize(
    "texts",
    [
        {"expression": "0 0 1--100000000 * *"}, {"expression": "*/0 * * * *"}, {"expression": "\0"},
        {"expression": "0-59/1," * 1000}, {"every": "9" * 400 + " d", "schedule": "every"},
        {"every": "900000 d", "schedule": "every"}, {"start_at": "0001-01-01T00:00"},
        {"max_runs": "9" * 5000},
        {"max_runs": "\u00b2"}, {"retries": "9" * 5000}, {"end_at": "9999-12-31T23:59"}, {"function": "\0"},
        {"function": "x" * 1000}, {"time_zone": "../../etc/passwd"}, {"exclude": "9" * 5000},
        {"request": "[" * 50_000}, {"children.0." * 90 + "function": "x"}, {"children.999999.x": "y"},
        {"operation_id": "1"}, {"step": "remove:children.9."}, {"step": "add:nonsense"}, {"kind": "else"},
        {"retry_intervals": "999999999 d, 999999999 d"},
    ],
)  # fmt: skip
def test_no_text_breaks_the_review(admin: Person, texts: dict[str, str]) -> None:
    form = {**fields_of(admin.get(NEW).text), **GOOD, "step": "review", **texts}
    assert admin.send(NEW, form).status_code == 200
    assert admin.send("/runs/new", {**form, "when": "in", "delay": "99999999 d"}).status_code in {200, 403}


def test_a_form_that_was_refused_is_put_right_and_sent_again(admin: Person, seeds: Seeds) -> None:
    refused = fill(admin, NEW, {**GOOD, "expression": "61 * * * *"})
    assert press(admin, NEW, {**fields_of(refused.text), "expression": "1 * * * *"}).status_code == 303
    assert seeds.tickerq.cron_tickers.find()[0].expression == "1 * * * *"


def test_a_form_that_is_sent_again_with_other_values_asks_first(admin: Person, seeds: Seeds) -> None:
    form = {**fields_of(admin.get(NEW).text), **GOOD}
    assert press(admin, NEW, form).status_code == 303
    again = press(admin, NEW, {**form, "expression": "5 * * * *"})
    assert again.status_code == 409
    assert "This form has been sent before" in text_of(again.text)
    assert len(seeds.tickerq.cron_tickers.find()) == 1
    assert press(admin, NEW, fields_of(again.text)).status_code == 303
    assert len(seeds.tickerq.cron_tickers.find()) == 2


def test_each_occurrence_gets_the_chain_that_was_built_without_script(admin: Person, seeds: Seeds) -> None:
    one = fill(admin, NEW, GOOD, step="add:")
    assert 'name="children.0.function" autofocus' in one.text
    two = press(admin, NEW, fields_of(one.text), step="add:children.0.")
    form = fields_of(two.text) | {
        "children.0.function": "charge_card",
        "children.0.request": '{"customer": 3}',
        "children.0.run_condition": "on_failure",
        "children.0.children.0.kind": "task",
        "children.0.children.0.function": "shop.refresh",
        "children.0.children.0.args": "[1, 2]",
    }
    assert press(admin, NEW, form).status_code == 303
    [cron] = seeds.tickerq.cron_tickers.find()
    [child] = cron.children
    assert (child.function, child.run_condition) == ("charge_card", RunCondition.ON_FAILURE)
    assert child.request == {"customer": 3, "amount": "1.00"}
    [below] = child.children
    assert (below.task, list(below.args)) == ("shop.refresh", [1, 2])
    shown = fields_of(admin.get(f"/crons/{cron.id}/edit").text)
    assert shown["children.0.children.0.function"] == "shop.refresh"
    assert shown["children.0.children.0.args"] == "[1, 2]"


def test_an_edit_changes_what_differs_and_leaves_the_rest(admin: Person, seeds: Seeds) -> None:
    cron_id = seeds.cron(
        function="clean_up", next_run_at=LATER, retries=3, overlap="buffer_one", is_enabled=False,
        paused_by="ben", request=b'{"token":"tok_1","day":1}', tags=["eu"],
    )  # fmt: skip
    before = seeds.tickerq.cron_tickers.get(cron_id)
    path = f"/crons/{cron_id}/edit"
    reviewed = fill(admin, path, {"expression": "0 0 10 * * *"}, step="review")
    said = text_of(reviewed.text)
    assert "Cron expression: 0 0 9 * * * becomes 0 0 10 * * *" in said
    assert "Code defines this cron ticker" in said
    saved = fill(admin, path, {"expression": "0 0 10 * * *", "reason": "the bank opens later"})
    assert saved.status_code == 303
    cron = seeds.tickerq.cron_tickers.get(cron_id)
    assert cron.expression == "0 0 10 * * *"
    assert (cron.retries, cron.overlap, cron.tags, cron.request) == (
        before.retries, before.overlap, before.tags, before.request
    )  # fmt: skip
    assert not cron.is_enabled
    [entry] = seeds.tickerq.audit.find(object_kind="cron_ticker", object_id=cron_id)
    assert (entry.action, entry.reason) == ("cron_tickers.update", "the bank opens later")
    assert "Saved the changes of" in text_of(admin.get(saved.location).text)


def test_a_field_that_is_emptied_is_taken_away(admin: Person, seeds: Seeds) -> None:
    cron_id = seeds.cron(function="clean_up", tags=["eu"], description="old", timeout=timedelta(minutes=2))
    texts = {"tags": "", "description": "", "timeout": ""}
    assert fill(admin, f"/crons/{cron_id}/edit", texts).status_code == 303
    cron = seeds.tickerq.cron_tickers.get(cron_id)
    assert (cron.tags, cron.description, cron.timeout) == ((), None, None)


def test_an_edit_keeps_the_secrets_that_it_does_not_show(admin: Person, seeds: Seeds) -> None:
    cron_id = seeds.cron(function="unknown_here", request=b'{"api_token":"tok_1","day":1}')
    path = f"/crons/{cron_id}/edit"
    page = admin.get(path).text
    assert "tok_1" not in page
    assert fields_of(page)["request"] == '{"api_token": "•••", "day": 1}'


@pytest.mark.parametrize("more", [[], ["payload.view"], ["payload.edit"]])
def test_a_role_without_payloads_changes_the_rest_and_leaves_the_chain(seeds: Seeds, more: list[str]) -> None:
    seeds.tickerq.function("clean_up")(lambda context: None)
    chain = [TimeTicker("clean_up", request={"n": 1})]
    cron = seeds.tickerq.cron_tickers.add(
        CronTicker("clean_up", expression="0 9 * * *", request={"n": 2}, children=chain)
    )
    app = create_app(
        seeds.tickerq, auth=by_role, secret=SECRET, permissions={"operator": ["crons.edit", *more]}
    )
    person, path = Person(app.test_client(), "operator"), f"/crons/{cron.id}/edit"
    form = fields_of(person.get(path).text)
    assert not {"request", "children.0.function"} & form.keys()
    assert press(person, path, {**form, "description": "new"}).status_code == 303
    changed = seeds.tickerq.cron_tickers.get(cron.id)
    assert (changed.description, changed.request) == ("new", {"n": 2})
    assert [each.request for each in changed.children] == [{"n": 1}]
    if "payload.edit" not in more:
        assert press(person, path, {**form, "request": "[]"}).status_code == 403


def test_what_another_one_changed_meanwhile_is_shown_and_not_overwritten(admin: Person, seeds: Seeds) -> None:
    cron_id = seeds.cron(function="clean_up", next_run_at=LATER)
    path = f"/crons/{cron_id}/edit"
    form = {**fields_of(admin.get(path).text), "description": "mine"}
    seeds.tickerq.cron_tickers.update(cron_id, description="theirs", queue="slow", by="ben")
    refused = press(admin, path, form)
    said = text_of(refused.text)
    assert refused.status_code == 409
    assert "Not saved: ben changed this cron ticker at" in said
    assert "Description: theirs becomes mine" in said
    assert "Queue: " not in said
    assert "Last changed by ben" in said
    assert seeds.tickerq.cron_tickers.get(cron_id).description == "theirs"
    assert press(admin, path, fields_of(refused.text)).status_code == 303
    cron = seeds.tickerq.cron_tickers.get(cron_id)
    assert (cron.description, cron.queue) == ("mine", "slow")


def test_an_edit_that_is_sent_twice_takes_effect_once(admin: Person, seeds: Seeds) -> None:
    cron_id = seeds.cron(function="clean_up", next_run_at=LATER, description="old")
    path = f"/crons/{cron_id}/edit"
    form = {**fields_of(admin.get(path).text), "description": "new"}
    first, second = (press(admin, path, form) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location
    assert len(seeds.tickerq.audit.find()) == 1
    assert press(admin, path, {**form, "description": "newer"}).status_code == 409
    assert press(admin, path, {**form, "seen": "[1]"}).status_code == 409


@pytest.mark.parametrize(("role", "expected"), [("viewer", 403), ("operator", 403), ("admin", 200)])
def test_a_role_that_may_not_is_neither_offered_the_form_nor_served_it(
    client: FlaskClient, seeds: Seeds, role: str, expected: int
) -> None:
    person = Person(client, role)
    assert person.get(NEW).status_code == expected
    assert (f'href="{BASE}{NEW}"' in person.get("/crons").text) is (expected == 200)
    cron_id = seeds.cron()
    assert (f'href="{BASE}/crons/{cron_id}/edit"' in person.get(f"/crons/{cron_id}").text) is (
        expected == 200
    )


def test_what_the_store_holds_is_only_text_in_a_form(admin: Person, seeds: Seeds) -> None:
    cron_id = seeds.cron(function=HOSTILE[:200], description=HOSTILE, tags=[HOSTILE[:50]], queue=HOSTILE)
    for page in (
        admin.get(f"/crons/{cron_id}/edit"),
        fill(admin, f"/crons/{cron_id}/edit", {"expression": HOSTILE, "children.0.function": HOSTILE}),
    ):
        assert "<img/src" not in page.text
        assert "&lt;img/src" in page.text
