"""What a cron expression will do, before it is stored: by the code that the scheduler uses."""

from typing import Annotated

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.limits import LONGEST_EXPRESSION
from tickerq_dashboard.api.answering import answered
from tickerq_dashboard.api.fields import Answer, Moment
from tickerq_dashboard.problem_details import FieldProblem, by_field, field_problems
from tickerq_dashboard.visits import Visit

LONGEST_ZONE = 100


class CronPreview(BaseModel):
    """The expression that is looked at, and how many instants are wanted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    expression: Annotated[str, Field(min_length=1, max_length=LONGEST_EXPRESSION)]
    time_zone: Annotated[str, Field(min_length=1, max_length=LONGEST_ZONE)] = "UTC"
    day_or: bool = False
    count: Annotated[int, Field(ge=1, le=50)] = 10


class PreviewedInstant(Answer):
    """One instant, in UTC and as the zone's clocks show it; ``note`` says what a change of these did."""

    instant: Moment
    local: str
    note: str | None


class CronPreviewAnswer(Answer):
    """What an expression will do; ``errors`` say why it is not valid, ``warnings`` what to know before."""

    is_valid: bool
    words: str | None = None
    instants: tuple[PreviewedInstant, ...] = ()
    warnings: tuple[str, ...] = ()
    errors: tuple[FieldProblem, ...] = ()


def preview(visit: Visit, command: CronPreview) -> Response:
    """Return what a cron expression will do; it stores nothing."""
    crons = visit.dashboard.tickerq.cron_tickers
    try:
        found = crons.explain(
            command.expression, time_zone=command.time_zone, count=command.count, day_or=command.day_or
        )
    except TickerValidationError as error:
        return answered(CronPreviewAnswer(is_valid=False, errors=field_problems(by_field(error))))
    instants = tuple(
        PreviewedInstant(instant=each.instant, local=each.local.isoformat(), note=each.note)
        for each in found.upcoming
    )
    return answered(
        CronPreviewAnswer(
            is_valid=bool(instants),
            words=found.words,
            instants=instants,
            warnings=found.warnings,
        )
    )
