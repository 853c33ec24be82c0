"""Whether a payload fits what a function takes, before anything is stored."""

from typing import Annotated, Any

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.limits import LONGEST_FUNCTION
from tickerq_dashboard.api.answering import answered
from tickerq_dashboard.api.fields import Answer
from tickerq_dashboard.problem_details import FieldProblem, RefusedError, by_field, field_problems
from tickerq_dashboard.reading.named import named
from tickerq_dashboard.visits import Visit


class PayloadCheck(BaseModel):
    """A function, and what it would be given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    function: Annotated[str, Field(min_length=1, max_length=LONGEST_FUNCTION)]
    payload: Any = None


class PayloadCheckAnswer(Answer):
    """Whether the payload fits; null where only a worker that has the function can tell."""

    is_valid: bool | None
    errors: tuple[FieldProblem, ...] = ()


def check(visit: Visit, command: PayloadCheck) -> Response:
    """Return whether a payload fits what a function takes; it stores nothing."""
    problem = named(visit.dashboard.reader, command.function, is_task=False).problem
    if problem is not None:
        said = "A field has a value that means nothing."
        raise RefusedError(422, "Not checked", said, {"function": problem})
    try:
        is_known = visit.dashboard.tickerq.functions.check_request(command.function, command.payload)
    except TickerValidationError as error:
        return answered(PayloadCheckAnswer(is_valid=False, errors=field_problems(by_field(error))))
    return answered(PayloadCheckAnswer(is_valid=True if is_known else None))
