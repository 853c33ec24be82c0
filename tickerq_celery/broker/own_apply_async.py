"""Call a task by its own ``apply_async``, which may send nothing: libraries hold locks there."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from celery import Task
from kombu import Producer

from tickerq_celery.broker.run_messages import RoutingError
from tickerq_celery.payload.celery_call import CeleryCall
from tickerq_celery.tickers.handover import UnsentCallError
from tickerq_celery.wording import cause_of


def call_task(task: Any, call: CeleryCall, producer: Producer, options: Mapping[str, Any]) -> None:
    """Call a task with options, one of which is the id of its message.

    Raises:
        UnsentCallError: The task's class sent nothing, by an error of its own or without one.
        RoutingError: Something else hindered the class's ``apply_async`` before the broker was asked.
        Exception: What Celery or the broker's client raised.
    """
    with _noting(producer) as published:
        try:
            result = task.apply_async(call.args, call.kwargs, producer=producer, **options)
        except Exception as error:  # whatever a class of the user raises
            own = _class_with_apply_async(task)
            if published or own is Task:
                raise
            # Its own package's error is a refusal; a store of locks that is down may be put right.
            if _package(own) == _package(type(error)):
                raise UnsentCallError(cause_of(error), error) from error
            raise RoutingError(error) from error
    sent = getattr(result, "id", None)
    # Who returns another result, or none, may have sent the message; who returns this one has.
    if not published and sent != options["task_id"]:
        equal = "" if sent is None else f" but the result of {sent}"
        raise UnsentCallError(f"the task's own apply_async sent no message{equal}")


@contextmanager
def _noting(producer: Any) -> Iterator[list[object]]:
    """Give a list that has an item for each message that a producer is asked to publish."""
    published: list[object] = []
    publish = producer.publish

    def noted(body: object, *args: Any, **options: Any) -> Any:
        published.append(body)
        return publish(body, *args, **options)

    producer.publish = noted
    try:
        yield published
    finally:
        del producer.publish


def _class_with_apply_async(task: Any) -> type:
    return next(each for each in type(task).__mro__ if "apply_async" in vars(each))


def _package(kind: type) -> str:
    return kind.__module__.partition(".")[0]
