"""What an audit shows of a change: the fields that differ, and nothing of what requests hold."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from enum import Enum, IntEnum
from operator import attrgetter
from typing import Any
from uuid import UUID

from tickerq_celery.enums import PauseKind, word_of
from tickerq_celery.tickers.audit import RELEASED, AuditEntry
from tickerq_celery.tickers.cron_batches import CronSkip
from tickerq_celery.tickers.effect import Change
from tickerq_celery.tickers.pauses import Pause
from tickerq_celery.tickers.views import Cron, Run

# What says that there was a change, is written by other processes, or belongs to a run's attempts.
_NOT_SHOWN = {"updated_at", "attempts", "logs", "progress", "progress_message", "id", "namespace"}
# These hold requests, or texts of a function's errors: that they differ is all that is said.
_HIDDEN = {
    "stored_request": "request",
    "chain": "children",
    "exception_type": "exception_type",
    "exception_message": "exception_message",
}
_WAS, _IS = "…", "changed"
# As which field an entry has why one of several was left as it is.
_SKIPPED = "skipped"
_SHOWN_OF_RUN, _SHOWN_OF_CRON = (
    attrgetter(*(field.name for field in fields(view) if field.name not in _NOT_SHOWN))
    for view in (Run, Cron)
)
# Of more the entry has the ids only.
_MOST_SHOWN = 100


def change_of(
    before: Mapping[UUID, Run] | Mapping[UUID, Cron], after: Sequence[Run] | Sequence[Cron]
) -> Change:
    """Return what is different of things that were read before and after a change, by their ids.

    One has its fields at the top; several have them by their ids.
    """
    pairs = ((each, before[each.id]) for each in after)
    differing = [each for each, was in pairs if _shown_fields(was) != _shown_fields(each)]
    ids = [each.id for each in differing]
    if not 0 < len(ids) <= _MOST_SHOWN:
        return Change(ids=ids)
    changed = {each.id: differences(before[each.id], each) for each in differing}
    if len(after) == 1:
        was, is_now = changed[ids[0]]
        return Change(ids=ids, before=was, after=is_now)
    return Change(
        ids=ids,
        before={str(each): was for each, (was, _) in changed.items()},
        after={str(each): is_now for each, (_, is_now) in changed.items()},
    )


def with_released(change: Change, released: int) -> Change:
    """Return the change of one that was resumed, with how many runs that released."""
    return replace(change, after={**(change.after or {}), RELEASED: released}) if change.ids else change


def batch_change_of(
    before: Mapping[UUID, Cron],
    after: Sequence[Cron],
    skipped: Sequence[CronSkip],
    released: Mapping[UUID, int] | None = None,
) -> Change:
    """Return what is different of several cron tickers, by their ids, with why the others were skipped.

    Of those that were resumed ``released`` says how many runs each has let go.
    """
    ids = [each.id for each in after]
    if not 0 < len(ids) + len(skipped) <= _MOST_SHOWN:
        return Change(ids=ids)
    changed = {each.id: differences(before[each.id], each) for each in after}
    for each_id, number in (released or {}).items():
        changed[each_id][1][RELEASED] = number
    left: dict[str, dict[str, object]] = {str(each.id): {_SKIPPED: each.reason} for each in skipped}
    return Change(
        ids=ids,
        before={str(each): was for each, (was, _) in changed.items()},
        after=left | {str(each): is_now for each, (_, is_now) in changed.items()},
    )


def skips_in(entry: AuditEntry, ids: Sequence[UUID]) -> tuple[CronSkip, ...]:
    """Return which of ``ids`` the operation of an entry has skipped, and why."""
    shown_after: Mapping[str, Any] = entry.after or {}
    return tuple(
        CronSkip(id=each, reason=shown_after.get(str(each), {}).get(_SKIPPED, _SKIPPED))
        for each in ids
        if each not in entry.ids
    )


def deletion_of(deleted: Sequence[Run] | Sequence[Cron]) -> Change:
    """Return what is gone, as it was."""
    ids = [each.id for each in deleted]
    if not 0 < len(ids) <= _MOST_SHOWN:
        return Change(ids=ids)
    was = {each.id: _facts(each) for each in deleted}
    if len(ids) == 1:
        return Change(ids=ids, before=was[ids[0]])
    return Change(ids=ids, before={str(each): facts for each, facts in was.items()})


def _shown_fields(each: Run | Cron) -> tuple[Any, ...]:
    return _SHOWN_OF_RUN(each) if isinstance(each, Run) else _SHOWN_OF_CRON(each)


def _facts(deleted: Run | Cron) -> dict[str, object]:
    if isinstance(deleted, Run):
        own = {"status": deleted.status_word}
        names = ["function", "description", "execution_time", "unique_key"]
    else:
        own, names = {}, ["function", "description", "expression", "time_zone", "is_enabled"]
    return own | {name: shown(getattr(deleted, name)) for name in names}


def pause_in(facts: Mapping[str, Any]) -> Pause:
    """Return the pause that ``shown_pause`` has shown."""
    return Pause(
        kind=PauseKind(facts["kind"]),
        name=facts["name"],
        reason=facts["reason"],
        paused_by=facts["paused_by"],
        paused_at=datetime.fromisoformat(facts["paused_at"]),
    )


def differences(before: Run | Cron, after: Run | Cron) -> tuple[dict[str, object], dict[str, object]]:
    """Return the fields that differ, as they were and as they are."""
    was: dict[str, object] = {}
    is_now: dict[str, object] = {}
    for each in fields(after):
        old, new = getattr(before, each.name), getattr(after, each.name)
        if each.name in _NOT_SHOWN or old == new:
            continue
        name = _HIDDEN.get(each.name)
        if name is not None:
            was[name], is_now[name] = _WAS, _IS
        else:
            was[each.name], is_now[each.name] = shown(old), shown(new)
    return was, is_now


def shown_pause(pause: Pause) -> dict[str, object]:
    """Return who paused what, and why."""
    return {each.name: shown(getattr(pause, each.name)) for each in fields(pause)}


def shown(value: object) -> object:
    """Return a field's value as JSON has it."""
    if isinstance(value, IntEnum):
        return word_of(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, tuple):
        return [shown(each) for each in value]
    return value
