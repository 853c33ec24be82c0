"""The settings, the store and the versions of one process, as people may see them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tickerq_celery.enums import SettingSource


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingView:
    """One setting: its value as people may see it, and where it comes from."""

    name: str
    value: str
    source: SettingSource


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaView:
    """What a store says of its tables: ``digest`` changes with every column, key, check and index."""

    store_id: UUID
    number: int
    compatible_from: int
    digest: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSize:
    """How many ``rows`` a table has, by the database's own estimate, and how many ``bytes`` with its indexes.

    None is what the database does not know without reading the table. On SQLite ``rows`` is the most that it
    may be.
    """

    name: str
    rows: int | None
    bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsReport:
    """The effective settings of a process, versions, addresses without passwords, and the store's schema.

    ``schema_needed`` and ``digest_needed`` are this version's. ``schema`` is None where the store does not
    answer or has no tables; ``schema_problem`` says what keeps this version from working with it. ``tables``
    are this version's, the largest first.
    """

    version: str
    namespace: str
    node: str
    store: str
    broker: str
    retention: str
    settings: tuple[SettingView, ...]
    schema_needed: int
    digest_needed: str
    schema: SchemaView | None
    schema_problem: str | None
    tables: tuple[TableSize, ...] = ()
