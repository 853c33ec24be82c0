"""What `check` judges, in the order in which an operator would look: settings, store, broker, fleet."""

from collections.abc import Iterator

from tickerq_celery import settings
from tickerq_celery.broker.celery_settings import control_warning, eager_warning, flaws
from tickerq_celery.broker.messages import is_own_task
from tickerq_celery.broker.publisher import CeleryPublisher
from tickerq_celery.cli import fleet
from tickerq_celery.cli.findings import Finding, Severity, failed, fine, warned
from tickerq_celery.errors import PublishError, SchemaError, StoreError, cause_of
from tickerq_celery.extension import TickerQ
from tickerq_celery.runtime.urls import shown_broker
from tickerq_celery.store.database.schema import verify

_BROKER_TIMEOUT = 5.0
# What kombu raises of a transport that is not installed, or is none.
_NO_TRANSPORT = (ImportError, LookupError, ValueError)


def findings(tickerq: TickerQ, *, is_offline: bool) -> Iterator[Finding]:
    """Yield what there is to say of an application, whose modules are imported for it.

    Offline neither the broker nor the beats and workers are looked at: they may not be there yet.
    """
    yield from _of_modules(tickerq)
    yield from _of_settings(tickerq)
    store = _of_store(tickerq)
    yield store
    if is_offline:
        yield from _of_transport(tickerq)
        return
    yield _of_broker(tickerq)
    if store.severity is Severity.OK:
        yield from fleet.findings(tickerq)


def _of_modules(tickerq: TickerQ) -> Iterator[Finding]:
    try:
        tickerq.app.loader.import_default_modules()
    except Exception as error:  # noqa: BLE001 - the user's modules
        yield failed(f"a module that the application includes cannot be imported: {cause_of(error)}")
        return
    if not tickerq.core.queues and not any(map(is_own_task, tickerq.app.tasks)):
        yield warned("the application has neither functions nor tasks: is their module in `include`?")


def _of_settings(tickerq: TickerQ) -> Iterator[Finding]:
    app, core, config = tickerq.app, tickerq.core, tickerq.config
    refused = list(flaws(app, core.possible_queues))
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


def _of_transport(tickerq: TickerQ) -> Iterator[Finding]:
    try:
        tickerq.app.connection_for_write().get_transport_cls()
    except _NO_TRANSPORT as error:
        yield failed(f"broker {_shown(tickerq)} cannot be used: {cause_of(error)}")


def _of_broker(tickerq: TickerQ) -> Finding:
    app, core, shown = tickerq.app, tickerq.core, _shown(tickerq)
    publisher = CeleryPublisher(app, core.codec, lease=core.config.lease, connect_timeout=_BROKER_TIMEOUT)
    try:
        publisher.connect()
    except PublishError as error:
        return failed(f"broker {shown} does not answer: {error.reason}")
    except _NO_TRANSPORT as error:
        return failed(f"broker {shown} cannot be used: {cause_of(error)}")
    finally:
        publisher.close()
    return fine(f"broker {shown}")


def _shown(tickerq: TickerQ) -> str:
    conf = tickerq.app.conf
    return shown_broker(conf.broker_write_url or conf.broker_url or "of Celery's default")
