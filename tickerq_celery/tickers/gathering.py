"""Checks of several fields, of which one error names all that failed."""

from collections.abc import Callable
from types import TracebackType
from typing import ParamSpec, Self, TypeVar, cast

from tickerq_celery.errors import TickerValidationError

P = ParamSpec("P")
T = TypeVar("T")


class Gathering:
    """Calls checks, and raises at the end of its block what those that failed have raised, as one error.

    A check that failed returns None, so what it returns may be used after the block only.
    """

    def __init__(self) -> None:
        self._errors: list[TickerValidationError] = []

    def __call__(self, check: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a check returns."""
        try:
            return check(*args, **kwargs)
        except TickerValidationError as error:
            self._errors += [error.beside(()) if error.others else error, *error.others]
            return cast("T", None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None and self._errors:
            first, *others = self._errors
            raise first.beside(others) if others else first
