"""What acts are about: runs, chains, cron tickers, pauses and bulk jobs, as an act wants them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from tests.inner import new_id
from tests.integration.apps import change_row
from tests.manual_clock import START
from tests.tables import cron_tickers
from tickerq_celery import CronTicker, TickerQ, TickerStatus, TimeTicker

Names = tuple[str, ...]
Making = Callable[[TickerQ], Names]
SECRET = "the-content-of-a-request"
IN_AN_HOUR = timedelta(hours=1)


def of(*makings: Making) -> Making:
    """Return what makes one of each."""
    return lambda tickerq: tuple(name for make in makings for name in make(tickerq))


def nothing_yet(tickerq: TickerQ) -> Names:
    return (str(new_id()),)


def expression(text: str) -> Making:
    return lambda tickerq: (text,)


def waiting(tickerq: TickerQ, **fields: Any) -> Names:
    run = tickerq.time_tickers.add(TimeTicker("Send", request=SECRET, delay=IN_AN_HOUR, **fields))
    return (str(run.id),)


def key_that_is_taken(tickerq: TickerQ) -> Names:
    key = str(new_id())
    waiting(tickerq, unique_key=key)
    return (key,)


def cancelled(tickerq: TickerQ) -> Names:
    names = waiting(tickerq)
    tickerq.runs.cancel(names[0])
    return names


def running(tickerq: TickerQ) -> Names:
    """Store a run that a node has begun which is not there any more."""
    names = waiting(tickerq)
    change_row(
        tickerq,
        UUID(names[0]),
        status=TickerStatus.IN_PROGRESS,
        due_at=None,
        claim_no=1,
        started_at=START,
        lock_holder="gone",
        locked_at=START,
        running_on=new_id(),
    )
    return names


def chain(tickerq: TickerQ) -> Names:
    return waiting(tickerq, children=[TimeTicker("Send", request=SECRET)])


def failed_chain(tickerq: TickerQ) -> Names:
    names = chain(tickerq)
    failed = TickerStatus.FAILED
    change_row(tickerq, UUID(names[0]), status=failed, ended_status=failed, ended_at=START, due_at=None)
    return names


def tagged(tickerq: TickerQ) -> Names:
    """Store a run, and return its tag."""
    tag = str(new_id())
    waiting(tickerq, tags=[tag])
    return (tag,)


def cron(tickerq: TickerQ) -> Names:
    daily = CronTicker("Send", expression="0 9 * * *", request=SECRET, start_at=START - timedelta(days=9))
    return (str(tickerq.cron_tickers.add(daily).id),)


def paused(tickerq: TickerQ) -> Names:
    names = cron(tickerq)
    tickerq.cron_tickers.pause(names[0])
    return names


def skipping(tickerq: TickerQ) -> Names:
    names = cron(tickerq)
    tickerq.cron_tickers.skip_next(names[0])
    return names


def edited(tickerq: TickerQ) -> Names:
    """Store a cron ticker whose expression is not that of its code."""
    names = cron(tickerq)
    code = {"seed_expression": "0 0 8 * * *", "seed_time_zone": "UTC", "seed_day_or": False}
    changed = cron_tickers.update().where(cron_tickers.c.id == UUID(names[0]))
    tickerq.core.write(lambda tx: tx.execute(changed.values(seed_key=names[0], **code)))
    return names


def paused_tag(tickerq: TickerQ) -> Names:
    names = nothing_yet(tickerq)
    tickerq.pauses.pause(tag=names[0])
    return names


def job(tickerq: TickerQ) -> Names:
    return (str(tickerq.bulk.start("cancel", tag=tagged(tickerq)[0]).id),)


def stopped_job(tickerq: TickerQ) -> Names:
    names = job(tickerq)
    tickerq.bulk.stop(names[0])
    return names
