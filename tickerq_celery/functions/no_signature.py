"""What Celery's canvas asks of its parts, refused in words: neither a function nor a call of it is a task."""

from typing import NoReturn

from tickerq_celery.errors import NoCeleryTaskError

_NO_CANVAS = (
    "neither a canvas nor link= can hold it or a call of it: what follows it, or a Celery task, is in the "
    "ticker's children, TimeTicker(…, children=[TimeTicker(…)]), and several at once are "
    "time_tickers.add_batch([…])"
)
# What the canvas asks of what is put into it, a signature, which is a dict; and its verbs of tasks.
_OF_CANVAS = frozenset(
    {"AsyncResult", "app", "args", "chunks", "clone", "freeze", "get", "items", "keys", "kwargs", "link"}
    | {"link_error", "map", "on_error", "options", "set", "starmap", "task", "update"}
)


def no_canvas(function: str) -> NoCeleryTaskError:
    """Return the error that refuses a function, or a call of it, as a part of a canvas."""
    return NoCeleryTaskError(function, None, _NO_CANVAS)


def refuse_attribute(of: object, function: str, name: str, instead: str | None) -> NoReturn:
    """Refuse an attribute that a function, or a call of it, does not have.

    Raises:
        NoCeleryTaskError: With what to do ``instead`` of that of a task; an AttributeError, as for any other.
    """
    if instead is not None:
        raise NoCeleryTaskError(function, name, instead)
    if name in _OF_CANVAS:
        raise no_canvas(function)
    raise AttributeError(f"{type(of).__name__!r} object has no attribute {name!r}", name=name, obj=of)


class NoSignature:
    """Refuses what the canvas does to its parts beside asking for their attributes."""

    def _refusal(self) -> Exception:
        raise NotImplementedError

    def __or__(self, other: object) -> NoReturn:
        raise self._refusal()

    def __ror__(self, other: object) -> NoReturn:
        raise self._refusal()

    def __getitem__(self, key: object) -> NoReturn:
        raise self._refusal()

    def __json__(self) -> NoReturn:
        raise self._refusal()
