"""Health, the audit and settings, as JSON."""

from uuid import UUID

from tickerq_dashboard.api.fields import Answer, Json, ListAnswer, Moment, Seconds, Word


class SubjectAnswer(Answer):
    """The one thing that a finding is about; ``id`` is that of a node, a cron ticker or a run."""

    kind: Word
    name: str
    id: UUID | None


class FindingAnswer(Answer):
    """One thing that was found; ``code`` is for programs, since texts may change.

    ``error_head`` is null for those who may not see payloads.
    """

    code: Word
    severity: Word
    text: str
    subject: SubjectAnswer | None
    since: Moment | None
    remedy: str | None
    error_head: str | None


class HealthAnswer(Answer):
    """All findings of the last report; ``severity`` is unknown where none came in time.

    ``age`` is how long ago the store was read for it, null where it never could be. Where a later report
    could not, what that found of store and broker comes first.
    """

    severity: Word
    at: Moment | None
    age: Seconds | None
    findings: tuple[FindingAnswer, ...]


class AuditItem(Answer):
    """What an actor did, or was refused."""

    id: UUID
    at: Moment
    action: str
    outcome: Word
    object_kind: Word
    object_id: str | None
    actor: str
    role: str | None
    address: str | None
    via: str | None
    request_id: str | None
    said_by: str | None
    reason: str | None
    ids: tuple[UUID, ...]
    count: int
    before: Json
    after: Json
    error: str | None


class AuditList(ListAnswer):
    """Part of the audit, the latest entry first."""

    items: tuple[AuditItem, ...]


class SettingAnswer(Answer):
    """One setting, its secrets masked, and where it comes from."""

    name: str
    value: str
    source: Word


class TableAnswer(Answer):
    """How large a table is, by the database's estimate; null is what it does not know."""

    name: str
    rows: int | None
    bytes: int | None


class SettingsAnswer(Answer):
    """With what the process of the dashboard works."""

    version: str
    namespace: str
    node: str
    store: str
    broker: str
    retention: str
    settings: tuple[SettingAnswer, ...]
    schema_problem: str | None
    tables: tuple[TableAnswer, ...]
