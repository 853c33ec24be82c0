"""What stands for a TickerQ whose store does not answer, and for one with a bug."""

from celery import Celery

from tickerq_celery import TickerQ


class FailingReader:
    """A TickerQ with a bug in it."""

    def __getattr__(self, name: str):
        raise RuntimeError("SELECT secret FROM t at /srv/app")


def unreachable() -> TickerQ:
    """A TickerQ whose database does not answer."""
    return TickerQ(
        Celery("unreachable", set_as_current=False),
        "postgresql+psycopg://secret:secret@127.0.0.1:1/secret",
        store_retries=0,
    )
