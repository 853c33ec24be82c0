"""Lists as files: all that a filter matches, and no text that a spreadsheet would execute."""

import csv
import io
import json
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from tests.dashboard.access.users import SECRET, by_role
from tests.dashboard.actions.forms import Person
from tests.dashboard.seeds import Seeds
from tickerq_celery import TickerStatus
from tickerq_celery.errors import QueryTooWideError
from tickerq_dashboard import create_app
from tickerq_dashboard.api import exports
from tickerq_dashboard.show.tables import csv_lines


@pytest.fixture
def client(seeds: Seeds) -> FlaskClient:
    return create_app(seeds.tickerq, auth=by_role, secret=SECRET).test_client()


def exported(person: Person, page: str, path: str, kind: str = "csv"):
    return person.send(path, {**person.forms(page)[path], "format": kind})


def test_a_list_is_taken_along_as_it_is_filtered(client: FlaskClient, seeds: Seeds) -> None:
    wanted = [seeds.run(status=TickerStatus.FAILED, function="Alpha", tags=["eu", "vip"]) for _ in range(3)]
    seeds.run(status=TickerStatus.DONE, function="Alpha")
    person = Person(client, "viewer")
    response = exported(person, "/runs?status=failed", "/runs/export")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="runs-history.csv"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert {row["id"] for row in rows} == {str(each) for each in wanted}
    assert {(row["function"], row["status"], row["tags"]) for row in rows} == {("Alpha", "failed", "eu, vip")}
    lines = exported(person, "/runs?status=failed", "/runs/export", "jsonl")
    assert lines.headers["Content-Type"] == "application/x-ndjson"
    assert [json.loads(line)["id"] for line in lines.text.splitlines()] == [row["id"] for row in rows]
    form = person.forms("/runs")["/runs/export"]
    assert "Alpha" not in person.send("/runs/export", {**form, "filter": "status=failed&tag=us"}).text


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Bounds that a few rows reach."""
    monkeypatch.setattr(exports, "PAGE", 2)
    monkeypatch.setattr(exports, "MOST_ROWS", 5)
    return


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(("count", "last"), [(5, None), (6, "not all: there is more than these 5 rows")])
def test_it_is_read_in_pages_up_to_a_bound_and_says_so(
    client: FlaskClient, seeds: Seeds, count: int, last: str | None
) -> None:
    runs = {str(seeds.run(status=TickerStatus.DONE)) for _ in range(count)}
    response = exported(Person(client), "/runs", "/runs/export")
    ids = [row["id"] for row in csv.DictReader(io.StringIO(response.text))]
    assert len(set(ids) & runs) == 5
    assert len(ids) == (5 if last is None else 6)
    assert last is None or ids[-1].startswith(last)


@pytest.mark.usefixtures("few")
def test_a_store_that_fails_meanwhile_ends_the_file_in_words(
    client: FlaskClient, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        seeds.run(status=TickerStatus.DONE)
    history, asked = seeds.tickerq.runs.history, []

    def failing(**given):
        asked.append(given)
        if len(asked) > 1:
            raise QueryTooWideError(1.0)
        return history(**given)

    person = Person(client)
    form = person.forms("/runs")["/runs/export"]
    monkeypatch.setattr(type(seeds.tickerq.runs), "history", lambda self, **given: failing(**given))
    lines = person.send("/runs/export", {**form, "format": "jsonl"}).text.splitlines()
    assert len(lines) == 3
    assert json.loads(lines[-1]) == {"id": "not all: the store could not be read further after 2 rows"}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\uff1d1"])
def test_no_cell_is_a_formula(text: str) -> None:
    _, line = csv_lines(["a"], [{"a": text}])
    [[cell]] = csv.reader(io.StringIO(line))
    assert cell.startswith("'")


def test_a_cell_cannot_leave_its_row_and_shows_what_would_turn_it() -> None:
    _, line = csv_lines(["a", "b"], [{"a": 'x","=1"\n"y', "b": "a\u202eb"}])
    assert list(csv.reader(io.StringIO(line, newline=""))) == [['x","=1"\n"y', "a<U+202E>b"]]


def test_texts_of_errors_need_their_right(seeds: Seeds) -> None:
    seeds.run(status=TickerStatus.FAILED, exception_type="KeyError", exception_message="secret-canary")
    app = create_app(seeds.tickerq, auth=by_role, secret=SECRET, permissions={"viewer": []})
    assert "secret-canary" in exported(Person(app.test_client(), "operator"), "/runs", "/runs/export").text
    blind = exported(Person(app.test_client(), "viewer"), "/runs", "/runs/export").text
    assert "secret-canary" not in blind
    assert "KeyError" in blind


def test_it_stands_in_the_audit_which_is_taken_along_by_its_right(client: FlaskClient, seeds: Seeds) -> None:
    seeds.run(status=TickerStatus.FAILED)
    exported(Person(client), "/runs?status=failed", "/runs/export")
    [entry] = seeds.tickerq.audit.find(action="dashboard.export")
    assert (entry.role, entry.object_id, entry.reason) == ("admin", "runs-history", "csv status=failed")
    rows = list(csv.DictReader(io.StringIO(exported(Person(client), "/audit", "/audit/export").text)))
    assert [row["action"] for row in rows] == ["dashboard.export", "dashboard.export"]
    app = create_app(seeds.tickerq, auth=by_role, secret=SECRET, permissions={"viewer": []})
    viewer = Person(app.test_client(), "viewer")
    assert viewer.send("/audit/export", {}).status_code == 403


@pytest.mark.parametrize(
    ("field", "status"),
    [({"filter": "status=lost"}, 400), ({"format": "xls"}, 422), ({"listing": "all"}, 422)],
)
def test_a_filter_or_a_format_that_means_nothing_is_refused(
    client: FlaskClient, seeds: Seeds, field: dict[str, str], status: int
) -> None:
    seeds.run(status=TickerStatus.DONE)
    person = Person(client)
    form = person.forms("/runs")["/runs/export"]
    assert person.send("/runs/export", {**form, **field}).status_code == status
    assert not seeds.tickerq.audit.find(action="dashboard.export", outcome="done")
