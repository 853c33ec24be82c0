"""What an error tracker sees of runs: Sentry's SDK in a real worker, its transport writing to a file."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.terminals import Terminals

pytestmark = [pytest.mark.acceptance, pytest.mark.verify]

TRACKED = """
import json, os, signal
from pathlib import Path

import sentry_sdk
from celery import Celery
from celery.schedules import crontab
from sentry_sdk.integrations.celery import CeleryIntegration
from sentry_sdk.transport import Transport

from tickerq_celery import TickerQ, TimeTicker


class FileTransport(Transport):
    def capture_envelope(self, envelope):
        event = envelope.get_event()
        for item in envelope.items:
            if item.type == "check_in":
                with Path("check_ins.jsonl").open("a") as file:
                    file.write(json.dumps(item.payload.json) + "\\n")
        if event is not None:
            with Path("events.jsonl").open("a") as file:
                file.write(json.dumps(event, default=str) + "\\n")


celery = CeleryIntegration(monitor_beat_tasks=True)
sentry_sdk.init("http://key@127.0.0.1:9/1", transport=FileTransport, integrations=[celery])
app = Celery("tracked")
app.conf.beat_schedule = {"minutely": {"task": "shop.refresh", "schedule": crontab()}}
app.conf.worker_lost_wait = 0.5  # how long Celery waits before it believes that a child is lost
tickerq = TickerQ(app, embedded=True, max_rescues=1)


@app.task(name="shop.refresh")
def refresh():
    pass


@tickerq.function("Succeeds")
def succeeds():
    pass


@tickerq.function("Fails")
def fails():
    raise LookupError("no such customer")


@tickerq.function("Recovers", retries=2, retry_intervals=[0])
def recovers(context):
    if context.retry_count < 2:
        raise TimeoutError("no answer yet")


@tickerq.function("FailsTwice", retries=1, retry_intervals=[0])
def fails_twice():
    raise ConnectionError("no answer")


@tickerq.function("Dies")
def dies():
    os.kill(os.getpid(), signal.SIGKILL)
"""
ADD = """
import sys
from tracked import TimeTicker, tickerq
print(tickerq.time_tickers.add(TimeTicker(function=sys.argv[1])).id)
"""


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[Terminals]:
    (tmp_path / "tracked.py").write_text(TRACKED)
    (tmp_path / "add.py").write_text(ADD)
    with ExitStack() as stack:
        opened = Terminals(tmp_path)
        stack.callback(opened.kill)
        opened.run("tickerq -A tracked migrate")
        opened.start("worker", "celery -A tracked worker --concurrency 1")
        opened.start("beat", "celery -A tracked beat")
        yield opened


@pytest.fixture
def ended(terminals: Terminals, tmp_path: Path) -> list[dict[str, Any]]:
    """The events of five runs that have all ended."""
    for function in ("Succeeds", "Fails", "Recovers", "FailsTwice", "Dies"):
        terminals.run(f"python add.py {function}")
    ends = Counter(Failed=3, Done=2)

    def all_ended() -> bool:
        words = terminals.run("tickerq -A tracked runs --type time_ticker").split()
        return Counter(word for word in words if word in ends) == ends

    terminals.wait_for(all_ended, "worker", "beat")
    return [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]


def test_each_run_that_failed_for_good_is_one_event_and_each_lost_attempt_is_one(
    ended: list[dict[str, Any]],
) -> None:
    raised = [event for event in ended if "exception" in event]
    seen = Counter((event.get("transaction"), event["exception"]["values"][-1]["type"]) for event in raised)
    assert seen == {
        ("tickerq.Fails", "LookupError"): 1,
        # Of the attempts that are retried there is none.
        ("tickerq.FailsTwice", "ConnectionError"): 1,
        # Rescued once; from the worker's main process, which has no transaction.
        (None, "WorkerLostError"): 2,
    }
    # Beside them only what Celery's pool says of each child that died.
    assert {event["logger"] for event in ended if "exception" not in event} == {"multiprocessing"}
    by_celery = [event for event in raised if event.get("transaction")]
    assert {event["exception"]["values"][-1]["mechanism"]["handled"] for event in by_celery} == {False}
    assert {event["extra"]["celery-job"]["task_name"] for event in by_celery} == {
        "tickerq.Fails",
        "tickerq.FailsTwice",
    }


def test_each_run_of_an_entry_of_beat_begins_and_ends_one_check_in(
    terminals: Terminals, tmp_path: Path
) -> None:
    file = tmp_path / "check_ins.jsonl"

    def found() -> list[dict[str, Any]]:
        lines = file.read_text().splitlines() if file.exists() else []
        return [json.loads(line) for line in lines]

    # The shortest span that Sentry takes is a minute.
    terminals.wait_for(lambda: len(found()) >= 2, "worker", "beat", seconds=90)
    begun, ended = found()
    assert (begun["status"], ended["status"]) == ("in_progress", "ok")
    assert begun["check_in_id"] == ended["check_in_id"]
    assert begun["monitor_slug"] == ended["monitor_slug"] == "minutely"
    assert begun["monitor_config"]["schedule"] == {"type": "crontab", "value": "* * * * *"}
