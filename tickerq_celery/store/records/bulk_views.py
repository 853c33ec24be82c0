"""Bulk jobs as users read them, made of their rows."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from tickerq_celery.enums import BulkAction, BulkState
from tickerq_celery.store.tables import bulk
from tickerq_celery.tickers.bulk import BulkJob, BulkSkip

# Not the ids, which may be many.
SHOWN = tuple(column for column in bulk.c if column.name not in {"ids", "position", "later"})
_ACTIONS = frozenset(each.value for each in BulkAction)


def bulk_job(row: Row[Any]) -> BulkJob:
    """Return the view of a row that has the columns ``SHOWN``."""
    skips = tuple(
        BulkSkip(reason=reason, count=count, examples=tuple(UUID(each) for each in examples))
        for reason, (count, examples) in row.skips.items()
    )
    return BulkJob(
        id=row.id,
        namespace=row.namespace,
        action=BulkAction(row.action) if row.action in _ACTIONS else row.action,
        state=BulkState(row.state),
        what=_what(row.total, row.wanted),
        filters=row.wanted,
        total=row.total,
        as_of=row.as_of,
        actor=row.actor,
        said_by=row.said_by,
        reason=row.reason,
        changed=row.changed,
        skipped=row.skipped,
        skips=skips,
        error=row.error,
        created_at=row.created_at,
        started_at=row.started_at,
        updated_at=row.updated_at,
        ended_at=row.ended_at,
    )


def _what(total: int | None, wanted: Mapping[str, Any] | None) -> str:
    """Return in words which runs a job means."""
    if total is not None:
        return f"{total:,} by id"
    return _listed(wanted or {}) or "everything"


def _listed(wanted: Mapping[str, Any]) -> str:
    return ", ".join(
        f"not ({_listed(value)})" if isinstance(value, Mapping) else f"{name}={_shown(value)}"
        for name, value in wanted.items()
    )


def _shown(value: Any) -> str:
    return "|".join(str(each) for each in value) if isinstance(value, list) else str(value)
