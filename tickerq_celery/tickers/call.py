"""What names the function of a ticker: its name, the function itself, or a call of it with its arguments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.payload.redaction import discreet


class NamedFunction(Protocol):
    """A registered function, as tickers know it."""

    @property
    def name(self) -> str:
        """Its stable name."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """A function's name with the arguments that a run of it is given, by the names of its parameters."""

    function: str
    arguments: Mapping[str, object] = field(repr=False)


FunctionLike: TypeAlias = str | NamedFunction | Call


class FunctionField:
    """The field ``function`` for type checkers: set to anything that names a function, it is the name.

    Where a dataclass has slots nothing of it is left at run time; see ``named``.
    """

    def __get__(self, ticker: object, owner: Any) -> str:
        raise AttributeError("function")

    def __set__(self, ticker: object, value: FunctionLike) -> None:
        raise AttributeError("function")


FUNCTION = FunctionField()
# A ticker's fields, with the values that a user wants.
Changes: TypeAlias = Mapping[str, Any]


def named(function: Any, request: object) -> tuple[Any, object]:
    """Return the name and the request that ``function`` stands for; what names none is returned as it is.

    Raises:
        TickerValidationError: It is a call, and there is a request beside it.
    """
    if isinstance(function, Call):
        if request is not None:
            raise TickerValidationError(
                "request", discreet(["request"], request), "the call of the function is the request"
            )
        return function.function, dict(function.arguments) or None
    is_function = callable(function) and isinstance(getattr(function, "name", None), str)
    return (function.name if is_function else function), request


def with_names(changes: Changes) -> Changes:
    """Return changes of a ticker in which what names its function is the name; a call is its request, too.

    Raises:
        TickerValidationError: There are a call and a request.
    """
    if "function" not in changes:
        return changes
    function, request = named(changes["function"], changes.get("request"))
    of_call = {"request": request} if isinstance(changes["function"], Call) else {}
    return {**changes, "function": function, **of_call}
