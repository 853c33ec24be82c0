"""The page about cron expressions: its examples are run, its table of changes of the clocks is checked."""

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

import pytest
from celery import _state

from tests.integration.apps import ticker_app
from tests.manual_clock import ManualClock
from tests.pages import section, table, text_of
from tickerq_celery import TickerQ
from tickerq_celery.schedule.cron_expression import CronSchedule
from tickerq_celery.schedule.grammar import ALIASES

PAGE = "docs/reference/cron.md"
EXAMPLE = re.compile(r"^```python\n(?P<code>.*?)^```$(?:\n\n```text\n(?P<printed>.*?)^```$)?", re.M | re.S)
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
def tickerq(
    schema_url: Callable[[str], str],
    tmp_path: Path,
    namespace: str,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[TickerQ]:
    """The app of the page's reader, on a manual clock."""
    monkeypatch.setattr(_state, "_on_app_finalizers", set(_state._on_app_finalizers))
    monkeypatch.setattr(TickerQ, "_of_app", WeakKeyDictionary())
    own = tmp_path / "tickers.db"
    shutil.copyfile(schema_url("sqlite").removeprefix("sqlite:///"), own)
    with ticker_app(f"sqlite:///{own}", namespace, clock) as made:
        made.function("SendDailyDigest")(lambda: None)
        yield made


@pytest.mark.parametrize("years", [0, 20])
def test_the_examples_print_what_the_page_says_whenever_they_are_run(
    tickerq: TickerQ, clock: ManualClock, capsys: pytest.CaptureFixture[str], years: int
) -> None:
    clock.advance(days=365 * years)
    names: dict[str, object] = {"tickerq": tickerq}
    examples = list(EXAMPLE.finditer(text_of(PAGE)))
    assert len(examples) == 7
    for example in examples:
        exec(compile(example["code"], PAGE, "exec"), names)
        assert capsys.readouterr().out == (example["printed"] or "")
    function = tickerq.registry.get("CleanUp")
    assert function is not None
    assert function.cron == "@daily"


def test_every_alias_is_documented_with_its_fields() -> None:
    rows = [row for row in table(section(PAGE, "## Grammar")) if row[0].startswith("`@")]
    found = {alias: row[1].strip("`") for row in rows for alias in re.findall(r"@\w+", row[0])}
    assert found == ALIASES


DST_ROWS = table(section(PAGE, "## Changes of the clocks"))
DAYS = [datetime(2025, 3, 9, tzinfo=NEW_YORK), datetime(2025, 11, 2, tzinfo=NEW_YORK)]


@pytest.mark.parametrize("row", DST_ROWS, ids=[row[0] for row in DST_ROWS])
def test_the_table_of_changes_of_the_clocks_is_what_happens(row: list[str]) -> None:
    expression, wild, *days = row
    schedule = CronSchedule.parse(expression.strip("`"), time_zone="America/New_York")
    assert schedule.times.is_wild is (wild == "yes")
    for day, cell in zip(DAYS, days, strict=True):
        has_seconds = any(each.count(":") == 2 for each in cell.split(", "))
        form = "%H:%M:%S" if has_seconds else "%H:%M"
        found = [
            f"{local:{form}}{local:%z}"[: -len("00")] for local in of_day(schedule, day.astimezone(UTC), day)
        ]
        assert found == ([] if cell == "none" else cell.split(", "))


def of_day(schedule: CronSchedule, start: datetime, day: datetime) -> Iterator[datetime]:
    """Yield the instants of a day of New York."""
    moment = schedule.next_after(start - timedelta(microseconds=1))
    while moment is not None and moment.astimezone(NEW_YORK).date() == day.date():
        yield moment.astimezone(NEW_YORK)
        moment = schedule.next_after(moment)


def test_the_table_has_rows() -> None:
    assert len(DST_ROWS) == 8
