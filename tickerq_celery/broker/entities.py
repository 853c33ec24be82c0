"""Kombu's queues and exchanges as JSON, and back."""

from typing import Any

from kombu import Exchange, Queue
from kombu.entity import binding

_QUEUE, _EXCHANGE = "queue", "exchange"


class NotAnEntityError(ValueError):
    """What a message is to declare is neither a queue nor an exchange."""


def entity_as_json(entity: object) -> Any:
    """Return an entity by its attributes; the name of one stands for itself.

    Raises:
        NotAnEntityError: It is something else.
    """
    if entity is None or isinstance(entity, str):
        return entity
    if isinstance(entity, Queue):
        return {_QUEUE: entity.as_dict(recurse=True)}
    if isinstance(entity, Exchange):
        return {_EXCHANGE: entity.as_dict(recurse=True)}
    raise NotAnEntityError(f"are neither queues nor exchanges ({type(entity).__name__})")


def entity_from_json(kept: Any) -> Any:
    """Return the entity, or the name, that ``entity_as_json`` was given."""
    if kept is None or isinstance(kept, str):
        return kept
    if _EXCHANGE in kept:
        return Exchange(**kept[_EXCHANGE])
    attributes = dict(kept[_QUEUE])
    bindings = [_binding(each) for each in attributes.pop("bindings", None) or ()]
    return Queue(**attributes | {"exchange": _exchange(attributes["exchange"])}, bindings=bindings)


def _binding(attributes: dict[str, Any]) -> Any:
    return binding(**attributes | {"exchange": _exchange(attributes["exchange"])})


def _exchange(attributes: dict[str, Any] | None) -> Exchange | None:
    return None if attributes is None else Exchange(**attributes)
