"""The function that workers run."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from examples.fastapi_host.database import engine
from examples.fastapi_host.models import Order
from tickerq_celery import TickerContext, ticker_function


@ticker_function("ConfirmOrder", retries=3)
def confirm_order(context: TickerContext, order_id: int) -> None:
    """Count a confirmation exactly once, whatever dies meanwhile."""
    with Session(engine()) as session, session.begin():
        session.execute(
            update(Order).where(Order.id == order_id).values(confirmations=Order.confirmations + 1)
        )
        context.complete_in(session)
