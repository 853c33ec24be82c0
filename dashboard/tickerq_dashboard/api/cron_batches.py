"""Several cron tickers at once: paused, resumed, run and deleted by programs."""

from typing import Annotated, Any, Self
from uuid import UUID

from flask import Response
from pydantic import Field, model_validator

from tickerq_celery import Run
from tickerq_celery.typing import Managers
from tickerq_celery.views import CronBatch
from tickerq_dashboard.api.acting import Doing, done
from tickerq_dashboard.api.answering import answered, may_see
from tickerq_dashboard.api.cron_answers import CronItem
from tickerq_dashboard.api.fields import Answer, all_of
from tickerq_dashboard.api.run_answers import RunAnswer
from tickerq_dashboard.commands.command import LONGEST_REASON, LONGEST_VERSION, Once
from tickerq_dashboard.show.crons_ticked import CRONS_BY_ACTION
from tickerq_dashboard.visits import Visit

MOST_CRONS = 1_000


class CronsCommand(Once):
    """Which cron tickers are meant, in which versions they were seen, and why.

    One that ``expected`` does not name is changed unseen; where one has changed since, none is.
    """

    ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=MOST_CRONS)]
    expected: dict[UUID, Annotated[str, Field(max_length=LONGEST_VERSION)]] = Field(default_factory=dict)
    reason: Annotated[str, Field(max_length=LONGEST_REASON)] | None = None

    @model_validator(mode="after")
    def _check_expected(self) -> Self:
        if not self.expected.keys() <= set(self.ids):
            raise ValueError("expected names one that is not among the ids")
        return self

    @property
    def arguments(self) -> dict[str, Any]:
        """What the core's verb is given besides the ids."""
        return self.model_dump(exclude={"operation_id", "ids"})


class ResumeCrons(CronsCommand):
    """How they go on: ``missed`` lets misfire policies decide on what passed in the pause."""

    missed: bool = False


class CronSkipAnswer(Answer):
    """A cron ticker that was left as it is, and why."""

    id: UUID
    reason: str


class CronBatchAnswer(Answer):
    """The cron tickers that were changed, as they now are, and those that were skipped."""

    changed: tuple[CronItem, ...]
    skipped: tuple[CronSkipAnswer, ...]


class StartedRuns(Answer):
    """The runs that were started."""

    items: tuple[RunAnswer, ...]


class DeletedAnswer(Answer):
    """How many were there to be deleted."""

    deleted: int


def pause(visit: Visit, command: CronsCommand) -> Response:
    """Pause cron tickers; those that are paused, or are not there, are skipped."""
    return _changed(visit, "pause", command)


def resume(visit: Visit, command: ResumeCrons) -> Response:
    """Resume cron tickers; those that are not paused, or are not there, are skipped."""
    return _changed(visit, "resume", command)


def run_now(visit: Visit, command: CronsCommand) -> Response:
    """Run cron tickers once each, beside their schedules; returns the runs of those that are there."""

    def verb(managers: Managers) -> list[Run]:
        return managers.cron_tickers.run_now_batch(command.ids, **command.arguments)

    runs: list[Run] = done(visit, _doing("run_now"), command.operation_id, verb)
    return answered(StartedRuns(items=tuple(RunAnswer.whole(each, may_see=may_see(visit)) for each in runs)))


def delete(visit: Visit, command: CronsCommand) -> Response:
    """Delete cron tickers with their occurrences."""

    def verb(managers: Managers) -> int:
        return managers.cron_tickers.delete_batch(command.ids, **command.arguments)

    return answered(DeletedAnswer(deleted=done(visit, _doing("delete"), command.operation_id, verb)))


def _changed(visit: Visit, action: str, command: CronsCommand) -> Response:
    def verb(managers: Managers) -> CronBatch:
        found: CronBatch = getattr(managers.cron_tickers, f"{action}_batch")(command.ids, **command.arguments)
        return found

    batch: CronBatch = done(visit, _doing(action), command.operation_id, verb)
    return answered(
        CronBatchAnswer(
            changed=all_of(CronItem, batch.changed), skipped=all_of(CronSkipAnswer, batch.skipped)
        )
    )


def _doing(action: str) -> Doing:
    return Doing(undone=CRONS_BY_ACTION[action].undone, noun="list of cron tickers")
