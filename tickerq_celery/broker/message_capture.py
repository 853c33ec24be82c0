"""A producer that keeps what Celery publishes through it, in place of handing it to a broker."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from celery import Celery
from kombu import Connection, compression, serialization
from kombu.utils import json as kombu_json

from tickerq_celery.broker.direct_call import Direct, NotKeepableError, NotStoredError
from tickerq_celery.broker.entities import NotAnEntityError, entity_as_json
from tickerq_celery.broker.plain_json import body_as_encoded, is_json, revived
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.payload.captured_message import CapturedMessage
from tickerq_celery.payload.celery_call import CeleryCall

# How a message is handed over, and no part of it.
_HANDING_OVER = ("retry", "retry_policy", "timeout", "confirm_timeout")


class CapturingProducer:
    """What ``app.send_task`` uses of a kombu Producer; ``keep`` is given the message that it publishes.

    One that cannot be kept goes to the broker, by ``direct``.

    It connects to the broker only for a result backend that declares a queue for its replies, as ``rpc://``.
    """

    serializer: str | None = None

    def __init__(
        self, app: Celery, keep: Callable[[CeleryCall], None], direct: Direct, now: datetime
    ) -> None:
        self._app = app
        self._keep = keep
        self._direct = direct
        self._now = now
        self._is_kept: bool | None = None

    @cached_property
    def connection(self) -> Connection:
        """A connection that is opened by its first use."""
        return self._app.connection_for_write()

    @property
    def channel(self) -> Any:
        """A channel on the broker."""
        return self.connection.default_channel

    def revive(self, channel: object) -> None:
        """Do nothing: there is no channel to replace."""

    def close(self) -> None:
        """Release the connection, if there is one."""
        if "connection" in vars(self):
            self.connection.release()

    def publish(self, body: Any, **options: Any) -> None:
        """Keep a message, or hand it to the broker where it cannot be kept.

        What follows it, the event ``task-sent``, is left to its publication.

        Raises:
            NotSentError: It can neither be kept nor be sent like this.
            EncodeError: Celery's own: the task's serializer cannot encode it.
        """
        if self._is_kept is None:
            self._is_kept = self._is_taken(body, options)
        if not self._is_kept:
            self._direct.publish(body, options)

    def _is_taken(self, body: Any, options: Mapping[str, Any]) -> bool:
        try:
            self._keep(captured(body, options, self._now))
        except (NotKeepableError, NotStoredError, TickerValidationError) as error:
            self._direct.leave(error)
            return False
        return True


def captured(body: Any, options: Mapping[str, Any], now: datetime) -> CeleryCall:
    """Return a message that Celery publishes at ``now``; ``options`` are kombu's ``Producer.publish``'s.

    Raises:
        NotKeepableError: It is no JSON.
        EncodeError: The task's serializer cannot encode its body.
    """
    if not isinstance(body, tuple):
        raise NotKeepableError("body", "is one of task_protocol 1, which has no headers")
    left = {name: value for name, value in options.items() if name not in _HANDING_OVER}
    serializer, compressor = left.pop("serializer"), left.pop("compression")
    if "content_type" in left:
        raise NotKeepableError("body", "was encoded by the caller")
    if compressor is not None:
        # As when it is published: a name that is none is an error of the call.
        compression.get_encoder(compressor)
    args, kwargs, embed = _kept_body(body, serializer)
    try:
        exchange = entity_as_json(left.pop("exchange"))
        declare = [entity_as_json(each) for each in left.pop("declare") or ()]
    except NotAnEntityError as error:
        raise NotKeepableError("declarations", str(error)) from error
    message = CapturedMessage(
        embed=embed,
        exchange=_kept("exchange", exchange),
        declare=_kept("queues", declare),
        routing_key=left.pop("routing_key"),
        serializer=serializer,
        compression=compressor,
        delivery_mode=left.pop("delivery_mode"),
        expiration=left.pop("expiration", None),
        headers=_kept("headers", left.pop("headers")),
        properties=_kept("properties", left),
        captured_at=now.isoformat(),
    )
    return CeleryCall(args=tuple(args), kwargs=kwargs, message=message)


def _kept_body(body: tuple[Any, ...], serializer: str) -> list[Any]:
    """Return arguments, keywords and the rest of a body as JSON.

    What another serializer than JSON sends must be the same after it was kept.
    """
    _, _, data = serialization.dumps(body, serializer)
    if is_json(serializer):
        plain: list[Any] = json.loads(data)
        return plain
    plain = _plain("arguments", body)
    again = body_as_encoded(*plain, serializer=serializer)
    given = (tuple(body[0]), *body[1:])
    if serialization.dumps(again, serializer)[2] != data and not _is_same(again, given):
        raise NotKeepableError("arguments", f"are no JSON, and its serializer is {serializer}")
    return plain


def _kept(name: str, value: Any) -> Any:
    """Return a part of a message as JSON; to brokers a tuple is a list."""
    plain = _plain(name, value)
    if not _is_same(revived(plain), _with_lists(value)):
        raise NotKeepableError(name, "are not the same as JSON")
    return plain


def _plain(name: str, value: Any) -> Any:
    try:
        return json.loads(kombu_json.dumps(value))
    except (TypeError, ValueError, RecursionError) as error:
        raise NotKeepableError(name, f"are no JSON ({error})") from error


def _with_lists(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_with_lists(each) for each in value]
    if isinstance(value, Mapping):
        return {name: _with_lists(each) for name, each in value.items()}
    return value


def _is_same(kept: Any, given: Any) -> bool:
    """Return True if two values are equal down to the types of their parts."""
    if type(kept) is not type(given):
        return False
    if isinstance(kept, dict):
        return kept.keys() == given.keys() and all(_is_same(kept[key], given[key]) for key in kept)
    if isinstance(kept, list | tuple):
        return len(kept) == len(given) and all(map(_is_same, kept, given))
    return bool(kept == given)
