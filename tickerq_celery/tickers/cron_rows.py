"""Rows of cron tickers, checked and frozen; nothing here touches the database."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.enums import MisfirePolicy, OverlapPolicy, TickerKind
from tickerq_celery.errors import InvalidCronError
from tickerq_celery.ids import new_id
from tickerq_celery.schedule.bounds import BOUND_FIELDS, UNBOUNDED, Bounds, checked_bounds
from tickerq_celery.schedule.cron_expression import NO_TIME
from tickerq_celery.schedule.interval import every_in, expression_from
from tickerq_celery.schedule.timetable import Timetable, make_timetable, timetable_of
from tickerq_celery.tickers.call import Changes
from tickerq_celery.tickers.celery_task import CALL_FIELDS
from tickerq_celery.tickers.chain_templates import Template
from tickerq_celery.tickers.inputs import CronTicker
from tickerq_celery.tickers.kind_fields import refuse
from tickerq_celery.tickers.work import WORK_FIELDS, Work

_LONGEST_KEY = 200
_HASHED = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class CronRow(Work):
    """A cron ticker as its table holds it: one field for each column.

    ``flaw`` says what of a stored row this version cannot read; with one it must not fire.
    """

    id: UUID
    expression: str
    time_zone: str
    day_or: bool = False
    start_at: datetime | None = None
    end_at: datetime | None = None
    max_runs: int | None = None
    run_count: int = 0
    exclude: tuple[date, ...] = ()
    jitter: timedelta = timedelta(0)
    misfire: MisfirePolicy = MisfirePolicy.RUN_ONCE
    misfire_limit: int = 100
    misfire_grace: timedelta | None = None
    overlap: OverlapPolicy = OverlapPolicy.ALLOW
    pause_on_failure: int | None = None
    children: Template | None = field(default=None, repr=False)
    is_enabled: bool = True
    paused_reason: str | None = None
    paused_by: str | None = None
    paused_at: datetime | None = None
    resume_from: datetime | None = None
    resumed_at: datetime | None = None
    resumed_by: str | None = None
    resumed_reason: str | None = None
    seed_key: str | None = None
    seed_expression: str | None = None
    seed_time_zone: str | None = None
    seed_day_or: bool | None = None
    next_run_at: datetime | None = None
    catch_up_until: datetime | None = None
    last_run_at: datetime | None = None
    created_by: str | None = None
    pruned_until: datetime | None = None
    skipped_until: datetime | None = None
    created_at: datetime
    updated_at: datetime
    flaw: str | None = None

    @property
    def is_entry(self) -> bool:
        """Whether it is an entry of ``beat_schedule``: code defines its call."""
        return self.kind is TickerKind.CELERY_TASK and self.seed_key is not None

    @property
    def has_runs_left(self) -> bool:
        """Whether ``max_runs`` lets another instant get its occurrence."""
        return self.max_runs is None or self.run_count < self.max_runs

    @property
    def is_catching_up(self) -> bool:
        """Whether its next instant belongs to a catch-up that is stored in parts."""
        until, first = self.catch_up_until, self.next_run_at
        # An edit or the end of a pause may have moved it on from there.
        return until is not None and first is not None and first <= until

    @property
    def first_unrecorded(self) -> datetime | None:
        """The first instant that has neither fired nor been recorded, also while a pause keeps it back."""
        return self.next_run_at or self.resume_from

    def timetable(self) -> Timetable:
        """Return when it fires.

        Raises:
            InvalidCronError: The expression cannot be parsed.
            TickerValidationError: There is no such time zone on this machine.
        """
        return timetable_of(self)

    def next_run_after(self, moment: datetime) -> datetime | None:
        """Return the first instant after ``moment`` within its bounds, or None if there is none.

        Raises:
            TickerValidationError: Its expression or its zone cannot be read on this machine.
        """
        timetable = self.timetable()
        return timetable.next_after(moment) if self.has_runs_left else None

    def not_paused(self) -> "CronRow":
        """Return the row without the reason, the author and the moment of a pause."""
        return replace(self, paused_reason=None, paused_by=None, paused_at=None)

    def resumed(self, now: datetime, *, by: str | None, reason: str | None) -> "CronRow":
        """Return the row as one whose own pause ends, with who ended it and why."""
        return replace(self, is_enabled=True, resumed_at=now, resumed_by=by, resumed_reason=reason)

    def seeded(self, key: str) -> "CronRow":
        """Return the row as one whose times code defines under this key."""
        return replace(
            self,
            seed_key=key,
            seed_expression=self.expression,
            seed_time_zone=self.time_zone,
            seed_day_or=self.day_or,
        )


_OCCURRENCE_FIELDS = frozenset(WORK_FIELDS) - {"namespace", "kind"}


def new_cron_row(
    work: Work,
    *,
    expression: str,
    time_zone: str,
    now: datetime,
    day_or: bool = False,
    bounds: Bounds = UNBOUNDED,
) -> CronRow:
    """Return the row of a new cron ticker, whose first occurrence is the first instant after ``now``.

    Raises:
        InvalidCronError: The expression cannot be parsed, or no day of any year matches it.
        TickerValidationError: There is no such time zone, or the jitter is longer than the interval.
    """
    timetable = make_timetable(expression, time_zone=time_zone, day_or=day_or, now=now, bounds=bounds)
    return CronRow(
        **{name: getattr(work, name) for name in WORK_FIELDS},
        id=new_id(),
        expression=timetable.expression,
        time_zone=time_zone,
        day_or=day_or,
        start_at=timetable.start_at,
        end_at=bounds.end_at,
        max_runs=bounds.max_runs,
        exclude=bounds.exclude,
        jitter=bounds.jitter,
        next_run_at=timetable.next_after(now),
        created_at=now,
        updated_at=now,
    )


def cron_ticker_row(
    ticker: CronTicker,
    work: Work,
    *,
    children: Template | None,
    default_zone: str,
    now: datetime,
    run_count: int = 0,
) -> CronRow:
    """Return the row of a checked new cron ticker; ``run_count`` is how often it has fired already.

    Raises:
        InvalidCronError: The expression cannot be parsed, or never fires.
        TickerValidationError: Another field holds what cannot be stored.
    """
    row = new_cron_row(
        work,
        expression=expression_from(ticker.expression, ticker.every),
        time_zone=default_zone if ticker.time_zone is None else ticker.time_zone,
        day_or=validation.flag("day_or", ticker.day_or),
        bounds=checked_bounds(**{name: getattr(ticker, name) for name in BOUND_FIELDS}),
        now=now,
    )
    if row.next_run_at is None and row.timetable().instants.next_after(now) is None:
        raise InvalidCronError(row.expression, f"never fires any more: {NO_TIME}")
    row = replace(
        row,
        run_count=run_count,
        children=children,
        is_enabled=validation.flag("is_enabled", ticker.is_enabled),
        misfire=validation.member("misfire", ticker.misfire, MisfirePolicy),
        misfire_limit=validation.misfire_limit(ticker.misfire_limit),
        misfire_grace=validation.misfire_grace(ticker.misfire_grace),
        overlap=validation.member("overlap", ticker.overlap, OverlapPolicy),
        pause_on_failure=validation.failures(ticker.pause_on_failure),
    )
    return row if row.is_enabled and row.has_runs_left else replace(row, next_run_at=None)


def with_times_of_code(row: CronRow, *, expression: str, time_zone: str, day_or: bool) -> CronRow:
    """Return a row with the times that code defines; an operator who changed one of them keeps all."""
    seeded = replace(row, seed_expression=expression, seed_time_zone=time_zone, seed_day_or=day_or)
    of_code = (row.seed_expression, row.seed_time_zone, row.seed_day_or)
    if of_code != (row.expression, row.time_zone, row.day_or):
        return seeded
    return replace(seeded, expression=expression, time_zone=time_zone, day_or=day_or)


def reverted_to_code(row: CronRow, *, now: datetime) -> CronRow | None:
    """Return a row with the times that code defines, whatever an operator made of them; None if it has none.

    What an operator has set besides stays; a longer jitter than the code's interval becomes as long as that.

    Raises:
        InvalidCronError: The code's expression cannot be parsed on this machine.
        TickerValidationError: There is no such time zone on this machine.
    """
    if row.seed_expression is None or row.seed_time_zone is None:
        return None
    every = every_in(row.seed_expression)
    timetable = make_timetable(
        row.seed_expression,
        time_zone=row.seed_time_zone,
        day_or=bool(row.seed_day_or),
        now=now,
        bounds=Bounds(start_at=row.start_at, end_at=row.end_at, exclude=row.exclude),
    )
    return replace(
        row,
        expression=row.seed_expression,
        time_zone=row.seed_time_zone,
        day_or=bool(row.seed_day_or),
        start_at=timetable.start_at,
        jitter=row.jitter if every is None else min(row.jitter, every),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CronEdit:
    """A cron ticker's locked row, and what it is to become."""

    before: CronRow
    after: CronRow

    @property
    def changed_work(self) -> frozenset[str]:
        """The names of the changed fields that occurrences have, too."""
        before, after = self.before, self.after
        return frozenset(name for name in _OCCURRENCE_FIELDS if getattr(before, name) != getattr(after, name))


def refuse_changes_of_an_entry(changes: Changes) -> None:
    """Refuse to change what an entry of ``beat_schedule`` calls, and how.

    Raises:
        TickerValidationError: ``changes`` has such a field; it shows no value whose name may be a secret's.
    """
    fixed = (_OCCURRENCE_FIELDS | {"children", "task", *CALL_FIELDS}) - {"tags"}
    for name in sorted(fixed & changes.keys()):
        refuse(name, changes[name], "it belongs to the call of an entry of beat_schedule: change it there")


def short_key(key: str) -> str:
    """Return a key that a column can hold: a hash replaces the end of a long one.

    It also closes one that ends in a blank, since MariaDB compares texts without their last blanks.
    """
    if len(key) <= _LONGEST_KEY and not key.endswith(" "):
        return key
    return f"{key[: _LONGEST_KEY - _HASHED]}{sha256(key.encode()).hexdigest()[:_HASHED]}"
