"""What the forms store, on each database: a run with its chain, a cron ticker, and a lost update."""

from collections.abc import Iterator

import pytest

from tests.dashboard.access.users import SECRET, by_role
from tests.dashboard.actions.forms import Person
from tests.dashboard.forms.filling import fields_of, fill, press
from tests.dashboard.seeds import Seeds
from tickerq_dashboard import create_app


@pytest.fixture
def store(store_url: str, namespace: str) -> Iterator[Seeds]:
    seeds = Seeds(store_url, namespace)
    seeds.tickerq.function("clean_up")(lambda context: None)
    yield seeds
    seeds.close()


def test_what_the_forms_say_is_stored_once_and_no_update_is_lost(store: Seeds) -> None:
    admin = Person(create_app(store.tickerq, auth=by_role, secret=SECRET).test_client())
    run_form = {
        **fields_of(admin.get("/runs/new").text),
        "function": "clean_up",
        "when": "in",
        "delay": "1 h",
    }
    chained = {**run_form, "children.0.function": "clean_up", "children.0.run_condition": "on_failure"}
    first, second = (press(admin, "/runs/new", chained) for _ in range(2))
    assert first.status_code == 303
    assert first.location == second.location
    assert len(store.tickerq.time_tickers.find()) == 2
    assert fill(admin, "/crons/new", {"function": "clean_up", "expression": "0 9 * * *"}).status_code == 303
    [cron] = store.tickerq.cron_tickers.find()
    path = f"/crons/{cron.id}/edit"
    form = {**fields_of(admin.get(path).text), "description": "mine"}
    store.tickerq.cron_tickers.update(cron.id, description="theirs")
    refused = press(admin, path, form)
    assert refused.status_code == 409
    assert press(admin, path, fields_of(refused.text)).status_code == 303
    assert store.tickerq.cron_tickers.get(cron.id).description == "mine"
