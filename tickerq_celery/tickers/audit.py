"""Entries of the audit: who did what to which object, and what came of it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from tickerq_celery.enums import AuditOutcome

# As which field of ``after`` an entry has how many held runs the end of a pause let go.
RELEASED = "released"


class ObjectKind(StrEnum):
    """What an entry of the audit is about: of a pause what is paused, of a host's own action the host."""

    RUN = "run"
    CRON_TICKER = "cron_ticker"
    FUNCTION = "function"
    TAG = "tag"
    EVERYTHING = "everything"
    BULK_JOB = "bulk_job"
    ROLLUP = "rollup"
    HOST = "host"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """What an actor did, or was refused, at one moment; times are aware UTC.

    ``action`` is the name of a verb, such as ``runs.cancel``, or a host's own. ``object_id`` is the id of the
    one run or cron ticker that it was about, or the name of the function or the tag that was paused; of
    several, ``ids`` has them. ``count`` is how many were changed, of a refusal how often there was one in
    that minute. ``before`` and ``after`` are what is different. ``said_by`` is whom a call named by ``by``.
    """

    id: UUID
    namespace: str
    at: datetime
    action: str
    outcome: AuditOutcome
    object_kind: str
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
    before: Any
    after: Any
    error: str | None
    digest: str | None = field(repr=False)
