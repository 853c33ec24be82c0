"""Findings about modules and settings, which only a process that has the application can look at."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tickerq_celery import settings
from tickerq_celery.beat.beat_schedule import read_entries
from tickerq_celery.broker.batching import why_one_by_one
from tickerq_celery.broker.celery_settings import control_warning, eager_warning, flaws
from tickerq_celery.broker.messages import is_own_task
from tickerq_celery.errors import SchemaError, StoreError
from tickerq_celery.extension import TickerQ
from tickerq_celery.health.findings import failure, fine, warning
from tickerq_celery.health.phrases import listed
from tickerq_celery.runs.archive import Archive
from tickerq_celery.store.database.schema import verify
from tickerq_celery.tickers.health import Finding, FindingCode, Subject, SubjectKind
from tickerq_celery.wording import cause_of, meant_by

# What kombu raises of a transport that is not installed, or is none.
_NO_TRANSPORT = (ImportError, LookupError, ValueError)


def of_modules(tickerq: TickerQ) -> Iterator[Finding]:
    """Import the application's modules, and yield why that is not possible, or that there is nothing."""
    try:
        tickerq.app.loader.import_default_modules()
    except Exception as error:  # noqa: BLE001 - the user's modules
        what = "a module that the application includes cannot be imported"
        yield failure(FindingCode.MODULES, f"{what}: {cause_of(error)}")
        return
    if not tickerq.core.queues and not any(map(is_own_task, tickerq.app.tasks)):
        text = "the application has neither functions nor tasks"
        yield warning(FindingCode.MODULES, text, remedy="is their module in `include`?")


def of_settings(tickerq: TickerQ) -> Iterator[Finding]:
    """Yield the settings under which no run would start, and those that do what users do not expect."""
    app, core, config = tickerq.app, tickerq.core, tickerq.config
    refused = list(flaws(app, core.possible_queues))
    yield from (failure(FindingCode.SETTINGS, str(flaw)) for flaw in refused)
    if not refused:
        yield fine(FindingCode.SETTINGS, f"settings, namespace {config.namespace!r}")
    for text in (eager_warning(app), control_warning(app, config.heartbeat)):
        if text is not None:
            yield warning(FindingCode.SETTINGS, text)
    if not settings.has_broker(app):
        text = "no broker is set: Celery will look for RabbitMQ on this machine"
        yield warning(FindingCode.SETTINGS, text)
    # A transport that cannot be used is a finding of the check of the broker.
    with suppress(*_NO_TRANSPORT):
        reason = why_one_by_one(app)
        how = "in batches" if reason is None else f"one by one: {reason}"
        yield fine(FindingCode.SETTINGS, f"due runs are published {how}")
    if config.prune_archive is not None:
        yield from _of_archive(Path(config.prune_archive))


def of_beat_schedule(tickerq: TickerQ) -> Iterator[Finding]:
    """Yield the entries of Celery's that a beat will not run, and those whose task is not known here."""
    app = tickerq.app
    app.finalize()
    if app.conf.beat_scheduler != settings.SCHEDULER:
        return
    entries = read_entries(app, app.conf.beat_schedule, payload_limit=tickerq.config.payload_limit)
    remedy = "beat runs the other entries; correct this one in the code"
    yield from (failure(FindingCode.SETTINGS, text, remedy=remedy) for text in entries.refused)
    for entry in entries.kept:
        if entry.task not in app.tasks:
            text = f"entry {entry.name!r} of beat_schedule calls {entry.task}, which this application has not"
            yield warning(FindingCode.SETTINGS, f"{text}{meant_by(entry.task, app.tasks)}")
    if entries.kept:
        names = listed([entry.name for entry in entries.kept])
        yield fine(FindingCode.SETTINGS, f"entries of beat_schedule: {names}")


def of_store(tickerq: TickerQ) -> Finding:
    """Return whether this version can work with the store."""
    database = tickerq.core.database
    try:
        verify(database)
    except SchemaError as error:
        return failure(FindingCode.SCHEMA, str(error))
    except StoreError as error:
        return failure(FindingCode.STORE, str(error))
    return fine(FindingCode.STORE, f"store {database.shown}")


def of_transport(tickerq: TickerQ, address: str) -> Iterator[Finding]:
    """Yield why there is no transport for the broker's address, without connecting to it."""
    try:
        tickerq.app.connection_for_write().get_transport_cls()
    except _NO_TRANSPORT as error:
        yield failure(FindingCode.BROKER, f"broker {address} cannot be used: {cause_of(error)}")


def _of_archive(path: Path) -> Iterator[Finding]:
    """Yield that beat could not append to the archive, were it here; the file is not made."""
    if not Archive(path).is_writable():
        yield failure(
            FindingCode.ARCHIVE,
            f"the archive {path.absolute()} cannot be written from here",
            subject=Subject(SubjectKind.FILE, str(path)),
            remedy="beat deletes nothing until it can: correct tickerq_prune_archive, or its permissions",
        )
