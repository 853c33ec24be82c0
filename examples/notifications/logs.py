"""How the web app, the workers and beat log."""

import logging
import sys
from typing import Any

from celery.signals import after_task_publish, setup_logging

FULL = "%(asctime)s %(levelname)s %(name)s: %(message)s"
CELERY_CHATTER = ("celery", "kombu", "amqp")

logger = logging.getLogger(__name__)


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
    setup_logging.connect(lambda **_: configure(short=short), weak=False)
    if short:
        after_task_publish.connect(_log_publication)


def _log_publication(sender: str, **_: Any) -> None:
    logger.info("published %s", sender.removeprefix("tickerq."))
