"""The web app: an order and the ticker that confirms it are one transaction."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from examples.fastapi_host.celery_app import app as celery_app
from examples.fastapi_host.celery_app import tickerq
from examples.fastapi_host.database import async_engine
from examples.fastapi_host.jobs import confirm_order
from examples.fastapi_host.models import Order
from tickerq_celery import TimeTicker

celery_app.loader.import_default_modules()  # so that this process knows the functions it schedules
web = FastAPI()


class OrderRequest(BaseModel):
    """What a customer sends."""

    item: str
    amount: int


async def session() -> AsyncIterator[AsyncSession]:
    """Give a session of the request's own."""
    async with AsyncSession(async_engine(), expire_on_commit=False) as made:
        yield made


Sessions = Annotated[AsyncSession, Depends(session)]


@web.post("/orders")
async def place_order(body: OrderRequest, session: Sessions) -> dict[str, object]:
    """Store an order and schedule its confirmation: both, or neither."""
    order = Order(item=body.item, amount=body.amount)
    session.add(order)
    try:
        await session.flush()
        run = await tickerq.aio.time_tickers.add(
            TimeTicker(confirm_order.s(order.id), unique_key=f"confirm:{order.id}"),
            session=session,
        )
        await session.commit()
    except IntegrityError as error:
        raise HTTPException(422, "the amount must be 1 or more") from error
    return {"orderId": order.id, "runId": str(run.id)}


@web.get("/orders/{order_id}")
async def show_order(order_id: int, session: Sessions) -> dict[str, object]:
    """Say how often an order was confirmed."""
    order = await session.get(Order, order_id)
    if order is None:
        raise HTTPException(404, "no such order")
    return {"orderId": order.id, "item": order.item, "confirmations": order.confirmations}
