"""Waits until a soak has come to rest."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Connection, func, select

from tests.soak.history import CronSpan
from tickerq_celery import Cron, TickerQ
from tickerq_celery.enums import HoldReason
from tickerq_celery.models import tickers
from tickerq_celery.sqltypes import sql_now

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """How long to wait, in seconds: without any progress, and in all; ``meanwhile`` is called all along."""

    patience: float
    longest: float
    meanwhile: Callable[[], None]

    def wait(self, count: Callable[[], int]) -> None:
        """Return when there is nothing left to count, or nothing changes any more."""
        end = time.monotonic() + self.longest
        left, since = count(), time.monotonic()
        while left and time.monotonic() < min(end, since + self.patience):
            self.meanwhile()
            time.sleep(0.2)
            now = count()
            if now != left:
                left, since = now, time.monotonic()


def settle(
    tickerq: TickerQ, crons: Sequence[Cron], steps: Sequence[timedelta], settling: Settling
) -> list[CronSpan]:
    """Let all work end and pause the cron tickers, or give up; return what these must have fired.

    Whether it came to rest is for the checker to see. A message that was lost is missed at its next check
    only, so the patience begins with the last of these.
    """
    now, last_check = _times(tickerq)
    settling = replace(settling, patience=settling.patience + (last_check - now).total_seconds())
    settling.wait(lambda: unfinished(tickerq, before=now))
    spans = [_pause(tickerq, cron, step, at_least=now) for cron, step in zip(crons, steps, strict=True)]
    settling.wait(lambda: unfinished(tickerq))
    return spans


def unfinished(tickerq: TickerQ, *, before: datetime | None = None) -> int:
    """Return how many runs have not ended and are not held by a pause, of those made ``before``."""
    statement = (
        select(func.count())
        .select_from(tickers)
        .where(
            tickers.c.namespace == tickerq.config.namespace,
            tickers.c.ended_at.is_(None),
            tickers.c.held_for.is_distinct_from(HoldReason.PAUSED.value),
        )
    )
    if before is not None:
        statement = statement.where(tickers.c.created_at < before)
    return _read(tickerq, lambda connection: connection.scalars(statement).one())


def _pause(tickerq: TickerQ, cron: Cron, step: timedelta, *, at_least: datetime) -> CronSpan:
    # Read before the pause, which forgets it: what beat fires in between is checked for its instants only.
    until = tickerq.cron_tickers.get(cron.id).next_run_at
    tickerq.cron_tickers.pause(cron.id)
    assert cron.next_run_at is not None, f"never fires: {cron}"
    # A cron ticker that stands still must not be let off.
    until = at_least if until is None else max(until, at_least)
    return CronSpan(cron_id=cron.id, first=cron.next_run_at, until=until, step=step)


def _times(tickerq: TickerQ) -> tuple[datetime, datetime]:
    def look(connection: Connection) -> tuple[datetime, datetime]:
        now = connection.scalars(select(sql_now(tickerq.core.clock))).one()
        last_check = connection.scalars(select(func.max(tickers.c.check_at))).one()
        return now, now if last_check is None else max(now, last_check)

    return _read(tickerq, look)


def _read(tickerq: TickerQ, work: Callable[[Connection], T]) -> T:
    return tickerq.core.database.read(work)
