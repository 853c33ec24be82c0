"""Schedule, copy and change time tickers."""

from datetime import timedelta
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime

from tickerq_celery import Run, TimeTicker
from tickerq_celery.typing import Managers
from tickerq_dashboard.commands.command import Command, Once
from tickerq_dashboard.commands.work import Child, Key, Work


class Timed(Work):
    """When a run starts: at a moment, after a delay, or at once where neither is said."""

    execution_time: AwareDatetime | None = None
    delay: timedelta | None = None


class NewTimeTicker(Timed, Once):
    """A run that is to be scheduled, with the chain below it."""

    unique_key: Key | None = None
    on_conflict: Literal["raise", "return_existing", "replace"] = "raise"
    children: tuple[Child, ...] = ()

    def apply(self, managers: Managers) -> Run:
        """Schedule it; raises what ``time_tickers.add`` does."""
        ticker = TimeTicker(**self.given("on_conflict"))
        return managers.time_tickers.add(ticker, on_conflict=self.on_conflict)


class TimeTickerCopy(Timed, Once):
    """A new run like one that there is: the fields that are said differ."""

    unique_key: Key | None = None
    children: tuple[Child, ...] = ()
    with_children: bool = False

    def apply(self, managers: Managers, run_id: UUID) -> Run:
        """Schedule it; raises what ``time_tickers.clone`` does."""
        return managers.time_tickers.clone(
            run_id, with_children=self.with_children, **self.given("with_children")
        )


class TimeTickerEdit(Timed, Command):
    """What is to be changed of a run that has not begun: the fields that are said, and no others."""

    def apply(self, managers: Managers, run_id: UUID) -> Run:
        """Change it; raises what ``time_tickers.update`` does."""
        return managers.time_tickers.update(
            run_id, expected=self.expected, reason=self.reason, **self.given()
        )
