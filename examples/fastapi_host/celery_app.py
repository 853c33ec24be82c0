"""Wires the example: the Celery app, and the tickers on it."""

import os

from celery import Celery

from tickerq_celery import TickerQ

app = Celery("fastapi_host", broker=os.environ.get("BROKER_URL"), include=["examples.fastapi_host.jobs"])
tickerq = TickerQ(app, store_url=os.environ.get("STORE_URL"))
