"""The verbs for event loops: those of the managers, awaited, with the session of an event loop."""

from datetime import UTC, datetime
from typing import assert_type
from uuid import UUID

from celery import Celery
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import Session

from tickerq_celery import Cron, CronTicker, Run, TickerQ, TimeTicker

tickerq = TickerQ(Celery("shop"))
aio = tickerq.aio
TICKER = TimeTicker(function="Send")
DIGEST = CronTicker(function="Digest", expression="@daily")
MAY = datetime(2026, 5, 1, tzinfo=UTC)


async def right(session: AsyncSession, connection: AsyncConnection, run_id: UUID) -> None:
    """Await what the sync verbs do."""
    run = await aio.time_tickers.add(TICKER, session=session, on_conflict="replace")
    assert_type(run, Run)
    assert_type(await aio.time_tickers.add_batch([TICKER], session=connection), list[Run])
    assert_type(await aio.time_tickers.update(run_id, session=session, priority="high"), Run)
    await aio.time_tickers.update_batch({run_id: {"description": "changed"}}, session=session)
    await aio.time_tickers.update_batch({str(run_id): {"description": "changed"}})
    assert_type(await aio.time_tickers.delete_batch([run_id]), int)
    assert_type(await aio.cron_tickers.add(DIGEST, session=session), Cron)
    assert_type(await aio.cron_tickers.backfill(run_id, MAY, MAY, per_minute=5), list[Run])
    assert_type((await aio.runs.find(status=["failed"]))[0], Run)
    await aio.pauses.pause(tag="eu", reason="audit")
    async with tickerq.outbox(session), tickerq.outbox(connection):
        pass
    async for each in aio.runs.iterate(function="Send", page_size=10):
        assert_type(each, Run)


async def wrong(session: Session, connection: Connection, their: AsyncSession, run_id: UUID) -> None:
    """Await what no verb takes."""
    await aio.time_tickers.add(TICKER, session=session)  # refused: arg-type | reportArgumentType
    await aio.cron_tickers.add(DIGEST, session=connection)  # refused: arg-type | reportArgumentType
    tickerq.time_tickers.add(TICKER, session=their)  # refused: arg-type | reportArgumentType
    await aio.time_tickers.add(DIGEST)  # refused: arg-type | reportArgumentType
    await aio.time_tickers.update(run_id, prioritiy="high")  # refused: call-arg | reportCallIssue
    await aio.time_tickers.cancel(run_id, session=session)  # refused: arg-type | reportArgumentType
    await aio.runs.find(status="faild")  # refused: arg-type | reportArgumentType
    aio.runs.iterate(function=5)  # refused: arg-type | reportArgumentType
    await aio.runs.iterate()  # refused: misc | reportGeneralTypeIssues
