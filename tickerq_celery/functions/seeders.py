"""Seeders: functions that put the initial tickers into the store, once."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tickerq_celery import validation
from tickerq_celery.errors import DuplicateFunctionError, TickerValidationError

_LARGEST_VERSION = 2**31 - 1
_SIGNATURE = "a seeder takes one argument, the session in whose transaction it seeds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeder:
    """A function that seeds.

    With a ``version`` it runs once for each, without one whenever a worker starts that is alone.
    """

    name: str
    version: int | None
    body: Callable[[Any], object]

    @property
    def source(self) -> str:
        """Module, qualified name and line of the function."""
        code = getattr(inspect.unwrap(self.body), "__code__", None)
        path = f"{self.body.__module__}.{self.body.__qualname__}"
        return path if code is None else f"{path}, line {code.co_firstlineno}"

    def is_wanted(self, *, ran_version: int | None, is_due: bool) -> bool:
        """Return True if it has to run, by what the store says of it.

        A version that is lower than the one that ran last has run.
        """
        if self.version is None:
            return is_due
        return ran_version is None or ran_version < self.version


def make_seeder(body: Any, *, name: object, version: object) -> Seeder:
    """Return a checked seeder; its name is the function's where there is none.

    Raises:
        TickerValidationError: The function cannot seed, or the name or the version cannot be used.
    """
    if not callable(body) or not hasattr(body, "__qualname__"):
        raise TickerValidationError(
            "seeder", body, "decorate a function: @tickerq.seeder, or with name= and version="
        )
    if inspect.iscoroutinefunction(body) or inspect.isasyncgenfunction(body):
        raise TickerValidationError(
            "seeder", body, "it is asynchronous: seeders run in a thread, write a plain def"
        )
    try:
        inspect.signature(body).bind(None)
    except TypeError as error:
        raise TickerValidationError("seeder", body, _SIGNATURE) from error
    named = validation.name("name", body.__name__ if name is None else name, validation.LONGEST_FUNCTION)
    if version is not None:
        version = validation.whole("version", version, 1, _LARGEST_VERSION)
    return Seeder(name=named, version=version, body=body)


class Seeders:
    """The seeders of a process, in the order in which they were defined."""

    def __init__(self) -> None:
        self._by_name: dict[str, Seeder] = {}

    def add(self, seeder: Seeder) -> None:
        """Take a seeder; the same one again changes nothing.

        Raises:
            DuplicateFunctionError: Another one has this name.
        """
        known = self._by_name.setdefault(seeder.name, seeder)
        if known.source != seeder.source:
            raise DuplicateFunctionError(seeder.name, known.source, seeder.source, kind="seeder")

    def __iter__(self) -> Iterator[Seeder]:
        return iter(tuple(self._by_name.values()))

    def __len__(self) -> int:
        return len(self._by_name)
