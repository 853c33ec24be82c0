"""The form of a time ticker: scheduled, copied and changed, each once, or refused field by field."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from tests.dashboard.access.users import SECRET, by_role
from tests.dashboard.actions.forms import Person
from tests.dashboard.conftest import BASE
from tests.dashboard.forms.filling import error_of, fields_of, fill, press
from tests.dashboard.hostile import HOSTILE
from tests.dashboard.page_text import text_of
from tests.dashboard.seeds import NOW, Seeds
from tickerq_celery import Run, RunCondition, TickerPriority, TickerStatus, TickerType
from tickerq_celery.enums import Origin
from tickerq_dashboard import create_app

NEW = "/runs/new"
LATER = NOW.replace(year=2099)
GOOD = {"function": "charge_card", "request": '{"customer": 3}', "when": "in", "delay": "1 h"}


def runs(seeds: Seeds) -> list[Run]:
    return list(seeds.tickerq.time_tickers.find())


def waiting(seeds: Seeds, **columns: object) -> UUID:
    return seeds.run(**{"function": "clean_up", "execution_time": LATER, "due_at": LATER, **columns})


def test_a_run_is_scheduled_once_with_all_that_its_form_says(admin: Person, seeds: Seeds) -> None:
    texts = {
        "function": "charge_card", "request": '{"customer": 3}', "when": "at", "at": "2098-12-01T09:30",
        "zone": "Europe/Berlin", "retries": "2", "retry_intervals": "30 s, 1 min", "timeout": "5 min",
        "hard_timeout": "6 min", "priority": "low", "queue": "payments", "tags": "eu",
        "unique_key": "order-3", "description": "Order 3", "concurrency_key": "customer-3",
    }  # fmt: skip
    form = {**fields_of(admin.get(NEW).text), **texts}
    first, second = (press(admin, NEW, form) for _ in range(2))
    assert (first.status_code, first.location) == (303, second.location)
    [run] = runs(seeds)
    assert first.location == f"{BASE}/runs/{run.id}?did={form['operation_id']}"
    assert run.execution_time == datetime(2098, 12, 1, 8, 30, tzinfo=UTC)
    assert (run.function, run.request) == ("charge_card", {"customer": 3, "amount": "1.00"})
    assert (run.retries, run.retry_intervals) == (2, (timedelta(seconds=30), timedelta(minutes=1)))
    assert (run.timeout, run.hard_timeout) == (timedelta(minutes=5), timedelta(minutes=6))
    assert (run.priority, run.queue, run.tags) == (TickerPriority.LOW, "payments", ("eu",))
    assert (run.unique_key, run.description, run.concurrency_key) == ("order-3", "Order 3", "customer-3")
    assert (run.origin, run.created_by) == (Origin.ADDED, "ann")
    [entry] = seeds.tickerq.audit.find()
    assert (entry.action, str(entry.id)) == ("time_tickers.add", form["operation_id"])
    assert "Scheduled" in text_of(admin.get(first.location).text)


def test_a_run_starts_after_a_time_or_now(admin: Person, seeds: Seeds) -> None:
    assert fill(admin, NEW, GOOD).status_code == 303
    [run] = runs(seeds)
    assert run.execution_time is not None
    assert timedelta(minutes=58) < run.execution_time - datetime.now(UTC) <= timedelta(hours=1)
    assert fill(admin, NEW, {**GOOD, "when": "now"}).status_code == 303
    assert min(each.execution_time or LATER for each in runs(seeds)) <= datetime.now(UTC)


def test_a_celery_task_of_the_app_is_scheduled_with_its_arguments(admin: Person, seeds: Seeds) -> None:
    texts = {
        "kind": "task",
        "function": "shop.refresh",
        "args": "[1]",
        "kwargs": '{"a": "b"}',
        "on_lost": "retry",
    }
    assert fill(admin, NEW, {**texts, "when": "in", "delay": "1 h"}).status_code == 303
    [run] = runs(seeds)
    assert (run.function, run.request["args"], run.request["kwargs"]) == ("shop.refresh", [1], {"a": "b"})


def test_a_review_says_when_it_runs_and_how_often_it_is_tried(admin: Person, seeds: Seeds) -> None:
    texts = {**GOOD, "retries": "3", "retry_intervals": "30 s, 1 min"}
    answer = fill(admin, NEW, texts, step="review")
    said = text_of(answer.text)
    assert answer.status_code == 200
    assert "in 1 h." in said or "in 59 min." in said
    assert "tried 3 more times: after 30 s, 1 min, the last time 2 min 30 s after the first failure" in said
    assert runs(seeds) == []


def test_a_moment_that_has_passed_is_warned_about(admin: Person, seeds: Seeds) -> None:
    past = {**fields_of(admin.get(NEW).text), **GOOD, "when": "at", "zone": "UTC", "at": "2020-01-01T09:30"}
    said = text_of(fill(admin, NEW, past, step="review").text)
    assert "2020-01-01 09:30:00 UTC is in the past" in said
    assert ": it runs now." in said
    assert "as soon as a worker is free" not in said
    assert "is in the past" not in text_of(
        fill(admin, NEW, {**past, "at": "2098-01-01T09:30"}, step="review").text
    )


def test_who_stores_for_a_past_moment_without_a_review_hears_of_it_afterwards(
    admin: Person, seeds: Seeds
) -> None:
    past = {**fields_of(admin.get(NEW).text), **GOOD, "when": "at", "zone": "UTC", "at": "2020-01-01T09:30"}

    def told(texts: dict[str, str]) -> str:
        return text_of(admin.get(press(admin, NEW, texts).location).text)

    assert "2020-01-01 09:30:00 UTC was in the past: it runs now." in told(past)
    for when in ({"when": "now"}, {"at": "2098-01-01T09:30"}):
        form = fields_of(admin.get(NEW).text)
        assert "was in the past" not in told({**past, "operation_id": form["operation_id"], **when})


def test_a_zone_that_does_not_exist_is_refused_in_the_form(admin: Person, seeds: Seeds) -> None:
    wrong = {**fields_of(admin.get(NEW).text), **GOOD, "when": "at", "at": "2098-01-01T09:30"}
    for zone in ("UTCKolkata", "Mars/Base"):
        page = press(admin, NEW, {**wrong, "zone": zone})
        assert (page.status_code, "There is no such time zone" in page.text) == (422, True)
        assert 'name="zone" aria-invalid="true"' in page.text
    assert runs(seeds) == []


def test_a_chain_is_built_to_any_depth_without_script(admin: Person, seeds: Seeds) -> None:
    page = fill(admin, NEW, GOOD, step="add:")
    for step in ("add:children.0.", "add:children.0.children.0.", "add:"):
        page = press(admin, NEW, fields_of(page.text), step=step)
    form = fields_of(page.text) | {
        "children.0.function": "clean_up",
        "children.0.run_condition": "on_success",
        "children.0.children.0.function": "charge_card",
        "children.0.children.0.request": '{"customer": 4}',
        "children.0.children.0.children.0.function": "clean_up",
        "children.1.function": "clean_up",
        "children.1.run_condition": "on_failure",
        "children.1.at": "2098-12-01T09:30",
    }
    reviewed = press(admin, NEW, form, step="review")
    assert "4 runs of its chain wait for it; the tree below has them" in text_of(reviewed.text)
    lone = press(admin, NEW, fields_of(fill(admin, NEW, GOOD, step="add:").text), step="review")
    assert "1 run of its chain waits for it; the tree below has it" in text_of(lone.text)
    fewer = press(admin, NEW, form, step="remove:children.0.children.0.children.0.")
    assert "children.0.children.0.children.0.function" not in fields_of(fewer.text)
    assert press(admin, NEW, fields_of(fewer.text)).status_code == 303
    tree = seeds.tickerq.chains.tree(next(each for each in runs(seeds) if each.parent_id is None).id)
    found = [(each.run.function, each.depth, each.run_condition) for each in tree.runs]
    assert sorted(found, key=str) == sorted(
        [
            ("charge_card", 0, None),
            ("clean_up", 1, RunCondition.ON_SUCCESS),
            ("charge_card", 2, None),
            ("clean_up", 1, RunCondition.ON_FAILURE),
        ],
        key=str,
    )


@pytest.mark.parametrize(
    ("texts", "field", "says"),
    [
        ({"delay": ""}, "delay", "This is needed."),
        ({"delay": "soon"}, "delay", "such as 30 s"),
        ({"when": "at", "at": ""}, "at", "This is needed."),
        ({"when": "at", "at": "2027-03-28T02:30", "zone": "Europe/Berlin"}, "at", "skip this time"),
        ({"when": "at", "at": "2027-10-31T02:30", "zone": "Europe/Berlin"}, "pass", "twice"),
        ({"request": ""}, "request", "needs one"),
        ({"request": '{"customer": 3, "amount": 5}'}, "request", "amount: "),
        ({"function": "clean_up", "request": "[1]"}, "request", "takes none"),
        ({"unique_key": " x" * 150}, "unique_key", "200 characters at most."),
        ({"on_conflict": "shrug"}, "on_conflict", "Choose one of the list."),
        ({"on_conflict": "replace", "unique_key": ""}, "on_conflict", "unique"),
        ({"tags": ", ".join(f"t{at}" for at in range(21))}, "tags", "20 at most."),
        ({"children.0.function": "clean_up", "children.0.at": "soon"}, "children.0.at", "Write a date"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_stored(
    admin: Person, seeds: Seeds, texts: dict[str, str], field: str, says: str
) -> None:
    answer = fill(admin, NEW, {**GOOD, "description": "kept", **texts})
    assert answer.status_code == 422
    assert says in text_of("<main" + error_of(answer.text, field)) or says in error_of(answer.text, field)
    assert fields_of(answer.text)["description"] == "kept"
    assert runs(seeds) == []


def test_a_moment_that_the_clocks_repeat_is_chosen(admin: Person, seeds: Seeds) -> None:
    texts = {**GOOD, "when": "at", "at": "2098-10-26T02:30", "zone": "Europe/Berlin"}
    refused = fill(admin, NEW, texts)
    assert press(admin, NEW, {**fields_of(refused.text), "pass": "second"}).status_code == 303
    assert runs(seeds)[0].execution_time == datetime(2098, 10, 26, 1, 30, tzinfo=UTC)


def test_a_unique_key_that_is_taken_is_refused_beside_it(admin: Person, seeds: Seeds) -> None:
    fill(admin, NEW, {**GOOD, "unique_key": "order-3"})
    refused = fill(admin, NEW, {**GOOD, "unique_key": "order-3"})
    assert refused.status_code == 409
    assert "A run with this key has not ended" in error_of(refused.text, "unique_key")
    kept = press(admin, NEW, {**fields_of(refused.text), "on_conflict": "return_existing"})
    assert kept.status_code == 303
    assert len(runs(seeds)) == 1


def test_an_example_of_the_functions_request_is_filled_in(admin: Person, seeds: Seeds) -> None:
    seeds.tickerq.seed()
    page = admin.get(f"{NEW}?function=charge_card")
    assert fields_of(page.text)["function"] == "charge_card"


def test_a_copy_has_what_differs_and_names_its_original(admin: Person, seeds: Seeds) -> None:
    run_id = seeds.run(
        function="charge_card", status=TickerStatus.FAILED, request=b'{"customer":3,"amount":"1.00"}',
        retries=2, tags=["eu"], unique_key="order-3",
    )  # fmt: skip
    path = f"/runs/{run_id}/clone"
    page = admin.get(path)
    assert fields_of(page.text)["when"] == "now"
    reviewed = fill(admin, path, {"request": '{"customer": 4}', "when": "in", "delay": "1 h"}, step="review")
    assert "becomes" in text_of(reviewed.text)
    copied = fill(admin, path, {"request": '{"customer": 4}', "when": "in", "delay": "1 h"})
    assert copied.status_code == 303
    [run] = [each for each in runs(seeds) if each.id != run_id]
    assert (run.cloned_from, run.origin, run.request["customer"]) == (run_id, Origin.CLONE, 4)
    assert (run.retries, run.tags, run.unique_key) == (2, ("eu",), None)
    [entry] = seeds.tickerq.audit.find(action="time_tickers.clone")
    assert entry.actor == "ann"


def test_a_copy_takes_the_chain_along_or_another_one(admin: Person, seeds: Seeds) -> None:
    fill(admin, NEW, {**GOOD, "children.0.function": "clean_up"})
    head = next(each for each in runs(seeds) if each.parent_id is None)
    path = f"/runs/{head.id}/clone"
    assert fill(admin, path, {"children.0.function": "clean_up"}).status_code == 422
    assert fill(admin, path, {}).status_code == 303
    assert len(runs(seeds)) == 4
    assert fill(admin, path, {"with_children": "", "children.0.function": "clean_up"}).status_code == 303
    assert fill(admin, path, {"with_children": ""}).status_code == 303
    assert len(runs(seeds)) == 7


def test_an_occurrence_is_copied_into_a_time_ticker(admin: Person, seeds: Seeds) -> None:
    run_id = seeds.run(
        function="clean_up", type=int(TickerType.CRON_TICKER_OCCURRENCE), cron_ticker_id=seeds.cron(),
        status=TickerStatus.DONE, retries=4,
    )  # fmt: skip
    assert fill(admin, f"/runs/{run_id}/clone", {"when": "in", "delay": "1 h"}).status_code == 303
    [run] = runs(seeds)
    assert (run.type, run.retries) == (TickerType.TIME_TICKER, 4)


def test_a_copy_keeps_a_secret_that_its_form_does_not_show(admin: Person, seeds: Seeds) -> None:
    stored = b'{"customer":3,"password":"hunter2"}'
    run_id = seeds.run(function="unknown", status=TickerStatus.FAILED, request=stored)
    path = f"/runs/{run_id}/clone"
    page = admin.get(path).text
    assert "hunter2" not in page
    changed = fields_of(page)["request"].replace("3", "4")
    copied = fill(admin, path, {"function": "clean_up", "request": changed, "when": "in", "delay": "1 h"})
    assert "takes none" in error_of(copied.text, "request")
    assert "hunter2" not in copied.text
    moved = fill(admin, path, {"request": '{"name": "•••"}'})
    assert "stands for a secret" in error_of(moved.text, "request")


def test_a_waiting_run_is_changed_as_it_was_seen(admin: Person, seeds: Seeds) -> None:
    run_id = waiting(seeds, retries=3, tags=["eu"])
    path = f"/runs/{run_id}/edit"
    saved = fill(admin, path, {"when": "at", "at": "2098-12-01T09:30", "zone": "UTC", "reason": "later"})
    assert saved.status_code == 303
    run = seeds.tickerq.runs.get(run_id)
    assert run.execution_time == datetime(2098, 12, 1, 9, 30, tzinfo=UTC)
    assert (run.retries, run.tags) == (3, ("eu",))
    [entry] = seeds.tickerq.audit.find(object_kind="run", object_id=run_id)
    assert (entry.action, entry.reason) == ("time_tickers.update", "later")
    assert fill(admin, path, {"description": "kept its time"}).status_code == 303
    assert seeds.tickerq.runs.get(run_id).execution_time == run.execution_time


def test_a_payload_that_is_too_large_to_be_edited_stays(admin: Person, seeds: Seeds) -> None:
    large = b'{"text":"' + b"x" * 200_000 + b'"}'
    run_id = waiting(seeds, request=large)
    path = f"/runs/{run_id}/edit"
    page = admin.get(path).text
    assert "Too large to be edited here" in page
    assert len(page) < 80_000
    assert fill(admin, path, {"description": "new"}).status_code == 303
    run = seeds.tickerq.runs.get(run_id)
    assert (run.description, len(run.request["text"])) == ("new", 200_000)
    occurrence = seeds.run(
        function="charge_card", type=int(TickerType.CRON_TICKER_OCCURRENCE), cron_ticker_id=seeds.cron(),
        status=TickerStatus.DONE, request=b'{"customer":3,"amount":"' + b"1" * 70_000 + b'"}',
    )  # fmt: skip
    copied = fill(admin, f"/runs/{occurrence}/clone", {"when": "in", "delay": "1 h"})
    assert copied.status_code == 303
    copy = next(each for each in runs(seeds) if each.function == "charge_card")
    assert len(copy.request["amount"]) == 70_000


def test_an_edit_that_is_sent_twice_takes_effect_once(admin: Person, seeds: Seeds) -> None:
    path = f"/runs/{waiting(seeds)}/edit"
    form = {**fields_of(admin.get(path).text), "when": "at", "at": "2098-12-01T09:30"}
    first, second = (press(admin, path, form) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location
    assert len(seeds.tickerq.audit.find()) == 1


def test_a_lost_update_is_refused_with_both_versions(admin: Person, seeds: Seeds) -> None:
    run_id = waiting(seeds)
    path = f"/runs/{run_id}/edit"
    form = {**fields_of(admin.get(path).text), "description": "mine"}
    seeds.tickerq.time_tickers.update(run_id, description="theirs", by="ben")
    refused = press(admin, path, form)
    assert refused.status_code == 409
    assert "Not saved: ben changed this run at" in text_of(refused.text)
    assert "Description: theirs becomes mine" in text_of(refused.text)
    assert "Last changed by ben" in text_of(refused.text)
    assert press(admin, path, fields_of(refused.text)).status_code == 303
    assert seeds.tickerq.runs.get(run_id).description == "mine"


@pytest.mark.parametrize("status", [TickerStatus.QUEUED, TickerStatus.IN_PROGRESS, TickerStatus.DONE])
def test_a_run_that_was_claimed_meanwhile_is_not_changed(
    admin: Person, seeds: Seeds, status: TickerStatus
) -> None:
    run_id = seeds.run(function="clean_up", status=status)
    path = f"/runs/{run_id}/edit"
    assert admin.get(path).status_code == 409
    assert "Not changed: the run is" in text_of(admin.get(path).text)
    assert f'href="{BASE}{path}"' not in admin.get(f"/runs/{run_id}").text
    form = fields_of(admin.get(f"/runs/{waiting(seeds)}/edit").text)
    refused = press(admin, path, {**form, "description": "late", "csrf_token": form["csrf_token"]})
    assert refused.status_code == 409
    assert "the run is" in text_of(refused.text)
    assert seeds.tickerq.runs.get(run_id).description is None


def test_a_role_without_payloads_copies_what_it_does_not_see(seeds: Seeds) -> None:
    few = {"operator": ["tickers.create"]}
    client: FlaskClient = create_app(
        seeds.tickerq, auth=by_role, secret=SECRET, permissions=few
    ).test_client()
    person = Person(client, "operator")
    seeds.tickerq.function("SendWelcomeEmail")(lambda context: None)
    for type_ in TickerType:
        run_id = seeds.run(
            function="SendWelcomeEmail",
            status=TickerStatus.FAILED,
            request=b'{"customer":3}',
            type=int(type_),
        )
        path = f"/runs/{run_id}/clone"
        form = fields_of(person.get(path).text)
        assert "request" not in form
        assert press(person, path, {**form, "request": "[1]"}).status_code == 403
        copied = press(person, path, {**form, "when": "in", "delay": "1 h"})
        run_id = UUID(copied.location.partition("/runs/")[2].partition("?")[0])
        assert seeds.tickerq.runs.get(run_id).request == {"customer": 3}
    [entry] = seeds.tickerq.audit.find(outcome="refused")
    assert (entry.action, entry.count) == ("time_tickers.clone", 2)


@pytest.mark.parametrize(
    ("role", "expected"), [("viewer", (403, 403)), ("operator", (200, 403)), ("admin", (200, 200))]
)
def test_a_role_that_may_not_is_neither_offered_the_forms_nor_served_them(
    client: FlaskClient, seeds: Seeds, role: str, expected: tuple[int, int]
) -> None:
    person, run_id = Person(client, role), waiting(seeds)
    creates, edits = expected
    assert person.get(NEW).status_code == person.get(f"/runs/{run_id}/clone").status_code == creates
    assert person.get(f"/runs/{run_id}/edit").status_code == edits
    page = person.get(f"/runs/{run_id}").text
    assert (f"/runs/{run_id}/clone" in page) is (creates == 200)
    assert (f"/runs/{run_id}/edit" in page) is (edits == 200)
    assert (f'href="{BASE}{NEW}"' in person.get("/runs").text) is (creates == 200)


def test_what_the_store_holds_is_only_text_in_a_form(admin: Person, seeds: Seeds) -> None:
    run_id = waiting(seeds, function=HOSTILE[:200], description=HOSTILE, tags=[HOSTILE[:50]], queue=HOSTILE)
    for path in (f"/runs/{run_id}/edit", f"/runs/{run_id}/clone", f"{NEW}?function={'<img/src/onerror=x>'}"):
        page = admin.get(path).text
        assert "<img/src" not in page
        assert "&lt;img/src" in page


@pytest.mark.parametrize(
    ("function", "payload", "said"),
    [
        ("charge_card", '{"customer": 4}', "The payload fits charge_card."),
        (
            "charge_card",
            '{"customer": "x"}',
            "The payload does not fit: customer: Input should",
        ),
        ("charge_card", "", "The payload does not fit: Function charge_card needs one of type Order"),
        ("clean_up", "", "The payload fits clean_up."),
        ("clean_up", '{"a": 1}', "The payload does not fit: "),
    ],
)
def test_a_review_says_whether_the_payload_fits(
    admin: Person, seeds: Seeds, function: str, payload: str, said: str
) -> None:
    answer = fill(admin, NEW, {**GOOD, "function": function, "request": payload}, step="review")
    assert said in text_of(answer.text)
    assert runs(seeds) == []


def test_a_review_of_what_is_no_json_says_so_once(admin: Person) -> None:
    said = text_of(fill(admin, NEW, {**GOOD, "request": "{"}, step="review").text)
    assert "The payload does not fit" not in said
