"""What all readings of a page take together where the database ends each of them for its time."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.dashboard.access.users import SECRET, by_role
from tests.dashboard.actions.forms import Person
from tests.dashboard.conftest import BASE, LOGIN
from tests.dashboard.forms.filling import fields_of
from tests.dashboard.seeds import Seeds, settle
from tests.inner import Core
from tickerq_celery.errors import QueryTooWideError
from tickerq_celery.runtime import shared_limit
from tickerq_celery.store.database.reading import ReadBudget, ReadDatabase
from tickerq_dashboard import create_app
from tickerq_dashboard.blueprint import READ_BUDGETS
from tickerq_dashboard.health import HealthWatch, KnownReport


class Locked:
    """A database whose every bounded statement waits until its time is up, by a clock of its own."""

    def __init__(self) -> None:
        self.at = 0.0
        self.reads = 0

    def monotonic(self) -> float:
        return self.at

    def read_within(self, budget: ReadBudget, *_: Any) -> None:
        self.reads += 1
        self.at += budget.statement
        raise QueryTooWideError(budget.statement)


@pytest.fixture
def locked(seeds: Seeds, monkeypatch: pytest.MonkeyPatch) -> Iterator[Locked]:
    # What is read behind an earlier page counts for none.
    settle()
    found = Locked()
    monkeypatch.setattr(shared_limit, "time", found)
    monkeypatch.setattr(ReadDatabase, "read_within", lambda _, *args: found.read_within(*args))
    # The banner's report is read in another thread.
    for name in ("begin", "refresh"):
        monkeypatch.setattr(HealthWatch, name, lambda _: None)
    monkeypatch.setattr(HealthWatch, "look", lambda _: KnownReport(report=None, age=0.0))
    return found


def budgets_of(path: str, status: int, seeds: Seeds, client: FlaskClient, locked: Locked) -> float:
    """Return how many read budgets a page takes, which answers with a status."""
    assert client.get(BASE + path, headers=LOGIN).status_code == status
    assert locked.reads > 0
    return locked.at / seeds.tickerq.config.read_budget.total_seconds()


def test_the_overview_of_a_locked_store_shows_what_it_can_in_little_more_than_one_budget(
    seeds: Seeds, client: FlaskClient, locked: Locked
) -> None:
    assert budgets_of("/", 200, seeds, client, locked) <= READ_BUDGETS
    assert locked.reads > 5


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/find?q=mail+outbox", 302, id="find, which leads to the runs with that error"),
        pytest.param("/runs", 503, id="a list"),
        pytest.param("/api/v1/runs", 503, id="an answer of the API"),
    ],
)
def test_another_page_of_it_takes_no_longer(
    path: str, status: int, seeds: Seeds, client: FlaskClient, locked: Locked
) -> None:
    assert budgets_of(path, status, seeds, client, locked) <= READ_BUDGETS


@pytest.fixture
def admin(seeds: Seeds) -> Person:
    return Person(create_app(seeds.tickerq, auth=by_role, secret=SECRET).test_client())


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        pytest.param("/runs/new", {"function": "Send"}, 200, id="review of a run"),
        pytest.param("/crons/new", {"function": "Send"}, 200, id="review of a cron ticker"),
        pytest.param("/crons/{cron}/backfill", {}, 503, id="review of a backfill"),
    ],
)
def test_a_form_that_is_sent_takes_no_longer(
    seeds: Seeds,
    admin: Person,
    request: pytest.FixtureRequest,
    path: str,
    fields: dict[str, str],
    status: int,
) -> None:
    path = path.format(cron=seeds.cron())
    form = {**fields_of(admin.get(path).text), **admin.forms(path)[path], **fields, "step": "review"}
    locked = request.getfixturevalue("locked")
    assert (admin.send(path, form).status_code, locked.reads > 0) == (status, True)
    assert locked.at / seeds.tickerq.config.read_budget.total_seconds() <= READ_BUDGETS


def test_what_is_read_after_a_write_that_had_to_wait_has_its_time(
    seeds: Seeds, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/crons/{seeds.cron(next_run_at=seeds.now.replace(year=2099))}/backfill"
    span = {"start": "2026-03-28T00:00", "end": "2026-03-31T00:00", "per_minute": "60", "step": "store"}
    form = {**admin.forms(path)[path], **span}
    seeds.tickerq.cron_tickers.pause(path.split("/")[2])
    clock, write = Locked(), Core.write

    def waits(*args: Any, **options: Any) -> Any:
        clock.at += 60
        return write(*args, **options)

    monkeypatch.setattr(shared_limit, "time", clock)
    monkeypatch.setattr(Core, "write", waits)
    # The page of a refusal reads the cron ticker as it is now.
    assert (admin.send(path, form).status_code, clock.at >= 60) == (409, True)
