"""Calls of Celery tasks as rows keep them: checked, packed, and read back as the fields of a ticker."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from tickerq_celery.enums import TickerKind
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.payload.celery_call import CeleryCall, call_in
from tickerq_celery.payload.codec import Packed
from tickerq_celery.payload.redaction import discreet
from tickerq_celery.tickers.call import Changes, columns_meant
from tickerq_celery.tickers.celery_task import CALL_FIELDS
from tickerq_celery.tickers.inputs import CronTicker, TimeTicker
from tickerq_celery.tickers.kind_fields import OF_FUNCTIONS, refuse
from tickerq_celery.tickers.task_work import TaskWork, checked_task_work
from tickerq_celery.tickers.views import Cron, Run
from tickerq_celery.tickers.work import Work

_IN_A_MESSAGE = {"task", "queue", *CALL_FIELDS}


def task_work(storing: UnitOfWork, ticker: TimeTicker | CronTicker, *, request: Packed | None) -> Work:
    """Return what a ticker of a Celery task asks for, with its own call as the request or the one given.

    Raises:
        TickerValidationError: A field cannot be stored, the call is larger than ``payload_limit``, or the
            task is known here and cannot take its arguments.
    """
    config, namespace = storing.core.config, storing.namespace(ticker.namespace)
    # Another application's task may have the same name.
    is_own = namespace == config.namespace
    found = checked_task_work(
        _without_models(storing, ticker) if is_own else ticker,
        namespace=namespace,
        priority_queues=config.priority_queues,
        plain=storing.tasks.plain,
    )
    packed = request
    if packed is None:
        if is_own:
            _check_arguments(storing, found)
        packed = _packed(storing, found.call)
    return replace(found.work, request=packed.data, encoding=packed.encoding)


def fields_of_kind(stored: Run | Cron, *, but: Collection[str]) -> Changes:
    """Return what a stored ticker calls, with the fields of its kind but those that need not be readable."""
    if stored.kind is TickerKind.FUNCTION:
        own = {name: getattr(stored, name) for name in OF_FUNCTIONS if name not in but}
        return {"function": stored.function, **own}
    found: dict[str, Any] = {"task": stored.function, "on_lost": stored.on_lost}
    if unchanged := set(CALL_FIELDS) - set(but):
        call = call_in(stored.stored_request)
        found |= {name: getattr(call, name) for name in unchanged}
    return found


def refuse_changes_of_a_message(run: Run, changes: Changes) -> None:
    """Refuse to change what is in the message that a call was kept as, by ``durable_eta`` or an outbox.

    Raises:
        TickerValidationError: ``changes`` has such a field; it shows no value whose name may be a secret's.
    """
    fixed = _IN_A_MESSAGE & changes.keys()
    if fixed and is_message(run):
        for name in sorted(fixed):
            refuse(
                name,
                changes[name],
                "it is in the message that Celery made of the call: cancel it, and call again",
            )


def is_message(run: Run) -> bool:
    """Return True if a run publishes a message of Celery's own, kept by durable_eta or an outbox."""
    return run.kind is TickerKind.CELERY_TASK and call_in(run.stored_request).message is not None


def replaced(changes: Changes) -> Collection[str]:
    """Return the fields that changes replace: options that name a queue are about that field as well."""
    return {*changes, *(columns_meant(changes) & {"queue"})}


def _without_models(storing: UnitOfWork, ticker: TimeTicker | CronTicker) -> TimeTicker | CronTicker:
    """Return a ticker whose pydantic models are what JSON has of them, where its task takes models."""
    if not isinstance(ticker.task, str):
        return ticker
    args, kwargs = storing.tasks.dumped(ticker.task, ticker.args, ticker.kwargs)
    if args is ticker.args and kwargs is ticker.kwargs:
        return ticker
    return replace(ticker, args=args, kwargs=kwargs)


def _check_arguments(storing: UnitOfWork, found: TaskWork) -> None:
    name, call = found.work.function, found.call
    try:
        storing.tasks.check_arguments(name, call.args, call.kwargs)
    except TypeError as error:
        reason = f"with kwargs they do not fit {name}: {error}"
        raise TickerValidationError("args", discreet(["args"], list(call.args)), reason) from error


def _packed(storing: UnitOfWork, call: CeleryCall) -> Packed:
    encoded, limit = call.encoded(), storing.core.config.payload_limit
    if len(encoded) > limit:
        reason = f"with kwargs and options they take {len(encoded)} bytes as JSON, and the limit is {limit}"
        raise TickerValidationError("args", discreet(["args"], list(call.args)), reason)
    return storing.core.codec.pack(encoded)
