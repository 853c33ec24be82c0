"""Functions by name: what this process can run; and its seeders."""

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tickerq_celery.errors import DuplicateFunctionError, UnknownFunctionError
from tickerq_celery.functions.definition import Function
from tickerq_celery.functions.seeders import Seeders


class Registry:
    """Names to functions; one name means one function."""

    def __init__(self) -> None:
        self._functions: dict[str, Function] = {}
        self.seeders: Seeders = Seeders()

    def add(self, function: Function) -> None:
        """Register a function; the same one again changes nothing.

        Raises:
            DuplicateFunctionError: Another function has this name.
        """
        known = self._functions.setdefault(function.name, function)
        if _source_location(known) != _source_location(function):
            raise DuplicateFunctionError(function.name, _source_location(known), _source_location(function))

    def get(self, name: str) -> Function | None:
        """Return the function of that name, or None."""
        return self._functions.get(name)

    def unknown(
        self, name: str, *, elsewhere: str | None = None, stored: Iterable[str] = ()
    ) -> UnknownFunctionError:
        """Return the error for a name that nothing knows, with the function that may have been meant.

        That is one of here, or one of those that are ``stored``. In another namespace, ``elsewhere``, only
        of the latter: what is registered here is not known there.
        """
        here = self._functions if elsewhere is None else ()
        return UnknownFunctionError(name, {*here, *stored}, namespace=elsewhere)

    def change(self, change: Callable[[Function], Function]) -> None:
        """Replace each function by what ``change`` makes of it."""
        self._functions = {name: change(function) for name, function in self._functions.items()}

    def __iter__(self) -> Iterator[Function]:
        return iter(sorted(self._functions.values(), key=lambda function: function.name))


def _source_location(function: Function) -> str:
    """Return a function's module, qualified name and line: two in one module may share a name."""
    body: Any = function.body
    while isinstance(body, functools.partial):
        body = body.func
    code = getattr(inspect.unwrap(body), "__code__", None)
    return (
        function.signature.path if code is None else f"{function.signature.path}, line {code.co_firstlineno}"
    )
