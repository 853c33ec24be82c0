"""The call of a Celery task as a run keeps it: arguments and options as JSON."""

import json
from dataclasses import dataclass, field
from typing import Any

from tickerq_celery.errors import UnreadableRequestError
from tickerq_celery.payload.captured_message import CapturedMessage
from tickerq_celery.payload.codec import StoredRequest, value_in

_NO_CALL = "it is no call of a Celery task"


@dataclass(frozen=True, slots=True, kw_only=True)
class CeleryCall:
    """What ``apply_async`` is given; of JSON's types, as Celery's own messages are.

    One with a ``message`` was made by ``apply_async`` itself: that is published, and it has no options.
    """

    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    message: CapturedMessage | None = None

    def encoded(self) -> bytes:
        """Return the call as JSON.

        Raises:
            ValueError: A part of it is no JSON; the text names the part.
        """
        parts: dict[str, Any] = {"args": self.args, "kwargs": self.kwargs, "options": self.options}
        if self.message is not None:
            parts["message"] = self.message.as_json()
        for name, part in parts.items():
            try:
                json.dumps(part, ensure_ascii=False, allow_nan=False).encode()
            except (TypeError, ValueError, RecursionError) as error:
                raise ValueError(f"its {name} cannot be kept as JSON ({error})") from error
        return json.dumps(parts, ensure_ascii=False, allow_nan=False).encode()

    @classmethod
    def decoded(cls, data: bytes) -> "CeleryCall":
        """Return the call that ``data`` holds.

        Raises:
            UnreadableRequestError: It holds none.
        """
        parts = value_in(data)
        try:
            message = parts.get("message")
            return cls(
                args=tuple(parts["args"]),
                kwargs=parts["kwargs"],
                options=parts["options"],
                message=None if message is None else CapturedMessage.from_json(message),
            )
        except (AttributeError, KeyError, TypeError):
            raise UnreadableRequestError(_NO_CALL) from None


def call_in(request: StoredRequest) -> CeleryCall:
    """Return the call that the request of a Celery task's row holds.

    Raises:
        UnreadableRequestError: No key of this process fits, or it is damaged.
    """
    return CeleryCall.decoded(request.json or b"")


def call_parts(value: Any) -> Any:
    """Return a call as JSON without its message, whose texts repeat arguments where no mask hides them.

    Raises:
        UnreadableRequestError: It is no call.
    """
    if not isinstance(value, dict):
        raise UnreadableRequestError(_NO_CALL)
    return {name: part for name, part in value.items() if name != "message"}
