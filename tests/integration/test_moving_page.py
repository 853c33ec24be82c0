"""The script of docs/how-to/from-sqlite-to-postgresql.md, from a file to a server."""

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from tests.pages import BLOCK, ROOT
from tickerq_celery import CronTicker, TickerQ, TimeTicker

PAGE = ROOT / "docs" / "how-to" / "from-sqlite-to-postgresql.md"


@pytest.fixture
def old(tmp_path: Path, namespace: str) -> Iterator[TickerQ]:
    with closing(opened(f"sqlite:///{tmp_path}/old.db", namespace)) as made:
        made.create_schema()
        yield made


@pytest.fixture
def new(store_url: str, namespace: str) -> Iterator[TickerQ]:
    with closing(opened(store_url, namespace)) as made:
        yield made


def opened(url: str, namespace: str) -> TickerQ:
    return TickerQ(Celery(namespace, broker="memory://", set_as_current=False), url)


def script() -> Any:
    [text] = [found["text"] for found in BLOCK.finditer(PAGE.read_text()) if found["language"] == "python"]
    names: dict[str, Any] = {"__name__": "move_store"}
    exec(compile(text, str(PAGE), "exec"), names)
    return names["move"]


@pytest.mark.verify
@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)
def test_what_waits_is_on_the_server_as_it_was(old: TickerQ, new: TickerQ) -> None:
    reminder = TimeTicker(
        "Remind", request={"invoice": 7}, delay=3600, retries=2, unique_key="7", tags=["sale"], timeout=9
    )
    was = old.time_tickers.add(reminder, allow_unknown=True)
    report = CronTicker("Report", expression="0 9 * * MON-FRI", jitter=timedelta(seconds=5), request=1)
    cron = old.cron_tickers.add(report, allow_unknown=True)
    old.cron_tickers.pause(cron.id, reason="holidays")
    ended = old.time_tickers.add(TimeTicker("Remind", delay=60), allow_unknown=True)
    old.runs.cancel(ended.id)

    assert script()(old, new) == (1, 1)

    [run] = new.runs.find()
    for name in ("function", "request", "execution_time", "retries", "unique_key", "tags", "timeout"):
        assert getattr(run, name) == getattr(was, name), name
    [copy] = new.cron_tickers.find()
    for name in ("function", "expression", "jitter", "request", "time_zone"):
        assert getattr(copy, name) == getattr(cron, name), name
    assert (copy.is_enabled, copy.paused_reason) == (False, "holidays")


@pytest.mark.verify
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_chain_is_refused_and_nothing_is_copied(old: TickerQ, new: TickerQ) -> None:
    head = TimeTicker("A", delay=60, children=[TimeTicker("B")])
    old.time_tickers.add(head, allow_unknown=True)
    with pytest.raises(SystemExit, match=re.escape("copies no chains")):
        script()(old, new)
    assert new.runs.count() == 0
