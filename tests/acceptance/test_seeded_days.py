"""The crons that the notification example seeds, at 9 o'clock and at midnight of the server's zone."""

import json
import os
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.acceptance.processes import ROOT, CeleryProcess
from tests.acceptance.warm import WarmServer
from tests.servers.ports import free_port

pytestmark = pytest.mark.acceptance

SERVER_ZONE = "Europe/Berlin"
SECOND = timedelta(seconds=1)
Event = dict[str, Any]


def local(day: int, hour: int) -> datetime:
    """Return a moment of March 2027; Berlin's clocks go forward in the night to the 28th."""
    return datetime(2027, 3, day, hour, tzinfo=ZoneInfo(SERVER_ZONE)).astimezone(UTC)


@pytest.fixture
def live(tmp_path: Path, warm_server: WarmServer) -> Callable[..., list[Event]]:
    """Return what happens on a server of this zone at these moments; the system starts at the first one."""

    def run(*moments: datetime, cancels: bool = False) -> list[Event]:
        arguments = [*(["--cancel"] if cancels else []), *(moment.isoformat() for moment in moments)]
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "dashboard")]),
            "TZ": SERVER_ZONE,
            "BROKER_URL": "memory://",
            "STORE_URL": f"sqlite:///{tmp_path}/days.db",
            "SMTP_PORT": str(free_port()),
        }
        program = ("tests.acceptance.notification_days",)
        process = CeleryProcess(
            "days", arguments, folder=tmp_path, environ=environ, program=program, launch=warm_server.launch
        )
        assert process.wait() == 0, process.log
        return [json.loads(line) for line in process.log.splitlines() if line.startswith("{")]

    return run


def runs(events: list[Event]) -> list[tuple[datetime, str, str]]:
    return [
        (datetime.fromisoformat(event["at"]), event["function"], event["status"])
        for event in events
        if "at" in event
    ]


def digests(events: list[Event]) -> list[Event]:
    return [event for event in events if event.get("subject") == "Daily Digest"]


def test_the_digest_is_sent_at_9_every_day_and_the_clean_up_runs_at_midnight_in_the_servers_zone(
    live: Callable[..., list[Event]], tmp_path: Path
) -> None:
    instants = [local(27, 9), local(28, 0), local(28, 9), local(29, 0), local(29, 9)]
    before_and_at = [moment for instant in instants for moment in (instant - SECOND, instant)]
    events = live(local(27, 8), *before_and_at)
    functions = ["SendDailyDigest", "CleanupOldNotifications"] * 2 + ["SendDailyDigest"]
    assert runs(events) == [(at, name, "DONE") for at, name in zip(instants, functions, strict=True)]
    assert [instant.hour for instant in instants[::2]] == [8, 7, 7]
    one_day = [("ada@example.com", ["- You registered."]), ("grace@example.com", ["- You registered."])]
    assert [(mail["mail"], mail["body"][1:]) for mail in digests(events)] == one_day * 3
    with sqlite3.connect(tmp_path / "days.db") as connection:
        left = connection.execute("SELECT message FROM notifications").fetchall()
    connection.close()
    assert left == [("You registered.",)] * 2


def test_a_digest_that_is_cancelled_stops_before_the_next_user(live: Callable[..., list[Event]]) -> None:
    events = live(local(27, 8), local(27, 9), cancels=True)
    assert len(digests(events)) == 1
    assert runs(events) == [(local(27, 9), "SendDailyDigest", "CANCELLED")]
