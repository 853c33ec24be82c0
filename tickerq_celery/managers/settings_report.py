"""Effective settings of a process, with their sources, and the schema of its store."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

from tickerq_celery.enums import SettingSource
from tickerq_celery.errors import SchemaError, StoreError
from tickerq_celery.runtime.core import Core
from tickerq_celery.runtime.shown_settings import shown_settings
from tickerq_celery.store.database import schema
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.settings_report import SchemaView, SettingsReport, SettingView, TableSize


def settings_report(core: Core, sources: Mapping[str, SettingSource], *, broker: str) -> SettingsReport:
    """Return the report of a process; the store is asked, and need not answer."""
    stored = _stored(core)
    config, store = core.config, core.database.shown
    return SettingsReport(
        version=version("tickerq-celery"),
        namespace=config.namespace,
        node=core.node.name,
        store=store,
        broker=broker,
        retention=str(config.retention),
        settings=tuple(
            SettingView(name=name, value=_of_source(value, sources[name]), source=sources[name])
            for name, value in shown_settings(config, store).items()
        ),
        schema_needed=schema.SCHEMA.number,
        digest_needed=schema.SCHEMA.digest,
        schema=stored.schema,
        schema_problem=stored.problem,
        tables=stored.tables,
    )


def _of_source(value: str, source: SettingSource) -> str:
    # An environment variable switches something on beside the setting.
    return "True" if source is SettingSource.ENVIRONMENT else value


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """What the store says of itself, and what keeps this version from working with it."""

    schema: SchemaView | None
    problem: str | None = None
    tables: tuple[TableSize, ...] = ()


def _stored(core: Core) -> _Stored:
    try:
        return core.read_bounded(_read)
    except (StoreError, SchemaError) as error:
        return _Stored(schema=None, problem=str(error))


def _read(tx: Transaction) -> _Stored:
    try:
        schema.verify_on(tx.connection)
    except SchemaError as error:
        return _Stored(schema=schema.stored(tx.connection), problem=str(error))
    return _Stored(schema=schema.stored(tx.connection), tables=tuple(schema.table_sizes(tx.connection)))
