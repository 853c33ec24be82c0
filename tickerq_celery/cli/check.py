"""What `check` finds, in the order in which an operator would look: settings, store."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from tickerq_celery import settings
from tickerq_celery.broker.celery_settings import control_warning, eager_warning, flaws
from tickerq_celery.errors import SchemaError, StoreError
from tickerq_celery.extension import TickerQ
from tickerq_celery.runtime.urls import shown_store
from tickerq_celery.store.database.schema import verify


class Verdict(Enum):
    """What a finding means: a failure ends `check` with exit code 1."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of what `check` prints."""

    verdict: Verdict
    text: str


def findings(tickerq: TickerQ) -> Iterator[Finding]:
    """Yield what there is to say of an application whose modules are imported."""
    yield from _of_settings(tickerq)
    yield _of_store(tickerq)


def _of_settings(tickerq: TickerQ) -> Iterator[Finding]:
    app, core, config = tickerq.app, tickerq.core, tickerq.config
    refused = list(flaws(app, core.queues, config.priority_queues.values()))
    for flaw in refused:
        yield Finding(Verdict.FAILURE, str(flaw))
    if not refused:
        yield Finding(Verdict.OK, f"settings, namespace {config.namespace!r}")
    for warning in (eager_warning(app), control_warning(app, config.heartbeat)):
        if warning is not None:
            yield Finding(Verdict.WARNING, warning)
    if not settings.has_broker(app):
        yield Finding(Verdict.WARNING, "no broker is set: Celery will look for RabbitMQ on this machine")


def _of_store(tickerq: TickerQ) -> Finding:
    database = tickerq.core.database
    try:
        verify(database)
    except (SchemaError, StoreError) as error:
        return Finding(Verdict.FAILURE, str(error))
    return Finding(Verdict.OK, f"store {shown_store(database.url)}")
