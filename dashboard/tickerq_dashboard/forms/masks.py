"""Secrets in the payload of a form: masks that stay where they were stand for what is stored."""

from collections.abc import Mapping, Sequence
from typing import Any

from tickerq_dashboard.show.json_tree import MASKED
from tickerq_dashboard.texts import Unreadable

_MOVED = (
    f"It holds {MASKED}, which stands for a secret that pages do not show: write its value, or leave it "
    "where it was."
)


def restored(given: Any, shown: Any, stored: Any) -> Any:
    """Return a value in which each mask is what is ``stored`` there, where it is masked as it is ``shown``.

    Raises:
        Unreadable: A mask stands where none was.
    """
    if given == MASKED:
        if shown != MASKED:
            raise Unreadable(_MOVED)
        return stored
    if isinstance(given, Mapping):
        return {key: restored(each, _part(shown, key), _part(stored, key)) for key, each in given.items()}
    if isinstance(given, Sequence) and not isinstance(given, str):
        return [restored(each, _part(shown, at), _part(stored, at)) for at, each in enumerate(given)]
    return given


def _part(value: Any, key: str | int) -> Any:
    if isinstance(value, Mapping):
        return value.get(key)
    if isinstance(value, list | tuple) and isinstance(key, int) and key < len(value):
        return value[key]
    return None
