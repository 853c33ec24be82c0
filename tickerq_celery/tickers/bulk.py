"""Bulk jobs as users read them, and what became of the runs that a job changed nothing of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tickerq_celery.enums import BulkAction, BulkState
from tickerq_celery.tickers.versions import stamp

ACTIVE = frozenset({BulkState.WAITING, BulkState.RUNNING})
_MOST_EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkSkip:
    """How many runs a bulk job has skipped for one reason; ``examples`` are the ids of a few of them."""

    reason: str
    count: int
    examples: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkJob:
    """One action on many runs, as far as beat has got with it; times are aware UTC.

    ``what`` says for people which runs are meant; ``filters`` are those of ``bulk.start``, as JSON, and
    ``total`` is how many ids were given: one of the two is None.
    Those that were looked at are either ``changed`` or ``skipped``; a few more may be locked by other
    processes, and are looked at once more at the end.
    """

    id: UUID
    namespace: str
    # A newer version may have stored another word.
    action: BulkAction | str
    state: BulkState
    what: str
    filters: Mapping[str, Any] | None
    total: int | None
    as_of: datetime
    actor: str
    said_by: str | None
    reason: str | None
    changed: int
    skipped: int
    skips: tuple[BulkSkip, ...]
    error: str | None
    created_at: datetime
    started_at: datetime | None
    updated_at: datetime
    ended_at: datetime | None

    @property
    def version(self) -> str:
        """What each of its batches changes, and its end."""
        return stamp(self.updated_at)

    @property
    def has_ended(self) -> bool:
        """Whether it is done, stopped or failed."""
        return self.state not in ACTIVE

    def asked(self) -> dict[str, object]:
        """Return what the audit shows of its start: what is asked, and of which runs."""
        filters = {} if self.filters is None else {"filters": dict(self.filters)}
        return {"action": str(self.action), "what": self.what, **filters}

    def outcome(self) -> dict[str, object]:
        """Return what the audit shows of its end: what was asked, of which runs, and what came of it."""
        return {**self.asked(), "state": self.state.value, "changed": self.changed, "skipped": self.skipped}


def with_skips(before: Sequence[BulkSkip], new: Mapping[str, Sequence[UUID]]) -> tuple[BulkSkip, ...]:
    """Return what was skipped so far and now, by reason."""
    found = {each.reason: each for each in before}
    for reason, ids in new.items():
        so_far = found.get(reason, BulkSkip(reason=reason, count=0, examples=()))
        found[reason] = BulkSkip(
            reason=reason,
            count=so_far.count + len(ids),
            examples=(*so_far.examples, *ids)[:_MOST_EXAMPLES],
        )
    return tuple(found.values())
