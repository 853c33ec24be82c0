"""How the web app, the workers and beat log."""

import logging
import sys
from typing import Any

from celery.signals import setup_logging

FULL = "%(asctime)s %(levelname)s %(name)s: %(message)s"
CELERY_CHATTER = ("celery", "kombu", "amqp")


class ShortFormatter(logging.Formatter):
    """One line a record; the store keeps the traceback of every attempt, so the log need not."""

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            text = f"{text}: {record.exc_info[1]!r}"
        return " ".join(text.split())


def configure(*, short: bool) -> None:
    """Log to standard output: for people who watch (short), or with time, level and name."""
    output = logging.StreamHandler(sys.stdout)
    output.setFormatter(ShortFormatter() if short else logging.Formatter(FULL))
    logging.basicConfig(level=logging.INFO, handlers=[output], force=True)
    for name in CELERY_CHATTER if short else ():
        logging.getLogger(name).setLevel(logging.WARNING)


def configure_celery_logs(*, short: bool) -> None:
    """Make Celery's programs log as this example does, instead of in Celery's own way."""

    def receiver(**_: Any) -> None:
        configure(short=short)

    setup_logging.connect(receiver, weak=False)
