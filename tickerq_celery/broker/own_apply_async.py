"""Call a task by its own ``apply_async``, which may send nothing: libraries hold locks there."""

from collections.abc import Mapping
from typing import Any

from celery import Task
from kombu import Producer

from tickerq_celery.payload.celery_call import CeleryCall
from tickerq_celery.tickers.handover import NotSentError
from tickerq_celery.wording import cause_of


def call_task(task: Any, call: CeleryCall, producer: Producer, options: Mapping[str, Any]) -> None:
    """Call a task with options, one of which is the id of its message.

    Raises:
        NotSentError: It sent nothing.
    """
    try:
        result = task.apply_async(call.args, call.kwargs, producer=producer, **options)
    except Exception as error:
        if _refuses(task, error):
            raise NotSentError(cause_of(error), error) from error
        raise
    sent = getattr(result, "id", None)
    if sent != options["task_id"]:
        equal = "" if sent is None else f" but the result of {sent}"
        raise NotSentError(f"the task's own apply_async sent no message{equal}")


def _refuses(task: Any, error: Exception) -> bool:
    """Return True if it is an error of the class's own package that overrides ``apply_async``.

    A router, a queue that is missing, or a store of locks that is down may be put right.
    """
    own = next(each for each in type(task).__mro__ if "apply_async" in vars(each))
    return own is not Task and _package(own) == _package(type(error))


def _package(kind: type) -> str:
    return kind.__module__.partition(".")[0]
