"""What a ticker of a Celery task asks for: its call, and the columns that it has in common with functions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tickerq_celery import validation
from tickerq_celery.enums import OnLost, TickerKind, TickerPriority
from tickerq_celery.errors import NoCeleryTaskError, TickerValidationError
from tickerq_celery.payload.celery_call import CeleryCall
from tickerq_celery.payload.redaction import discreet
from tickerq_celery.tickers.celery_task import checked_task
from tickerq_celery.tickers.gathering import Gathering
from tickerq_celery.tickers.inputs import CronTicker, TimeTicker
from tickerq_celery.tickers.kind_fields import refuse_fields_of_functions
from tickerq_celery.tickers.task_options import refuse_options
from tickerq_celery.tickers.work import Work, optional_description

# Returns a value as JSON's types, as the JSON of Celery's messages has it; raises what its parts raise.
PlainJson = Callable[[object], Any]
# What Celery passes by name, of JSON's types.
Keywords = dict[str, Any]
# How the errors begin that name types only.
_JSONS_OWN = ("Object of type", "keys must be", "Out of range float")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskWork:
    """The columns of a ticker of a Celery task but its request, and the call that the request is to hold."""

    work: Work
    call: CeleryCall


def checked_task_work(
    ticker: TimeTicker | CronTicker,
    *,
    namespace: str,
    priority_queues: Mapping[TickerPriority, str],
    plain: PlainJson,
) -> TaskWork:
    """Return what a ticker of a Celery task asks for.

    The options ``queue`` and ``task_id`` become columns. A priority that is given, and no queue, is that
    queue's of the setting ``priority_queues``; else Celery's router decides.

    Raises:
        TickerValidationError: Fields hold what cannot be stored, or what only functions have; it names all.
    """
    with Gathering() as check:
        name = check(checked_task, ticker.task)
        check(refuse_fields_of_functions, ticker)
        description = check(optional_description, ticker.description)
        given = TickerPriority.NORMAL if ticker.priority is None else ticker.priority
        priority = check(validation.member, "priority", given, TickerPriority)
        tags = check(validation.tags, ticker.tags)
        on_lost = check(_on_lost, ticker.on_lost)
        args = check(_args, ticker.args, plain)
        kwargs = check(_named, "kwargs", ticker.kwargs, plain)
        options = check(_options, ticker.options, plain)
        queue = check(_queue, ticker.queue, _option(ticker.options, "queue"))
        task_id = check(_task_id, _option(ticker.options, "task_id"))
    if queue is None and ticker.priority is not None:
        queue = priority_queues.get(priority)
    work = Work(
        namespace=namespace,
        function=name,
        kind=TickerKind.CELERY_TASK,
        description=description,
        task_id=task_id,
        on_lost=on_lost,
        priority=priority,
        queue=queue,
        tags=tuple(tags),
    )
    return TaskWork(work=work, call=CeleryCall(args=args, kwargs=kwargs, options=options))


def _on_lost(given: object) -> OnLost:
    return OnLost.FAIL if given is None else validation.member("on_lost", given, OnLost)


def _args(given: object, plain: PlainJson) -> tuple[Any, ...]:
    if not isinstance(given, list | tuple):
        raise TickerValidationError("args", discreet(["args"], given), "pass a list or a tuple")
    with Gathering() as check:
        return tuple([check(_plain, f"args[{number}]", each, plain) for number, each in enumerate(given)])


def _named(field: str, given: object, plain: PlainJson) -> Keywords:
    """Return what is passed by name, as JSON."""
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise TickerValidationError(field, discreet([field], given), "pass a dict whose keys are str")
    with Gathering() as check:
        return {name: check(_plain, f"{field}.{name}", each, plain) for name, each in given.items()}


def _options(given: object, plain: PlainJson) -> Keywords:
    if isinstance(given, Mapping):
        with Gathering() as check:
            check(refuse_options, given)
            if given.get("headers") is not None:
                check(_named, "options.headers", given["headers"], plain)
        given = {name: each for name, each in given.items() if name not in ("queue", "task_id")}
    return _named("options", given, plain)


def _option(options: object, name: str) -> object:
    return options.get(name) if isinstance(options, Mapping) else None


def _queue(of_ticker: object, of_options: object) -> str | None:
    if of_ticker is not None and of_options is not None and of_ticker != of_options:
        raise TickerValidationError("queue", of_ticker, f"its options name another, {of_options!r}")
    given = of_options if of_ticker is None else of_ticker
    return None if given is None else validation.name("queue", given, validation.LONGEST_QUEUE)


def _task_id(given: object) -> str | None:
    return None if given is None else validation.name("options.task_id", given, validation.LONGEST_TASK_ID)


def _plain(field: str, value: object, plain: PlainJson) -> Any:
    try:
        return plain(value)
    # A value's own __json__ may raise anything.
    except Exception as error:
        raise TickerValidationError(field, discreet(field.split("."), value), _unkept(error)) from error


def _unkept(error: Exception) -> str:
    """Return why a value is not kept, without the text of an error that may repeat it."""
    text = str(error)
    is_harmless = isinstance(error, NoCeleryTaskError) or text.startswith(_JSONS_OWN)
    shown = text if is_harmless else type(error).__name__
    return f"Celery's JSON does not keep it: {shown}"
