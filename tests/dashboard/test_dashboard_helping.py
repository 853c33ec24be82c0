"""The main button of a run's page is the action that helps, or none is the main one."""

import re
from typing import Any

import pytest
from flask import Flask

from tests.dashboard.conftest import BASE, QUICK_HASH, Visitor
from tests.dashboard.page_text import text_in, text_of
from tests.dashboard.seeds import NOW, Seeds
from tests.inner import FunctionLimits
from tests.integration.apps import join
from tickerq_celery import TickerStatus, TickerType
from tickerq_celery.enums import NodeKind
from tickerq_celery.errors import UnreadableRequestError
from tickerq_dashboard import create_app

UNREADABLE = f"{UnreadableRequestError.__module__}.{UnreadableRequestError.__qualname__}"
FAILED = {"status": TickerStatus.FAILED, "exception_type": "ValueError"}
HELD = {"held_for": "limit", "hold_key": "Send", "held_since": NOW}
LOST = {"status": TickerStatus.IN_PROGRESS, "due_at": None, "started_at": NOW, "claim_no": 1}


@pytest.fixture
def app(seeds: Seeds) -> Flask:
    join(
        seeds.tickerq,
        NodeKind.WORKER,
        queues=["celery"],
        functions={"Send": FunctionLimits()},
        definitions={"Send": "d1"},
    )
    return create_app(seeds.tickerq, users={"admin": (QUICK_HASH, "admin")})


def main_buttons(page: str) -> list[str]:
    """The words of the buttons that stand out in the content of a page."""
    content = page.partition("<main")[2]
    return [
        text_in(found).strip()
        for found in re.findall(r'<(?:a|button) class="btn primary"[^>]*>(.*?)</(?:a|button)>', content)
    ]


@pytest.mark.parametrize(
    ("run", "main"),
    [
        (FAILED, ["Retry run"]),
        ({**FAILED, "status": TickerStatus.CANCELLED}, ["Retry run"]),
        ({**FAILED, "function": "Unknown"}, []),
        ({**FAILED, "exception_type": UNREADABLE}, ["Clone and edit …"]),
        ({**FAILED, "tags": ["eu"]}, ["Resume tag eu …"]),
        ({**FAILED, "function": "Unknown", "tags": ["eu"]}, []),
        ({"tags": ["eu"]}, ["Resume tag eu …"]),
        ({}, ["Run now"]),
        (HELD, ["Run now"]),
        ({"function": "Unknown"}, []),
        (LOST, ["Release run …"]),
        ({"status": TickerStatus.DONE}, []),
    ],
)
def test_it_is_what_helps(visitor: Visitor, seeds: Seeds, run: dict[str, Any], main: list[str]) -> None:
    seeds.tickerq.pauses.pause(tag="eu")
    assert main_buttons(visitor.get(f"/runs/{seeds.run(**{'function': 'Send'} | run)}").text) == main


def test_none_is_where_another_run_is_in_the_way(visitor: Visitor, seeds: Seeds) -> None:
    seeds.run(function="Send", concurrency_key="smtp", **LOST)
    held = {"held_for": "key", "hold_key": "Send\x1fsmtp", "held_since": NOW, "concurrency_key": "smtp"}
    assert main_buttons(visitor.get(f"/runs/{seeds.run(function='Send', **held)}").text) == []


def test_of_several_pauses_the_first_is_the_main_one(visitor: Visitor, seeds: Seeds) -> None:
    seeds.tickerq.pauses.pause(function="Send", allow_unknown=True)
    seeds.tickerq.pauses.pause(everything=True, reason="the move")
    page = visitor.get(f"/runs/{seeds.run(function='Send', **FAILED)}").text
    assert main_buttons(page) == ["Resume function Send …"]
    text = text_of(page)
    assert "Resume everything …" in text
    assert "It would only wait: Function Send is paused since" in text
    assert "the move" in text


def test_a_retry_of_an_occurrence_whose_cron_ticker_is_paused_offers_to_resume_that(
    visitor: Visitor, seeds: Seeds
) -> None:
    cron_id = seeds.cron(function="Send", is_enabled=False, paused_at=NOW)
    own = {"type": int(TickerType.CRON_TICKER_OCCURRENCE), "cron_ticker_id": cron_id, "instant": NOW}
    page = visitor.get(f"/runs/{seeds.run(function='Send', **own, **FAILED)}").text
    assert main_buttons(page) == ["Resume its cron ticker …"]


def test_a_retry_that_would_read_the_same_request_says_so(visitor: Visitor, seeds: Seeds) -> None:
    run_id = seeds.run(function="Send", **{**FAILED, "exception_type": UNREADABLE})
    page = text_of(visitor.get(f"/runs/{run_id}").text)
    assert "It would fail as before: it reads the same request" in page
    assert "Retry run" in page


def test_a_record_of_missed_instants_leads_to_a_backfill_and_says_nothing_of_a_retry(
    visitor: Visitor, seeds: Seeds
) -> None:
    columns: dict[str, Any] = {
        "status": TickerStatus.SKIPPED,
        "type": TickerType.CRON_TICKER_OCCURRENCE,
        "function": "Unknown",
    }
    columns["cron_ticker_id"] = seeds.cron()
    missed = "Missed: 2 instants from 2026-11-24T09:00:00+00:00 to 2026-11-24T09:01:00+00:00 passed"
    record = visitor.get(f"/runs/{seeds.run(**columns, origin='misfire', skipped_reason=missed)}").text
    assert "What a retry would do" not in record
    [there] = re.findall(r'<a href="([^"]+)">Backfill …</a> runs what is still needed', record)
    assert visitor.get(there.removeprefix(BASE)).status_code == 200
    skipped = visitor.get(f"/runs/{seeds.run(**columns, origin='cron', skipped_reason='Overlap')}").text
    assert "What a retry would do" in skipped
    assert "runs what is still needed" not in skipped
