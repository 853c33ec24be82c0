"""The table of fields: whole, read as written, and each in its place on the form."""

import re
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from tests.dashboard.access.users import SECRET, by_role
from tests.dashboard.actions.forms import Person
from tests.dashboard.forms.filling import fields_of, fill, press
from tests.dashboard.page_text import text_of
from tests.dashboard.seeds import Seeds
from tickerq_celery import CronTicker, MisfirePolicy, TimeTicker
from tickerq_celery.enums import OnLost
from tickerq_dashboard import create_app
from tickerq_dashboard.forms.layout import CHILD, HOW, ORDER_OF_CRON, ORDER_OF_RUN
from tickerq_dashboard.ticker_fields import FIELDS

# A task is named where a function is, and a chain has fields of its own; a dashboard is of one namespace.
SAID_OTHERWISE = {"task", "children", "namespace"}
RUN = {"function": "clean_up", "when": "in", "delay": "1 h"}


@pytest.mark.parametrize(
    ("ticker", "order", "otherwise"),
    [
        (TimeTicker, ORDER_OF_RUN, {*SAID_OTHERWISE, "execution_time"}),
        (CronTicker, ORDER_OF_CRON, SAID_OTHERWISE),
    ],
)
def test_a_form_has_each_field_of_its_ticker(
    ticker: type[TimeTicker | CronTicker], order: tuple[str, ...], otherwise: set[str]
) -> None:
    assert {each.name for each in fields(ticker)} - set(order) == otherwise


def test_each_field_has_one_place_on_a_form() -> None:
    assert FIELDS.keys() == {*ORDER_OF_RUN, *ORDER_OF_CRON}
    assert (len(ORDER_OF_RUN), len(ORDER_OF_CRON)) == (len({*ORDER_OF_RUN}), len({*ORDER_OF_CRON}))


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("description", "Order 3", "Order 3"),
        ("request", {"a": [1, None]}, '{"a": [1, null]}'),
        ("args", [1, "b"], '[1, "b"]'),
        ("kwargs", {"a": 1}, '{"a": 1}'),
        ("tags", ["eu", "shop"], "eu, shop"),
        ("day_or", True, "1"),
        ("timeout", timedelta(minutes=90, milliseconds=5), "1 h 30 min 0.005 s"),
        ("retry_intervals", [timedelta(seconds=30), timedelta(days=2)], "30 s, 2 d"),
        ("exclude", [date(2026, 12, 24)], "2026-12-24"),
        ("time_zone", "Europe/Berlin", "Europe/Berlin"),
    ],
)
def test_what_a_field_writes_it_reads_again(name: str, value: object, text: str) -> None:
    assert FIELDS[name].written(value) == text
    assert FIELDS[name].kind.read(text) == value


@pytest.mark.parametrize("name", ["tags", "args", "kwargs", "exclude", "day_or", "jitter", "retries"])
def test_a_field_that_holds_nothing_is_empty(name: str) -> None:
    assert FIELDS[name].written(FIELDS[name].empty) == FIELDS[name].written(None) == ""


def test_words_of_the_core_and_moments_are_written_as_fields_hold_them() -> None:
    assert FIELDS["misfire"].written(MisfirePolicy.RUN_ALL) == "run_all"
    assert FIELDS["start_at"].written(datetime(2026, 12, 1, 5, tzinfo=UTC)) == "2026-12-01T05:00:00"
    assert (FIELDS["retries"].written(0), FIELDS["timeout"].written(90)) == ("0", "1 min 30 s")


def test_a_new_cron_ticker_begins_with_the_defaults_of_the_core(admin: Person) -> None:
    form = fields_of(admin.get("/crons/new").text)
    assert (form["overlap"], form["misfire"], form["misfire_limit"]) == ("allow", "run_once", "100")
    assert (form["is_enabled"], form["jitter"], form["day_or"]) == ("1", "", "")


@pytest.mark.parametrize(("path", "order"), [("/runs/new", ORDER_OF_RUN), ("/crons/new", ORDER_OF_CRON)])
def test_fields_are_ranked_as_they_stand_on_the_page(
    admin: Person, path: str, order: tuple[str, ...]
) -> None:
    shown = re.findall(r' id="f-([a-z_]+)"', admin.get(path).text)
    assert shown == [name for name in order if name in shown]
    assert {*shown} >= {*HOW}


def test_a_child_of_a_run_may_have_a_unique_key(admin: Person, seeds: Seeds) -> None:
    page = fill(admin, "/runs/new", RUN, step="add:")
    form = fields_of(page.text)
    assert {f"children.0.{name}" for name in CHILD} <= form.keys()
    child = {"children.0.function": "clean_up", "children.0.unique_key": "order-3"}
    assert press(admin, "/runs/new", form | child).status_code == 303
    assert [each.unique_key for each in seeds.tickerq.time_tickers.find() if each.parent_id] == ["order-3"]


def test_a_child_of_a_cron_ticker_has_neither_a_moment_nor_a_key(admin: Person) -> None:
    page = fill(admin, "/crons/new", {"function": "clean_up"}, step="add:")
    form = fields_of(page.text)
    assert "children.0.run_condition" in form
    assert not {"children.0.at", "children.0.unique_key"} & form.keys()


def test_who_does_not_change_payloads_says_what_becomes_of_a_lost_task(
    client: FlaskClient, seeds: Seeds
) -> None:
    permissions = {"operator": ["view", "payload.view", "tickers.create"]}
    app = create_app(seeds.tickerq, auth=by_role, secret=SECRET, permissions=permissions)
    operator = Person(app.test_client(), "operator")
    page = operator.get("/runs/new").text
    assert "Your role may not change payloads" in page
    texts = {**RUN, "kind": "task", "function": "shop.refresh", "on_lost": "retry"}
    assert ("args" in fields_of(page), "on_lost" in fields_of(page)) == (False, True)
    assert press(operator, "/runs/new", {**fields_of(page), **texts}).status_code == 303
    [run] = seeds.tickerq.time_tickers.find()
    assert run.on_lost is OnLost.RETRY


def test_the_page_of_a_cron_ticker_shows_its_chain(admin: Person, seeds: Seeds) -> None:
    below = TimeTicker(task="shop.refresh", run_condition="on_failure")
    chain = TimeTicker("clean_up", run_condition="on_success", children=[below])
    cron = seeds.tickerq.cron_tickers.add(CronTicker("clean_up", expression="0 9 * * *", children=[chain]))
    said = text_of(admin.get(f"/crons/{cron.id}").text)
    assert "clean_up each run clean_up runs on success shop. refresh runs on failure" in " ".join(
        said.split()
    )
    assert "Namespace dashboard" in " ".join(said.split())
