"""What all readings of a page take together where the database ends each of them for its time."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.dashboard.conftest import BASE, LOGIN
from tests.dashboard.seeds import Seeds
from tickerq_celery.errors import QueryTooWideError
from tickerq_celery.runtime import shared_limit
from tickerq_celery.store.database.reading import ReadBudget, ReadDatabase
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
def locked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Locked]:
    found = Locked()
    monkeypatch.setattr(shared_limit, "time", found)
    monkeypatch.setattr(ReadDatabase, "read_within", lambda _, *args: found.read_within(*args))
    # The banner's report is read in another thread, for which a page waits 0.6 s.
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
