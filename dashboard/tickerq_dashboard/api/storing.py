"""Schedule and change runs and cron tickers, pause and resume, as forms do and by the same commands."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from flask import Response

from tickerq_celery import Cron, Run
from tickerq_celery.errors import TickerNotFoundError
from tickerq_celery.typing import Managers
from tickerq_dashboard.api.acting import Doing, done, shown
from tickerq_dashboard.api.answering import answered
from tickerq_dashboard.api.cron_answers import BackfillAnswer
from tickerq_dashboard.api.pause_answers import PauseAnswer
from tickerq_dashboard.api.preconditions import seen_version
from tickerq_dashboard.commands.crons import Backfill, CronEdit, NewCron
from tickerq_dashboard.commands.pauses import PauseScope, ResumeScope
from tickerq_dashboard.commands.time_tickers import NewTimeTicker, TimeTickerCopy, TimeTickerEdit
from tickerq_dashboard.commands.work import ARGUMENTS, Work
from tickerq_dashboard.payload_rights import check_payload
from tickerq_dashboard.problem_details import RefusedError
from tickerq_dashboard.reading.named import unknown_in
from tickerq_dashboard.rendering import url_for
from tickerq_dashboard.show.json_tree import MASKED
from tickerq_dashboard.show.words import scope_words
from tickerq_dashboard.visits import Visit

_SCHEDULED = Doing(undone="Not scheduled", noun="run")
_RUN_CHANGED = Doing(undone="Not changed", noun="run")
_STORED = Doing(undone="Not stored", noun="cron ticker")
_CRON_CHANGED = Doing(undone="Not changed", noun="cron ticker")
_BACKFILLED = Doing(undone="Not backfilled", noun="cron ticker")
_MASKS = f"It holds {MASKED}, which stands for a secret that is not shown: send its value, or leave it out."


def create_run(visit: Visit, command: NewTimeTicker) -> Response:
    """Schedule a time ticker, with the chain below it."""
    check(visit, command, "time_tickers.add", _SCHEDULED)
    return _created(visit, done(visit, _SCHEDULED, command.operation_id, command.apply))


def clone_run(visit: Visit, command: TimeTickerCopy, run_id: UUID) -> Response:
    """Schedule a copy of a run: what is said differs."""
    check(visit, command, "time_tickers.clone", _SCHEDULED)
    apply = partial(command.apply, run_id=run_id)
    return _created(visit, done(visit, _SCHEDULED, command.operation_id, apply))


def edit_run(visit: Visit, command: TimeTickerEdit, run_id: UUID) -> Response:
    """Change a time ticker that waits: the fields that are said, and no others."""
    check(visit, command, "time_tickers.update", _RUN_CHANGED)
    seen = command.model_copy(update={"expected": seen_version(command.expected, is_needed=True)})
    apply = partial(seen.apply, run_id=run_id)
    return shown(visit, done(visit, _RUN_CHANGED, command.operation_id, apply))


def create_cron(visit: Visit, command: NewCron) -> Response:
    """Store a cron ticker."""
    check(visit, command, "cron_tickers.add", _STORED)
    return _created(visit, done(visit, _STORED, command.operation_id, command.apply))


def edit_cron(visit: Visit, command: CronEdit, cron_id: UUID) -> Response:
    """Change a cron ticker: the fields that are said, and no others."""
    check(visit, command, "cron_tickers.update", _CRON_CHANGED)
    seen = command.model_copy(update={"expected": seen_version(command.expected, is_needed=True)})
    apply = partial(seen.apply, cron_id=cron_id)
    return shown(visit, done(visit, _CRON_CHANGED, command.operation_id, apply))


def backfill_cron(visit: Visit, command: Backfill, cron_id: UUID) -> Response:
    """Store the occurrences that the instants of a span of the past lack."""
    seen = command.model_copy(update={"expected": seen_version(command.expected, is_needed=False)})
    apply = partial(seen.apply, cron_id=cron_id)
    runs = done(visit, _BACKFILLED, command.operation_id, apply)
    return answered(BackfillAnswer(run_ids=tuple(each.id for each in runs)))


def pause(visit: Visit, command: PauseScope) -> Response:
    """Pause a function, a tag or everything."""
    return _paused(visit, command, command.apply, "Not paused")


def resume(visit: Visit, command: ResumeScope) -> Response:
    """Resume a function, a tag or everything."""
    return _paused(visit, command, command.apply, "Not resumed")


def check(visit: Visit, command: Work, action: str, doing: Doing) -> None:
    """Let a command through whose names are known, and whose payload may be sent and is none of masks.

    Raises:
        ForbiddenError: It has a payload, and the visitor may not edit payloads.
        RefusedError: 422 with the fields that are refused.
    """
    check_payload(visit, command, action)
    errors = {**dict(unknown_in(visit.dashboard.reader, command)), **dict(_masked(command))}
    if errors:
        raise RefusedError(422, doing.undone, "A field has a value that cannot be stored.", errors)


def _masked(work: Work, path: str = "") -> Sequence[tuple[str, str]]:
    """Return the payload fields that hold a mask: stored, it would take the place of the secret."""
    found = [
        (f"{path}{name}", _MASKS) for name in ("request", *ARGUMENTS) if _holds_mask(getattr(work, name))
    ]
    for at, child in enumerate(getattr(work, "children", ())):
        found += _masked(child, f"{path}children.{at}.")
    return found


def _holds_mask(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_mask, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_holds_mask, value))
    return bool(value == MASKED)


def _created(visit: Visit, thing: Run | Cron) -> Response:
    if isinstance(thing, Run):
        return shown(visit, thing, status=201, location=url_for(".api_run", run_id=thing.id))
    return shown(visit, thing, status=201, location=url_for(".api_cron", cron_id=thing.id))


def _paused(
    visit: Visit, command: PauseScope | ResumeScope, apply: Callable[[Managers], object], undone: str
) -> Response:
    doing = Doing(undone=undone, noun="pause")
    try:
        found = done(visit, doing, command.operation_id, apply)
    except RefusedError as error:
        if isinstance(error.__cause__, TickerNotFoundError):
            said = f"{undone}: {scope_words(command.kind, command.name)} is not paused."
            raise RefusedError(409, undone, said) from error
        raise
    return answered(PauseAnswer.model_validate(found))
