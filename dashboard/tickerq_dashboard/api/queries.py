"""What programs may ask of lists and charts: the filters of the pages, and how much they want."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from tickerq_dashboard.audit_filters import AuditFilters
from tickerq_dashboard.commands.command import LONGEST_REASON
from tickerq_dashboard.filters import (
    CronsQuery,
    FiguresQuery,
    FunctionsQuery,
    ListQuery,
    Text,
)
from tickerq_dashboard.options import MAX_PAGE_SIZE
from tickerq_dashboard.run_filters import RunFilters
from tickerq_dashboard.upcoming_filters import UpcomingFilters

Limit = Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE)]


class MeantRuns(RunFilters):
    """Which runs a program means: it takes no filter for one that is not looked at."""

    @field_validator("routed")
    @classmethod
    def _check_queue(cls, routed: tuple[str, ...], given: ValidationInfo) -> tuple[str, ...]:
        if routed and given.data.get("queue") == "":
            raise ValueError("it needs queue")
        return routed


class RunsAsked(MeantRuns):
    """Which runs are returned."""

    limit: Limit = 50


class OccurrencesAsked(ListQuery):
    """Which occurrences of a cron ticker are returned."""

    limit: Limit = 50


class CronsAsked(CronsQuery):
    """Which cron tickers are returned."""

    limit: Limit = 50


class FunctionsAsked(FunctionsQuery):
    """Which functions are returned."""

    limit: Limit = 50


class AuditAsked(AuditFilters):
    """Which entries of the audit are returned."""

    limit: Limit = 50


class ErrorsAsked(FiguresQuery):
    """Of which window failures are returned, and of how many kinds."""

    limit: Limit = 100


class FiguresAsked(FiguresQuery):
    """Of which window figures are, and of which function."""

    function: Text = ""


class UpcomingAsked(UpcomingFilters):
    """How far an answer looks, and how much it holds."""

    limit: Annotated[int, Field(ge=1, le=2_000)] = 200


class Deleting(BaseModel):
    """Why something is deleted, and the one-time id by which that takes effect once."""

    model_config = ConfigDict(frozen=True)

    operation_id: UUID | None = None
    reason: Annotated[str, Field(max_length=LONGEST_REASON)] = ""


class InstantsAsked(BaseModel):
    """How many instants are returned."""

    model_config = ConfigDict(frozen=True)

    count: Annotated[int, Field(ge=1, le=50)] = 10
