"""Waits until a soak has come to rest."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Connection, func, select

from tests.soak.traces import Calm, CronSpan
from tests.soak.workload import CronOrder
from tests.statements import rollup_state
from tests.tables import tickers
from tickerq_celery import Cron, TickerQ
from tickerq_celery.enums import HoldReason
from tickerq_celery.store.tables.column_types import sql_now

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """How long to wait: without any progress, and in all; ``meanwhile`` is called all along."""

    stall_limit: timedelta
    longest: timedelta
    meanwhile: Callable[[], None]

    def wait(self, count: Callable[[], int]) -> None:
        """Return when there is nothing left to count, or nothing changes any more."""
        end = time.monotonic() + self.longest.total_seconds()
        left, since = count(), time.monotonic()
        while left and time.monotonic() < min(end, since + self.stall_limit.total_seconds()):
            self.meanwhile()
            time.sleep(0.2)
            now = count()
            if now != left:
                left, since = now, time.monotonic()


def read_calm(tickerq: TickerQ, *, longest_wait: timedelta) -> Calm:
    """Return the calm that begins now, in which no run may be stalled for longer than so."""
    since = _read(tickerq, lambda connection: connection.scalars(select(sql_now(tickerq.core.clock))).one())
    return Calm(since=since, longest_wait=longest_wait)


def settle(
    tickerq: TickerQ, crons: Sequence[Cron], orders: Sequence[CronOrder], settling: Settling, calm: Calm
) -> list[CronSpan]:
    """Let all work end and pause the cron tickers, or give up; return what these must have fired.

    Whether it came to rest is for the checker to see.
    """
    now = calm.since
    settling.wait(lambda: unfinished(tickerq, before=now))
    spans = [_pause(tickerq, cron, order, at_least=now) for cron, order in zip(crons, orders, strict=True)]
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


def uncounted(tickerq: TickerQ) -> int:
    """Return how many runs have ended and are not counted in the roll-up."""
    position = tickerq.core.read(rollup_state.position)
    is_later = tickers.c.ended_at >= position.ended_at
    return _read(
        tickerq,
        lambda connection: connection.scalars(
            select(func.count()).select_from(tickers).where(is_later)
        ).one(),
    )


def _pause(tickerq: TickerQ, cron: Cron, order: CronOrder, *, at_least: datetime) -> CronSpan:
    # Read before the pause, which forgets it: what beat fires in between is checked for its instants only.
    until = tickerq.cron_tickers.get(cron.id).next_run_at
    tickerq.cron_tickers.pause(cron.id)
    assert cron.next_run_at is not None, f"never fires: {cron}"
    # A cron ticker that is stalled must not be let off.
    until = at_least if until is None else max(until, at_least)
    return CronSpan(
        cron_id=cron.id,
        first=cron.next_run_at,
        until=until,
        step=order.step,
        misfire=order.misfire,
        misfire_limit=order.misfire_limit,
        overlap=order.overlap,
    )


def _read(tickerq: TickerQ, work: Callable[[Connection], T]) -> T:
    return tickerq.core.database.read(work)
