"""What `check` judges, in the order in which an operator would look: settings, store, broker, fleet."""

from collections.abc import Iterator

from tickerq_celery import settings
from tickerq_celery.broker.celery_settings import control_warning, eager_warning, flaws
from tickerq_celery.broker.publisher import CeleryPublisher
from tickerq_celery.cli import fleet
from tickerq_celery.cli.findings import Finding, Verdict, failed, fine, warned
from tickerq_celery.errors import PublishError, SchemaError, StoreError, cause_of
from tickerq_celery.extension import TickerQ
from tickerq_celery.runtime.urls import shown_broker
from tickerq_celery.store.database.schema import verify

_BROKER_TIMEOUT = 5.0


def findings(tickerq: TickerQ, *, is_offline: bool) -> Iterator[Finding]:
    """Yield what there is to say of an application whose modules are imported.

    Offline neither the broker nor the beats and workers are looked at: they may not be there yet.
    """
    yield from _of_settings(tickerq)
    store = _of_store(tickerq)
    yield store
    if is_offline:
        return
    yield _of_broker(tickerq)
    if store.verdict is Verdict.OK:
        yield from fleet.findings(tickerq)


def _of_settings(tickerq: TickerQ) -> Iterator[Finding]:
    app, core, config = tickerq.app, tickerq.core, tickerq.config
    refused = list(flaws(app, core.queues, config.priority_queues.values()))
    yield from (failed(str(flaw)) for flaw in refused)
    if not refused:
        yield fine(f"settings, namespace {config.namespace!r}")
    for warning in (eager_warning(app), control_warning(app, config.heartbeat)):
        if warning is not None:
            yield warned(warning)
    if not settings.has_broker(app):
        yield warned("no broker is set: Celery will look for RabbitMQ on this machine")


def _of_store(tickerq: TickerQ) -> Finding:
    database = tickerq.core.database
    try:
        verify(database)
    except (SchemaError, StoreError) as error:
        return failed(str(error))
    return fine(f"store {database.shown}")


def _of_broker(tickerq: TickerQ) -> Finding:
    app = tickerq.app
    shown = shown_broker(app.conf.broker_write_url or app.conf.broker_url or "of Celery's default")
    core = tickerq.core
    publisher = CeleryPublisher(app, core.codec, lease=core.config.lease, connect_timeout=_BROKER_TIMEOUT)
    try:
        publisher.connect()
    except PublishError as error:
        return failed(f"broker {shown} does not answer: {error.reason}")
    # A transport that is not installed, or none.
    except (ImportError, LookupError, ValueError) as error:
        return failed(f"broker {shown} cannot be used: {cause_of(error)}")
    finally:
        publisher.close()
    return fine(f"broker {shown}")
