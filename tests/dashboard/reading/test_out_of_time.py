"""All readings of a page share one time: what it had none left for it says, and is read anew for the next."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from tests.dashboard.access.users import SECRET, as_role, by_role
from tests.dashboard.conftest import BASE, LOGIN, QUICK_HASH
from tests.dashboard.page_text import text_in
from tests.dashboard.seeds import Seeds
from tests.integration.apps import join
from tickerq_celery import TickerStatus
from tickerq_celery.enums import NodeKind
from tickerq_celery.errors import QueryTooWideError
from tickerq_celery.views import TickerConfig
from tickerq_dashboard import blueprint, create_app
from tickerq_dashboard.reading.failures import first_seen
from tickerq_dashboard.reading.finding import found_by
from tickerq_dashboard.reading.named import named, names_of
from tickerq_dashboard.reading.reader import Reader

LOST = "shop.Lost"


READINGS: dict[str, Callable[[Reader], object]] = {
    "uncounted ends": lambda reader: reader.uncounted(),
    "functions with the words of a name": lambda reader: found_by(reader, ["lost"]).functions,
    "errors with the words of a name": lambda reader: found_by(reader, ["oserror"]).errors,
    "names of functions": lambda reader: [name for name, _ in names_of(reader) if name == LOST],
    "a function": lambda reader: named(reader, LOST, is_task=False).view,
    "when errors were first seen": lambda reader: first_seen(reader, None),
}


def test_all_readings_of_a_page_share_one_time(seeds: Seeds, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(seeds.tickerq, auth=by_role, secret=SECRET)
    monkeypatch.setattr(blueprint, "READ_BUDGETS", 1e-7)
    pages = {path: app.test_client().get(BASE + path, headers=as_role("admin")) for path in ("/", "/runs")}
    # Each reading alone would have two seconds.
    assert {path: page.status_code for path, page in pages.items()} == {"/": 200, "/runs": 503}
    assert "too much to read" in pages["/"].text


@pytest.mark.parametrize("read", READINGS.values(), ids=READINGS)
def test_what_a_page_had_no_time_left_for_is_no_answer_to_others(
    tmp_path: Path, seeds: Seeds, read: Callable[[Reader], object]
) -> None:
    seeds.now = datetime.now(UTC)
    seeds.run(function=LOST, status=TickerStatus.FAILED, exception_type="builtins.OSError")
    seeds.run(status=TickerStatus.DONE, ended_at=seeds.now - timedelta(hours=30))
    # A worker's process has the function, and that of the dashboard does not.
    with closing(Seeds(f"sqlite:///{tmp_path}/tickers.db")) as worker:
        worker.tickerq.function(LOST)(lambda: None)
        join(worker.tickerq, NodeKind.WORKER)
    reader = Reader(seeds.tickerq, page_size=10)
    with seeds.tickerq.reading_within(1e-6):
        assert not read(reader)
    assert read(reader) not in (None, (), [])


class SlowReader:
    """A TickerQ whose reads use up their budget."""

    config = TickerConfig()

    def __getattr__(self, name: str):
        raise QueryTooWideError(2)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/runs", "This is too much to read at once It was not read within 2 s. Narrow the filter"),
        (
            f"/runs/{UUID(int=1)}",
            "This run could not be read in time It was not read within 2 s. The run is not to blame",
        ),
        (f"/crons/{UUID(int=1)}", "This cron ticker could not be read in time"),
        ("/functions/shop.Send", "This function could not be read in time"),
        (f"/chains/{UUID(int=1)}", "This chain could not be read in time"),
        (f"/bulk/{UUID(int=1)}", "This bulk job could not be read in time"),
    ],
)
def test_what_takes_too_long_to_read_is_a_list_to_narrow_or_one_thing_of_a_slow_store(
    path: str, words: str
) -> None:
    client = create_app(SlowReader(), users={"admin": QUICK_HASH}).test_client()  # type: ignore[arg-type]
    answer = client.get(BASE + path, headers=LOGIN)
    assert answer.status_code == 503
    assert words in text_in(answer.text)
    assert ("Narrow" in answer.text) is (path == "/runs")
