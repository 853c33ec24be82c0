"""A page of fifty rows is small, however long their texts are, and leaves room for a few words more a row."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from markupsafe import escape

from tests.dashboard.conftest import BASE, MOST_BYTES, PASSWORD, QUICK_HASH, ROWS, basic
from tests.dashboard.seeds import Seeds
from tests.integration.apps import join
from tests.thoroughness import in_verify
from tickerq_celery import TickerStatus, TickerType
from tickerq_celery.enums import HoldReason, NodeKind, Origin
from tickerq_dashboard import create_app

# Of lists to which words may be added: what they have now, and no more without a reason. The last is
# what the side bar counts.
MOST_OF_CRONS = 56_500
ROLES = ("viewer", "admin")
MESSAGE = (
    "(psycopg.errors.QueryCanceled) canceling statement due to statement timeout, 4,711 reorder points of "
    "supplier 'Nordic Office Supplies' (warehouse 12, eu-north-1) are left as they were until the next night"
)
TYPE = "sqlalchemy.exc.OperationalError"
FAILED, CANCELLED, DONE, DUE_DONE = (
    TickerStatus.FAILED, TickerStatus.CANCELLED, TickerStatus.DONE, TickerStatus.DUE_DONE,
)  # fmt: skip
STATUSES = (FAILED, CANCELLED, DONE, DUE_DONE)
HELD = (HoldReason.LIMIT, HoldReason.RATE, HoldReason.KEY, HoldReason.PAUSED)


@pytest.fixture
def app(seeds: Seeds) -> Flask:
    return create_app(seeds.tickerq, users={role: (QUICK_HASH, role) for role in ROLES})


def names(number: int) -> str:
    """A long name, but not an odd one."""
    return f"warehouse.replenishment.recompute_reorder_points_{number:02}"


def ended(seeds: Seeds) -> None:
    now = datetime.now(UTC)
    for number in range(ROWS + 1):
        at = now - timedelta(minutes=7 * number)
        is_cron = number % 2 == 0
        seeds.run(
            function=names(number),
            status=STATUSES[number % 4] if number % 3 else FAILED,
            type=int(TickerType.CRON_TICKER_OCCURRENCE if is_cron else TickerType.TIME_TICKER),
            origin=(Origin.CRON if is_cron else Origin.ADDED).value,
            execution_time=at - timedelta(seconds=90),
            started_at=at - timedelta(seconds=40),
            ended_at=at,
            elapsed=timedelta(seconds=40),
            is_late=number % 5 == 0,
            retry_count=number % 4,
            exception_type=TYPE,
            exception_message=MESSAGE,
        )


def active(seeds: Seeds) -> None:
    now, worker = datetime.now(UTC), join(seeds.tickerq, NodeKind.WORKER)
    for number in range(ROWS + 1):
        at = now - timedelta(minutes=7 * number)
        common = {"function": names(number), "execution_time": at, "retry_count": 2}
        error = {"exception_type": TYPE, "exception_message": MESSAGE}
        if number % 2:
            running = {"status": TickerStatus.IN_PROGRESS, "running_on": worker, "started_at": at}
            seeds.run(**running, **common, **error)
        else:
            held = {"held_for": HELD[number // 2 % 4].value, "hold_key": "k", "held_since": at}
            seeds.run(**common, **error, **held)


def upcoming(seeds: Seeds) -> None:
    now = datetime.now(UTC)
    for number in range(ROWS + 1):
        seeds.run(
            function=names(number),
            execution_time=now + timedelta(minutes=7 * number + 1),
            retry_count=1,
            exception_type=TYPE,
            exception_message=MESSAGE,
        )


def crons(seeds: Seeds) -> None:
    now = datetime.now(UTC)
    for number in range(ROWS + 1):
        cron_id = seeds.cron(
            function=names(number),
            expression=f"0 {number} 2,14 * * 1-5",
            time_zone="America/Argentina/Buenos_Aires",
            next_run_at=now + timedelta(minutes=number),
        )
        for back in range(20):
            seeds.run(
                function=names(number),
                status=FAILED if back % 6 == 1 else DUE_DONE if back % 9 == 2 else DONE,
                type=int(TickerType.CRON_TICKER_OCCURRENCE),
                cron_ticker_id=cron_id,
                instant=now - timedelta(hours=back + 1),
                origin=Origin.CRON.value,
                execution_time=now - timedelta(hours=back + 1),
                ended_at=now - timedelta(hours=back),
                elapsed=timedelta(seconds=2),
            )


def failed(seeds: Seeds) -> None:
    now = datetime.now(UTC)
    for number in range(ROWS):
        seeds.run(
            function=names(number),
            status=FAILED,
            ended_at=now - timedelta(minutes=number),
            exception_type=TYPE,
            exception_message=MESSAGE,
        )


@pytest.mark.parametrize(
    ("path", "fill"),
    [
        ("/runs", ended),
        in_verify("/runs/active", active),
        in_verify("/runs/upcoming", upcoming),
        in_verify("/crons", crons),
        in_verify("/errors", failed),
    ],
)
def test_fifty_rows_are_at_most_sixty_thousand_bytes(
    seeds: Seeds, app: Flask, path: str, fill: Callable[[Seeds], None]
) -> None:
    fill(seeds)
    client = app.test_client()
    sizes = {}
    for role in ROLES:
        response = client.get(BASE + path, headers=basic(role, PASSWORD))
        assert response.text.count("<tr") == ROWS + 1
        assert fill is crons or response.text.count(str(escape(MESSAGE[:190]))) == ROWS
        sizes[role] = len(response.data)
    most = MOST_OF_CRONS if fill is crons else MOST_BYTES
    assert all(size <= most for size in sizes.values()), sizes
