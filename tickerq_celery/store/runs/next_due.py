"""When the next cron ticker and the next run fall due, read in one statement."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, Select, select

from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs import rates
from tickerq_celery.store.tables import cron_tickers, tickers


@dataclass(frozen=True, slots=True, kw_only=True)
class NextDue:
    """When the next cron ticker and the next run fall due, None where none does, as seen ``now``.

    A run that waits for a rate is due when that lets the next ones through.
    """

    cron: datetime | None
    run: datetime | None
    now: datetime

    @property
    def moment(self) -> datetime | None:
        """When anything falls due."""
        return min((each for each in (self.cron, self.run) if each is not None), default=None)

    @property
    def is_due(self) -> bool:
        """Whether anything is due."""
        return self.moment is not None and self.moment <= self.now

    @property
    def is_cron_due(self) -> bool:
        """Whether a cron ticker is due."""
        return self.cron is not None and self.cron <= self.now

    def wait(self, *, most: timedelta) -> timedelta:
        """Return how long it is until something falls due, at ``most`` so long."""
        return most if self.moment is None else min(self.moment - self.now, most)

    def until_cron(self, *, most: timedelta) -> timedelta:
        """Return how long it is until a cron ticker falls due, at ``most`` so long."""
        return most if self.cron is None else min(self.cron - self.now, most)

    def after(self, seconds: float) -> "NextDue":
        """Return what is known of it so many seconds later."""
        return replace(self, now=self.now + timedelta(seconds=seconds))


class NextDueQuery:
    """The query for the next cron ticker and the next run of one namespace, by one clock.

    It is built once: every tick executes it, and SQLAlchemy takes longer to build it than the database to
    answer.
    """

    def __init__(self) -> None:
        self._statement: Select[Any] | None = None

    def read(self, tx: Transaction) -> NextDue:
        """Return when the next cron ticker and the next run of the namespace fall due."""
        if self._statement is None:
            self._statement = _statement(tx)
        found = tx.execute(self._statement).one()
        runs = [moment for moment in (found.run, found.ready) if moment is not None]
        return NextDue(cron=found.cron, run=min(runs, default=None), now=found.now)


def _statement(tx: Transaction) -> Select[Any]:
    return select(
        _first(tx, cron_tickers.c.next_run_at).scalar_subquery().label("cron"),
        _first(tx, tickers.c.due_at).scalar_subquery().label("run"),
        rates.next_ready(tx).scalar_subquery().label("ready"),
        tx.sql_now().label("now"),
    )


def _first(tx: Transaction, column: Column[Any]) -> Select[Any]:
    # Not min(): MariaDB reads every row that it is the least of.
    of_namespace = column.table.c.namespace == tx.namespace
    return select(column).where(of_namespace, column.is_not(None)).order_by(column).limit(1)
