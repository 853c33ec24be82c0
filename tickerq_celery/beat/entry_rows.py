"""Celery's own beat entries as cron tickers of their tasks, and which beat looks after which."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tickerq_celery.enums import MisfirePolicy, OverlapPolicy, TickerKind, TickerPriority
from tickerq_celery.errors import UnreadableRequestError
from tickerq_celery.ids import new_id
from tickerq_celery.payload.codec import Packed, RequestCodec
from tickerq_celery.schedule.bounds import UNBOUNDED
from tickerq_celery.schedule.interval import every_in
from tickerq_celery.schedule.timetable import make_timetable
from tickerq_celery.store.beat_entries import LiveBeat
from tickerq_celery.tickers.cron_rows import next_run_of, short_key, times_of_code

_KEY_PREFIX = "beat_schedule:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One checked entry; ``call`` is JSON, ``misfire_grace`` is in seconds."""

    name: str
    task: str
    expression: str
    time_zone: str
    call: bytes
    queue: str | None
    misfire_grace: float | None

    @property
    def key(self) -> str:
        """The seed key of the entry's cron ticker."""
        return short_key(f"{_KEY_PREFIX}{self.name}")


def keys_of(beat_id: UUID, beats: Collection[LiveBeat]) -> set[str]:
    """Return the keys that a beat decides about: of the beats that name one, the youngest does.

    So while beats of two versions of the code run, the newer version's entries hold, and an entry that
    only the older one has goes on until its last beat ends.
    """
    youngest: dict[str, UUID] = {}
    for beat in sorted(beats, key=lambda beat: (beat.started_at, beat.id)):
        youngest |= dict.fromkeys(beat.entries, beat.id)
    return {key for key, decider in youngest.items() if decider == beat_id}


def entry_row(entry: Entry, *, namespace: str, codec: RequestCodec, now: datetime) -> dict[str, Any]:
    """Return the row of an entry's new cron ticker; as with Celery, an interval's first run is one later."""
    timetable = make_timetable(entry.expression, time_zone=entry.time_zone, now=now)
    return {
        "id": new_id(),
        "namespace": namespace,
        "expression": entry.expression,
        "time_zone": entry.time_zone,
        "day_or": False,
        "retries": 0,
        "retry_intervals": [],
        "misfire": MisfirePolicy.RUN_ONCE.value,
        "misfire_limit": 100,
        "overlap": OverlapPolicy.ALLOW.value,
        "pause_on_failure": 0,
        "priority": int(TickerPriority.NORMAL),
        "tags": [],
        "is_enabled": True,
        "seed_key": entry.key,
        "seed_expression": entry.expression,
        "seed_time_zone": entry.time_zone,
        "seed_day_or": False,
        **replace(UNBOUNDED, start_at=timetable.start_at).columns(),
        "run_count": 0,
        "next_run_at": timetable.next_after(now),
        "created_at": now,
        "updated_at": now,
        **_defined(entry),
        **_packed(codec.pack(entry.call)),
    }


def entry_changes(entry: Entry, row: dict[str, Any], *, codec: RequestCodec, now: datetime) -> dict[str, Any]:
    """Return what the code says otherwise than the row; an operator's own times or pause stay."""
    wanted = _defined(entry) | times_of_code(
        row, expression=entry.expression, time_zone=entry.time_zone, day_or=False
    )
    changes = {name: value for name, value in wanted.items() if row[name] != value}
    if row["start_at"] is None and every_in(changes.get("expression")) is not None:
        # It was no interval until now, and counts from now on.
        changes["start_at"] = now.replace(microsecond=0)
    if _call_of(row, codec) != entry.call:
        changes |= _packed(codec.pack(entry.call))
    # One without a next instant that no pause holds was stopped by a beat that could not read its expression.
    is_stopped = row["is_enabled"] and row["next_run_at"] is None and row["resume_from"] is None
    if is_stopped:
        changes["next_run_at"] = next_run_of(row | changes, now)
    return changes


def named_by(beats: Collection[LiveBeat]) -> set[str]:
    """Return the keys of all entries that live beats' code has."""
    return {key for beat in beats for key in beat.entries}


def _defined(entry: Entry) -> dict[str, Any]:
    return {
        "kind": TickerKind.CELERY_TASK.value,
        "function": entry.task,
        "description": f"beat_schedule entry {entry.name}"[:500],
        "queue": entry.queue,
        "misfire_grace": entry.misfire_grace,
    }


def _packed(call: Packed) -> dict[str, Any]:
    return {"request": call.data, "encoding": call.encoding}


def _call_of(row: dict[str, Any], codec: RequestCodec) -> bytes | None:
    try:
        return codec.unpack(Packed(row["request"], row["encoding"]))
    except UnreadableRequestError:
        return None
