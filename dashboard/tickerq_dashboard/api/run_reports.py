"""What is kept of a run beside itself, as JSON: attempts, log, payload, and why it waits."""

from typing import Self
from uuid import UUID

from tickerq_celery import Run
from tickerq_celery.views import RunExplanation
from tickerq_dashboard.api.fields import Answer, Json, Moment, Status, Word, all_of


class AttemptAnswer(Answer):
    """One execution of a run; the text of its error is null for those who may not see payloads."""

    number: int
    retries: int
    status: Status
    started_at: Moment | None
    ended_at: Moment
    exception_type: str | None
    exception_message: str | None
    traceback: str | None
    node: str | None


class AttemptList(Answer):
    """All attempts of a run, the first one first."""

    items: tuple[AttemptAnswer, ...]

    @classmethod
    def seen(cls, run: Run, *, may_see: bool) -> Self:
        """Return them as one sees them who may see payloads, or may not."""
        hidden = {} if may_see else {"exception_message": None, "traceback": None}
        return cls(
            items=tuple(each.model_copy(update=hidden) for each in all_of(AttemptAnswer, run.attempts))
        )


class LogLineAnswer(Answer):
    """A line that a function logged; ``attempt`` counts from 0."""

    attempt: int
    at: Moment
    level: str
    message: str


class LogAnswer(Answer):
    """What a run logged, the first line first."""

    items: tuple[LogLineAnswer, ...]


class PayloadAnswer(Answer):
    """What a run is given, secrets masked; integers beyond 2^53 are texts.

    Of the call of a Celery task it has ``args``, ``kwargs`` and ``options``. ``problem`` says why it is not
    readable. ``is_valid`` says whether it fits what the function takes, null where this process cannot say;
    ``misfits`` are the fields that do not.
    """

    payload: Json
    problem: str | None = None
    is_valid: bool | None = None
    misfits: tuple[str, ...] = ()


class ResultAnswer(Answer):
    """What a run returned, secrets masked; integers beyond 2^53 are texts.

    ``is_kept`` says whether it is: that is so for the children of a run, once it has ended well. ``problem``
    says why they can be given none of it.
    """

    is_kept: bool
    result: Json
    problem: str | None = None


class WaitAnswer(Answer):
    """One thing that a run waits for; ``error_head`` is null for those who may not see payloads."""

    cause: Word
    text: str
    until: Moment | None
    remedy: str | None
    error_head: str | None


class ExplanationAnswer(Answer):
    """Why a run does not run; ``misfits`` are null where they are unknown, or one may not see payloads."""

    run_id: UUID
    function: str
    status: Status
    at: Moment
    origin: Word
    summary: str
    detail: str | None
    waits: tuple[WaitAnswer, ...]
    remedy: str | None
    retry_waits: tuple[WaitAnswer, ...]
    needs_other_request: bool
    misfits: tuple[str, ...] | None

    @classmethod
    def seen(cls, explanation: RunExplanation, *, may_see: bool) -> Self:
        """Return it as one sees it who may see payloads, or may not."""
        found = cls.model_validate(explanation)
        if may_see:
            return found
        waits = tuple(each.model_copy(update={"error_head": None}) for each in found.waits)
        # The detail of a failure repeats what its exception said.
        return found.model_copy(update={"detail": None, "waits": waits, "misfits": None})
