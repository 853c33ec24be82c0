"""A message of Celery as it was about to be published, kept until it is due."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedMessage:
    """What Celery hands to the broker beside the arguments; of JSON's types.

    ``embed`` is the last part of the body: callbacks, errbacks, chain and chord. ``exchange`` and ``declare``
    hold kombu's entities by their attributes, ``properties`` whatever else ``Producer.publish`` is given.
    """

    embed: dict[str, Any]
    headers: dict[str, Any]
    properties: dict[str, Any]
    exchange: Any
    routing_key: str | None
    declare: list[Any]
    serializer: str
    compression: str | None
    delivery_mode: Any
    expiration: float | None
    captured_at: str

    @property
    def queue(self) -> str | None:
        """The queue that it is for, or None where the broker decides by an exchange."""
        if not self.exchange:
            return self.routing_key
        queues = [each["queue"]["name"] for each in self.declare if "queue" in each]
        return queues[0] if len(queues) == 1 else None

    def expiration_at(self, now: datetime) -> float | None:
        """Return for how many seconds from ``now`` the broker may keep the message; None is no limit.

        None also where they have passed: a broker would drop it unseen, a worker revokes it by its header.
        """
        if self.expiration is None:
            return None
        passed = (now - datetime.fromisoformat(self.captured_at)).total_seconds()
        left = self.expiration - max(0.0, passed)
        # In messages it is a whole number of milliseconds.
        return left if left >= 0.001 else None

    def as_json(self) -> dict[str, Any]:
        """Return the message as one JSON object."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def from_json(cls, parts: Mapping[str, Any]) -> Self:
        """Return the message that ``as_json`` gave."""
        return cls(**parts)
