"""Whether a payload fits what a function takes, before anything is stored."""

from typing import Annotated, Any

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.limits import LONGEST_FUNCTION
from tickerq_dashboard.api.answering import answered
from tickerq_dashboard.api.fields import Answer, Word
from tickerq_dashboard.problem_details import FieldProblem, RefusedError, by_field, field_problems
from tickerq_dashboard.reading.named import named
from tickerq_dashboard.visits import Visit


class PayloadCheck(BaseModel):
    """A function, and what it would be given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    function: Annotated[str, Field(min_length=1, max_length=LONGEST_FUNCTION)]
    payload: Any = None


class PayloadCheckAnswer(Answer):
    """Whether the payload fits; null where only a worker that has the function can tell.

    ``checked_by`` is what one that is not refused was checked by: ``function`` where the dashboard has it,
    ``schema`` of what its workers registered, ``nothing`` where there is none, ``unusable`` where there is.
    """

    is_valid: bool | None
    checked_by: Word | None = None
    errors: tuple[FieldProblem, ...] = ()


def check(visit: Visit, command: PayloadCheck) -> Response:
    """Return whether a payload fits what a function takes; it stores nothing."""
    problem = named(visit.dashboard.reader, command.function, is_task=False).problem
    if problem is not None:
        said = "A field has a value that means nothing."
        raise RefusedError(422, "Not checked", said, {"function": problem})
    try:
        checked_by = visit.dashboard.tickerq.functions.check_request(command.function, command.payload)
    except TickerValidationError as error:
        return answered(PayloadCheckAnswer(is_valid=False, errors=field_problems(by_field(error))))
    is_valid = True if checked_by.is_checked else None
    return answered(PayloadCheckAnswer(is_valid=is_valid, checked_by=checked_by))
