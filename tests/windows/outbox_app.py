"""``job_app`` with a Celery task that sends the receipt of an order: it notes that it did."""

import os

from sqlalchemy import Engine, create_engine, insert
from sqlalchemy.orm import Session

from tests.acceptance.job_app import app, note, tickerq
from tests.windows.orders import orders
from tickerq_celery import prepare_sqlite_engine

__all__ = ["app"]


@app.task(name="outbox_app.send_receipt", shared=False)
def send_receipt(order: str) -> None:
    """Note it."""
    note(f"receipt {order}")


def new_engine() -> Engine:
    """Return an engine of the caller's own on the store's database."""
    engine = create_engine(os.environ["JOB_STORE_URL"])
    prepare_sqlite_engine(engine)
    return engine


def store(session: Session, order: str) -> None:
    """Add an order to a transaction."""
    session.execute(insert(orders).values(name=f"{tickerq.config.namespace} {order}"))
