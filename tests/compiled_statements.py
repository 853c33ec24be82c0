"""Statements that SQLAlchemy has compiled, for all engines of a process that would compile them alike.

Each test opens engines of its own, and an engine begins with an empty cache: two fifths of what a test on a
store takes would be the compilation of the same hundred statements. A process in production does it once.
"""

from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.engine import Dialect
from sqlalchemy.util import LRUCache

_PLAIN = (str, int, float, tuple, type(None))
_compiled: LRUCache[Any, Any] = LRUCache(5000)
_known: WeakKeyDictionary[Dialect, tuple[Any, ...]] = WeakKeyDictionary()


class CommonCache:
    """An engine's cache of compiled statements, whose content it has in common with others."""

    def get(self, key: tuple[Any, ...]) -> Any:
        """Return the compiled statement of a key, if any engine of this kind has compiled it."""
        return _compiled.get(_common(key))

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        _compiled[_common(key)] = compiled

    def clear(self) -> None:
        """Leave to the others what they have compiled."""


def _common(key: tuple[Any, ...]) -> tuple[Any, ...]:
    dialect, *statement = key
    # An engine compiles nothing before it has asked the server of its first connection for the rest of them.
    if (traits := _known.get(dialect)) is None:
        traits = _known[dialect] = _traits(dialect)
    return (traits, *statement)


def _traits(dialect: Dialect) -> tuple[Any, ...]:
    """Return what dialects of a type may compile differently: the server's version, isolation and so on."""
    # Copied at once: another thread may be compiling, and a dialect keeps what it works out meanwhile.
    traits = tuple(vars(dialect).items())
    # Of the rest, the application chooses how JSON is written; all else is made anew for each dialect.
    known = (
        (name, value) for name, value in traits if isinstance(value, _PLAIN) or name.startswith("_json_")
    )
    return (type(dialect), *sorted(known))


def share_compiled_statements() -> None:
    """Give every engine that is made from now on the common cache, but those that shall have none."""
    make = Engine.__init__

    # By its parameters create_engine knows which options are the engine's.
    def make_with_common_cache(
        self: Engine,
        pool: Any,
        dialect: Any,
        url: Any,
        logging_name: str | None = None,
        echo: Any = None,
        query_cache_size: int = 500,
        execution_options: Any = None,
        hide_parameters: bool = False,
    ) -> None:
        make(
            self, pool, dialect, url, logging_name, echo, query_cache_size, execution_options, hide_parameters
        )
        if self._compiled_cache is not None:
            self._compiled_cache = CommonCache()  # type: ignore[assignment]  # it takes what has these methods

    Engine.__init__ = make_with_common_cache  # type: ignore[method-assign]  # no event is that early
