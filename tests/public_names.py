"""The names that users may import, and the types that they meet, found by looking at the package."""

import inspect
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any, get_args, get_origin, get_overloads, get_type_hints

import tickerq_celery
from tickerq_celery import TickerError, TickerQ
from tickerq_celery.deferred import Deferred
from tickerq_celery.tickers.call import FunctionField
from tickerq_celery.tickers.celery_task import TaskField

PACKAGE = "tickerq_celery"
DOORS = ("alembic", "enums", "errors", "limits", "testing", "typing", "views")
# Members without an underscore that are for the package, its tools and its tests. No page names them.
INNER = {
    "RunResult.codec",
    "RunResult.stored",
    "StoredRequest.codec",
    "StoredRequest.packed",
    "TickerFunction.definition",
    "TickerQ.core",
    "TickerQ.register",
    "TickerQ.registry",
}
# To type checkers a field of these types is a str, or None.
AS_TEXT = (FunctionField, TaskField)


def public_modules() -> dict[str, ModuleType]:
    """Return the modules that users may import from, the root first."""
    return {PACKAGE: tickerq_celery} | {
        f"{PACKAGE}.{door}": import_module(f"{PACKAGE}.{door}") for door in DOORS
    }


def public_names() -> dict[str, list[str]]:
    """Return the names of each public module."""
    return {name: _names_of(module) for name, module in public_modules().items()}


def _names_of(module: ModuleType) -> list[str]:
    """Return what a module lists, or its errors where it lists nothing."""
    errors = [
        name for name, each in vars(module).items() if inspect.isclass(each) and issubclass(each, TickerError)
    ]
    return sorted(getattr(module, "__all__", errors))


def types_met() -> dict[type, str]:
    """Return the package's types that a user meets, each with one place where that is.

    From the public names on: the fields of values, and what public methods take and return.
    """
    met: dict[type, str] = {}
    waiting: list[object] = list(importable())
    while waiting:
        for place, hint in _hints(waiting.pop()):
            for each in _named_in(hint):
                if each not in met:
                    met[each] = place
                    waiting.append(each)
    return met


def _hints(public: object) -> Iterator[tuple[str, object]]:
    """Yield what a public object's annotations say, with where they do."""
    if inspect.isfunction(public):
        yield from _hints_of(public.__name__, public)
    if not inspect.isclass(public) or not _is_ours(public):
        return
    yield from _hints_of(public.__qualname__, public)
    for owner in public.__mro__:
        for name, member in vars(owner).items() if _is_ours(owner) else ():
            place = f"{owner.__qualname__}.{name}"
            if not name.startswith("_") or place == f"{TickerQ.__qualname__}.__init__":
                yield from _hints_of(place, _function_in(member))
            elif name == "__call__":
                # What it is given needs no name: that is told by how it can be called.
                for each in get_overloads(member):
                    yield f"{place}.return", get_type_hints(each)["return"]


def _function_in(member: Any) -> object:
    if isinstance(member, property):
        return member.fget
    if isinstance(member, cached_property):
        return member.func
    return inspect.unwrap(getattr(member, "__func__", member))


def _hints_of(place: str, annotated: object) -> Iterator[tuple[str, object]]:
    is_inside = isinstance(annotated, FunctionType) and "tx" in annotated.__annotations__
    if place in INNER or is_inside or not isinstance(annotated, FunctionType | type):
        return
    for name, hint in get_type_hints(annotated).items():
        where = f"{place}.{name}"
        if not name.startswith("_") and where not in INNER:
            yield where, hint._found() if isinstance(hint, Deferred) else hint


def _named_in(hint: object) -> Iterator[type]:
    """Yield the package's own types in an annotation."""
    parts = hint if isinstance(hint, list | tuple) else (get_origin(hint), *get_args(hint))
    for each in parts:
        if each is not None:
            yield from _named_in(each)
    if inspect.isclass(hint) and _is_ours(hint) and hint not in AS_TEXT:
        yield hint


def _is_ours(kind: type) -> bool:
    return kind.__module__.partition(".")[0] == PACKAGE


def importable() -> Mapping[object, str]:
    """Return the public objects that can be looked up, each with its full name."""
    return {
        getattr(module, name): f"{module.__name__}.{name}"
        for module in public_modules().values()
        for name in _names_of(module)
    }
