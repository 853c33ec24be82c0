"""The tables of django-celery-beat, read without Django."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from celery.schedules import ParseException, crontab, schedule
from sqlalchemy import (
    Boolean,
    DateTime,
    Engine,
    Integer,
    Row,
    String,
    column,
    create_engine,
    select,
    table,
)
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from tickerq_celery.beat.celery_schedules import expression_of
from tickerq_celery.cli.periodic_task import PeriodicTask
from tickerq_celery.errors import ConfigError
from tickerq_celery.store.database.connections import lacking_driver
from tickerq_celery.store.database.urls import database_file, parsed_url
from tickerq_celery.wording import moment

_TEXTS = ("name", "task", "args", "kwargs", "queue", "exchange", "routing_key", "headers", "description")
_NUMBERS = ("priority", "expire_seconds", "interval_id", "crontab_id", "solar_id", "clocked_id")
_MOMENTS = ("expires", "start_time")
_CRON = ("minute", "hour", "day_of_week", "day_of_month", "month_of_year")
_TASKS = table(
    "django_celery_beat_periodictask",
    *(column(name, String) for name in _TEXTS),
    *(column(name, Integer) for name in _NUMBERS),
    *(column(name, DateTime) for name in _MOMENTS),
    column("one_off", Boolean),
    column("enabled", Boolean),
)
_INTERVALS = table(
    "django_celery_beat_intervalschedule", column("id"), column("every", Integer), column("period", String)
)
_CRONTABS = table(
    "django_celery_beat_crontabschedule",
    column("id"),
    *(column(name, String) for name in (*_CRON, "timezone")),
)
_CLOCKED = table("django_celery_beat_clockedschedule", column("id"), column("clocked_time", DateTime))
# What a message may say and a ticker cannot hold.
_LEFT_OUT = ("exchange", "routing_key", "priority", "expire_seconds", "headers")
_NOTHING = {None, "", "{}"}
_MOMENT = timedelta(microseconds=1)


def read_periodic_tasks(url: str, *, now: datetime) -> list[PeriodicTask]:
    """Return all periodic tasks of the database at ``url``, by name, as they stand ``now``.

    Raises:
        ConfigError: It cannot be read, or has no such tables.
    """
    statement = (
        select(
            _TASKS,
            _INTERVALS.c.every,
            _INTERVALS.c.period,
            *(_CRONTABS.c[name] for name in (*_CRON, "timezone")),
            _CLOCKED.c.clocked_time,
        )
        .outerjoin(_INTERVALS, _INTERVALS.c.id == _TASKS.c.interval_id)
        .outerjoin(_CRONTABS, _CRONTABS.c.id == _TASKS.c.crontab_id)
        .outerjoin(_CLOCKED, _CLOCKED.c.id == _TASKS.c.clocked_id)
        .order_by(_TASKS.c.name)
    )
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            rows = connection.execute(statement).all()
    except (SQLAlchemyError, ValueError, TypeError) as error:  # also a moment that is none, in SQLite
        reason = " ".join(str(getattr(error, "orig", error)).split())
        raise ConfigError("URL", f"cannot read django-celery-beat's tables: {reason}") from error
    return [_periodic_task(row, now) for row in rows]


def _engine(url: str) -> Engine:
    try:
        parsed = parsed_url(url)
    except (ArgumentError, ValueError):
        # Not quoted: where it ends and a password begins is unknown.
        raise ConfigError("URL", "not a database URL") from None
    try:
        engine = create_engine(parsed, poolclass=NullPool)
    except (ImportError, NoSuchModuleError) as error:
        raise ConfigError("URL", lacking_driver(parsed, error)) from error
    file = database_file(engine.url)
    # The driver would make an empty one. Of a file: URI it says itself whether it may.
    if file is not None and not file.is_file() and "uri" not in engine.url.query:
        raise ConfigError("URL", f"there is no file {file}")
    return engine


def _periodic_task(row: Row[Any], now: datetime) -> PeriodicTask:
    named = PeriodicTask(name=row.name, task=row.task)
    try:
        return replace(
            _scheduled(named, row, now),
            args=tuple(_json(row, "args", list)),
            kwargs=_json(row, "kwargs", dict),
            queue=row.queue or None,
            description=row.description or None,
            is_enabled=bool(row.enabled),
            left_out=tuple(name for name in _LEFT_OUT if getattr(row, name) not in _NOTHING),
        )
    except (ValueError, TypeError, OverflowError, RecursionError, ParseException) as error:
        return replace(named, flaw=str(error))


def _scheduled(task: PeriodicTask, row: Row[Any], now: datetime) -> PeriodicTask:
    """Return a task with the instants of its row."""
    starts = None if row.start_time is None else _utc(row.start_time)
    expires = None if row.expires is None else _utc(row.expires)
    if expires is not None and expires <= now:
        raise ValueError(f"it has expired at {moment(expires)}")
    if row.clocked_time is not None:
        return replace(task, at=_moment_of(_utc(row.clocked_time), starts, expires))
    if row.one_off:
        raise ValueError("one_off: only a clocked task can be imported to run once")
    return replace(
        task,
        expression=_expression(row),
        # An interval has none.
        time_zone=None if row.crontab_id is None else row.timezone or None,
        # One that has passed says nothing any more.
        start_at=starts if starts is not None and starts > now else None,
        # Nothing runs at that very moment; an end_at is inclusive.
        end_at=None if expires is None else expires - _MOMENT,
    )


def _moment_of(clocked: datetime, starts: datetime | None, expires: datetime | None) -> datetime:
    """Return when a clocked task runs: it waits for its start, and not at all once it has expired."""
    runs_at = clocked if starts is None else max(clocked, starts)
    if expires is not None and expires <= runs_at:
        raise ValueError(f"it expires at {moment(expires)}, before it would run")
    return runs_at


def _expression(row: Row[Any]) -> str:
    if row.crontab_id is not None:
        given = crontab(**{name: getattr(row, name) for name in _CRON})
        return expression_of(given)
    if row.interval_id is not None:
        return expression_of(schedule(timedelta(**{row.period: row.every})))
    if row.solar_id is not None:
        raise ValueError("a solar schedule cannot be kept as an expression")
    raise ValueError("it has no schedule")


def _json(row: Row[Any], name: str, kind: type) -> Any:
    value = json.loads(getattr(row, name)) if getattr(row, name) else kind()
    if not isinstance(value, kind):
        raise ValueError(f"its {name} are no JSON {kind.__name__}")
    return value


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
