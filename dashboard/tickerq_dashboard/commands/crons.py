"""Make and change cron tickers."""

from datetime import date, timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from tickerq_celery import Cron, CronTicker, Run
from tickerq_celery.limits import (
    LONGEST_EXPRESSION,
    MOST_A_MINUTE,
    MOST_DATES,
    MOST_FAILURES,
    MOST_MISFIRES,
)
from tickerq_celery.typing import Managers
from tickerq_dashboard.commands.command import Command, Once
from tickerq_dashboard.commands.work import Child, Work


class CronFields(Work):
    """When a cron ticker fires, what it does about what it missed or overlaps, and the chain of each run."""

    expression: Annotated[str, Field(max_length=LONGEST_EXPRESSION)] | None = None
    every: timedelta | None = None
    time_zone: str | None = None
    day_or: bool = False
    start_at: AwareDatetime | None = None
    end_at: AwareDatetime | None = None
    max_runs: Annotated[int, Field(ge=1)] | None = None
    exclude: Annotated[tuple[date, ...], Field(max_length=MOST_DATES)] = ()
    jitter: timedelta = timedelta(0)
    is_enabled: bool = True
    misfire: Literal["run_once", "skip", "run_all"] = "run_once"
    misfire_limit: Annotated[int, Field(ge=1, le=MOST_MISFIRES)] = 100
    misfire_grace: timedelta | None = None
    overlap: Literal["allow", "skip", "buffer_one", "buffer_all", "cancel_other"] = "allow"
    pause_on_failure: Annotated[int, Field(ge=1, le=MOST_FAILURES)] | None = None
    children: tuple[Child, ...] = ()


class NewCron(CronFields, Once):
    """A cron ticker that is to be stored."""

    def apply(self, managers: Managers) -> Cron:
        """Store it; raises what ``cron_tickers.add`` does."""
        return managers.cron_tickers.add(CronTicker(**self.given()))


class CronEdit(CronFields, Command):
    """What is to be changed of a cron ticker: the fields that are said, and no others."""

    def apply(self, managers: Managers, cron_id: UUID) -> Cron:
        """Change it; raises what ``cron_tickers.update`` does."""
        return managers.cron_tickers.update(
            cron_id, expected=self.expected, reason=self.reason, **self.given()
        )


class Backfill(Command):
    """A span of the past whose instants get the occurrences that they lack, so many a minute."""

    start: AwareDatetime
    end: AwareDatetime
    per_minute: Annotated[int, Field(ge=1, le=MOST_A_MINUTE)] = 60

    def apply(self, managers: Managers, cron_id: UUID) -> list[Run]:
        """Store them; raises what ``cron_tickers.backfill`` does."""
        return managers.cron_tickers.backfill(
            cron_id,
            self.start,
            self.end,
            per_minute=self.per_minute,
            expected=self.expected,
            reason=self.reason,
        )
