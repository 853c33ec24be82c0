"""Which queue a run is published to: its own, its function's, its priority's, or the router's."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from tests.inner import Core
from tests.integration.conftest import send
from tests.integration.making import enrolled, make_cron, make_run, row_of
from tests.tables import cron_tickers
from tickerq_celery.cron.seeding import seed
from tickerq_celery.enums import TickerPriority

MakeCore = Callable[..., Core]
HIGH, NORMAL, LONG = TickerPriority.HIGH, TickerPriority.NORMAL, TickerPriority.LONG_RUNNING
# What is decided when a row is made is decided before any database sees it.
pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


@pytest.fixture
def core(make_core: MakeCore) -> Core:
    """A core whose long runs have a queue, with functions that name a priority, or a queue."""
    functions = (send(), send("Long", priority=LONG), send("Mail", priority=LONG, queue="mail"))
    return enrolled(make_core(*functions, priority_queues={"LONG_RUNNING": "long"}))


@pytest.mark.parametrize(
    ("function", "fields", "queue"),
    [
        ("Send", {}, None),
        ("Send", {"priority": HIGH}, None),
        ("Send", {"priority": LONG}, "long"),
        ("Send", {"priority": LONG, "queue": "own"}, "own"),
        ("Long", {}, "long"),
        ("Long", {"priority": NORMAL}, None),
        ("Mail", {}, "mail"),
        ("Mail", {"queue": "own"}, "own"),
        ("Unknown", {"priority": LONG}, "long"),
    ],
)
def test_a_queue_that_is_named_comes_before_that_of_the_priority(
    core: Core, function: str, fields: dict[str, object], queue: str | None
) -> None:
    assert row_of(core, make_run(core, function, **fields)).queue == queue


def test_cron_tickers_have_the_queue_of_their_priority_too_also_those_that_code_defines(
    make_core: MakeCore,
) -> None:
    functions = [send(each.name, priority=each, cron="0 * * * *") for each in (LONG, HIGH)]
    core = make_core(*functions, priority_queues={"LONG_RUNNING": "long"})
    seed(core)
    make_cron(core, priority=LONG)
    statement = select(cron_tickers.c.function, cron_tickers.c.queue)
    queues = core.database.read(lambda connection: {tuple(row) for row in connection.execute(statement)})
    assert queues == {("LONG_RUNNING", "long"), ("HIGH", None), ("Send", "long")}
