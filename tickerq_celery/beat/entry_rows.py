"""Celery's own beat entries as cron tickers of their tasks, and which beat looks after which."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from celery.schedules import BaseSchedule

from tickerq_celery.enums import TickerKind
from tickerq_celery.errors import UnreadableRequestError
from tickerq_celery.payload.codec import Packed, RequestCodec
from tickerq_celery.schedule.interval import every_in
from tickerq_celery.store.cron.beat_entries import LiveBeat
from tickerq_celery.tickers.cron_rows import CronRow, new_cron_row, short_key, with_times_of_code
from tickerq_celery.tickers.work import Work
from tickerq_celery.validation import LONGEST_DESCRIPTION

_KEY_PREFIX = "beat_schedule:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One checked entry; ``call`` is JSON, ``schedule`` Celery's own object."""

    name: str
    task: str
    expression: str
    time_zone: str
    call: bytes
    queue: str | None
    task_id: str | None
    misfire_grace: timedelta | None
    schedule: BaseSchedule | None

    @property
    def key(self) -> str:
        """The seed key of the entry's cron ticker."""
        return short_key(f"{_KEY_PREFIX}{self.name}")

    @property
    def description(self) -> str:
        """The description of the entry's cron ticker."""
        return f"beat_schedule entry {self.name}"[:LONGEST_DESCRIPTION]


def keys_of(beat_id: UUID, beats: Collection[LiveBeat]) -> set[str]:
    """Return the keys that a beat decides about: of the beats that name one, the youngest does.

    So while beats of two versions of the code run, the newer version's entries hold, and an entry that
    only the older one has goes on until its last beat ends.
    """
    youngest: dict[str, UUID] = {}
    for beat in sorted(beats, key=lambda beat: (beat.started_at, beat.id)):
        youngest |= dict.fromkeys(beat.entries, beat.id)
    return {key for key, decider in youngest.items() if decider == beat_id}


def entry_row(entry: Entry, *, namespace: str, codec: RequestCodec, now: datetime) -> CronRow:
    """Return the row of an entry's new cron ticker; as with Celery, an interval's first run is one later."""
    call = codec.pack(entry.call)
    row = new_cron_row(
        Work(
            namespace=namespace,
            function=entry.task,
            kind=TickerKind.CELERY_TASK,
            description=entry.description,
            request=call.data,
            encoding=call.encoding,
            queue=entry.queue,
            task_id=entry.task_id,
        ),
        expression=entry.expression,
        time_zone=entry.time_zone,
        now=now,
    )
    return replace(row.seeded(entry.key), misfire_grace=entry.misfire_grace)


def as_defined(entry: Entry, row: CronRow, *, codec: RequestCodec, now: datetime) -> CronRow:
    """Return a row as the code defines it; an operator's own times or pause stay."""
    timed = with_times_of_code(row, expression=entry.expression, time_zone=entry.time_zone, day_or=False)
    wanted = replace(
        timed,
        function=entry.task,
        description=entry.description,
        queue=entry.queue,
        task_id=entry.task_id,
        misfire_grace=entry.misfire_grace,
    )
    is_other = wanted.expression != row.expression
    if row.start_at is None and is_other and every_in(wanted.expression) is not None:
        # It was no interval until now, and counts from now on.
        wanted = replace(wanted, start_at=now.replace(microsecond=0))
    if _call_of(row, codec) != entry.call:
        call = codec.pack(entry.call)
        wanted = replace(wanted, request=call.data, encoding=call.encoding)
    return wanted


def is_stopped(row: CronRow) -> bool:
    """Return True if a beat has stopped a cron ticker as it could not read its expression.

    One without a next instant that no pause holds was.
    """
    return row.is_enabled and row.first_unrecorded is None


def named_by(beats: Collection[LiveBeat]) -> set[str]:
    """Return the keys of all entries that live beats' code has."""
    return {key for beat in beats for key in beat.entries}


def _call_of(row: CronRow, codec: RequestCodec) -> bytes | None:
    try:
        return codec.unpack(Packed(row.request, row.encoding))
    except UnreadableRequestError:
        return None
