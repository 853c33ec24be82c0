"""What values hold that requests are made of: by key, by index, or by the name of a field."""

from collections import deque
from collections.abc import Hashable, Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import cast

from pydantic import BaseModel


def children_of(value: object) -> Mapping[object, object]:
    """Return what a container holds, by key, index or field name; nothing for anything else."""
    if names := _fields_of(cast("Hashable", type(value))):
        return {name: getattr(value, name) for name in names if hasattr(value, name)}
    if isinstance(value, Mapping):
        return value
    if isinstance(value, (list, tuple, deque)):
        return dict(enumerate(value))
    if isinstance(value, BaseModel):
        return cast("Mapping[object, object]", vars(value) | (value.model_extra or {}))
    return {}


@lru_cache(maxsize=1024)
def _fields_of(kind: type) -> tuple[str, ...]:
    """Return the fields of a dataclass that is no other container besides; of other types none."""
    if not is_dataclass(kind) or issubclass(kind, Mapping | list | tuple | deque | BaseModel):
        return ()
    return tuple(item.name for item in fields(kind))
