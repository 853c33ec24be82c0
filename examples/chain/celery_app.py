"""Wires the example, without any server: a SQLite file, and a folder beside it as the broker."""

from celery import Celery

from tickerq_celery import TickerQ

app = Celery("chain", include=["examples.chain.jobs"])
tickerq = TickerQ(app, embedded=True)
