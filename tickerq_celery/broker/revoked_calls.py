"""Tell Celery's result backend of a revoked call as the worker would that gets its message."""

from typing import Any

from celery import Celery
from celery.app.task import Context

from tickerq_celery.broker.message_replay import embed_of, with_task_id
from tickerq_celery.broker.plain_json import revived, revived_call
from tickerq_celery.payload.celery_call import CeleryCall
from tickerq_celery.payload.codec import RequestCodec
from tickerq_celery.tickers.durable_calls import Revocation

_REASON = "revoked"


class RevokedCalls:
    """Writes REVOKED to the result backend of an app's tasks, which ends their chords."""

    def __init__(self, app: Celery, codec: RequestCodec) -> None:
        self._app = app
        self._codec = codec

    def announce(self, revocation: Revocation) -> None:
        """Write one revocation; without a result backend this does nothing.

        The errbacks of a chord's body that take the exception run here, as they would in the worker.

        Raises:
            Exception: What the backend raised, or the broker for what is published, or no key fits.
        """
        # Of this thread: errbacks may ask for it.
        self._app.set_current()
        call = CeleryCall.decoded(self._codec.unpack(revocation.call) or b"")
        request: Any = Context(_request(call, revocation))
        task: Any = self._app.tasks.get(revocation.task)
        backend: Any = self._app.backend if task is None else task.backend
        backend.mark_as_revoked(
            revocation.task_id, _REASON, request=request, store_result=self._is_stored(request, task)
        )

    def _is_stored(self, request: Any, task: Any) -> bool:
        """Return whether its result is kept, as celery.worker.request decides it."""
        conf, ignores, though_ignored = self._app.conf, request.ignore_result, None
        if task is not None:
            though_ignored = task.store_errors_even_if_ignored
        if ignores is None:
            ignores = conf.task_ignore_result if task is None else task.ignore_result
        if though_ignored is None:
            though_ignored = conf.task_store_errors_even_if_ignored
        return bool(not ignores or though_ignored)


def _request(call: CeleryCall, revocation: Revocation) -> dict[str, Any]:
    """Return the request of a call's message, which celery.worker.request makes of it."""
    message, task_id = call.message, revocation.task_id
    if message is None:
        # One of ``schedule``: beat would have made its message.
        ignores = revived_call(call).options.get("ignore_result")
        return {"id": task_id, "task": revocation.task, "ignore_result": ignores}
    args, kwargs, embed = revived([call.args, call.kwargs, embed_of(message, task_id)])
    properties = with_task_id(message, message.properties, task_id)
    return {
        "ignore_result": None,
        **with_task_id(message, message.headers, task_id),
        "properties": properties,
        "reply_to": properties.get("reply_to"),
        "correlation_id": properties.get("correlation_id"),
        "delivery_info": {"routing_key": message.routing_key},
        "args": args,
        "kwargs": kwargs,
        **embed,
    }
