"""What names the function of a ticker: its name, the function itself, or a call of it with its arguments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.payload.redaction import discreet
from tickerq_celery.tickers.celery_task import CALL_FIELDS, is_task, named_task


class NamedFunction(Protocol):
    """A registered function, as tickers know it."""

    @property
    def name(self) -> str:
        """Its stable name."""


class RegisteredFunction:
    """A ticker function. It refuses in words what only Celery's tasks have: nothing asks it for that."""

    @property
    def name(self) -> str:
        """Its stable name."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Call:
    """A function's name with the arguments that a run of it is given, by the names of its parameters."""

    function: str
    arguments: Mapping[str, object] = field(repr=False)


FunctionLike: TypeAlias = str | NamedFunction | Call


class FunctionField:
    """The field ``function`` for type checkers: set to what names a function, it is the name, or None.

    Where a dataclass has slots nothing of it is left at run time but the default; see ``named``.
    """

    def __get__(self, ticker: object, owner: Any) -> str | None:
        return None

    def __set__(self, ticker: object, value: FunctionLike) -> None:
        raise AttributeError("function")


FUNCTION = FunctionField()
# A ticker's fields, with the values that a user wants.
Changes: TypeAlias = Mapping[str, Any]
NO_CHANGES: Changes = MappingProxyType({})
_REQUEST = ("request", "encoding")
_COLUMNS = {
    "task": ("function",),
    "every": ("expression",),
    "request": _REQUEST,
    **dict.fromkeys(CALL_FIELDS, _REQUEST),
}


def named(function: Any, request: object) -> tuple[Any, object]:
    """Return the name and the request that ``function`` stands for; what names none is returned as it is.

    Raises:
        TickerValidationError: It is a call, and there is a request beside it; or it is a Celery task.
    """
    if isinstance(function, RegisteredFunction):
        return function.name, request
    if isinstance(function, Call):
        if request is not None:
            raise TickerValidationError(
                "request", discreet(["request"], request), "the call of the function is the request"
            )
        return function.function, dict(function.arguments) or None
    if is_task(function):
        name = function["task"] if isinstance(function, Mapping) else function.name
        raise TickerValidationError("function", name, "it is a Celery task: pass task= instead")
    is_function = callable(function) and isinstance(getattr(function, "name", None), str)
    return (function.name if is_function else function), request


def with_names(changes: Changes) -> Changes:
    """Return changes of a ticker in which what names its function or task is the name.

    A call of a function is its request, too, and a signature of a task the arguments and options.

    Raises:
        TickerValidationError: There are a call and a request, or a signature and further arguments.
    """
    changes = _with_task(changes)
    if "function" not in changes:
        return changes
    function, request = named(changes["function"], changes.get("request"))
    of_call = {"request": request} if isinstance(changes["function"], Call) else {}
    return {**changes, "function": function, **of_call}


def _with_task(changes: Changes) -> Changes:
    if "task" not in changes:
        return changes
    found = named_task(changes["task"], **{name: changes.get(name, ()) for name in CALL_FIELDS})
    is_call = isinstance(changes["task"], Mapping)
    of_call = {name: getattr(found, name) for name in CALL_FIELDS} if is_call else {}
    return {**changes, "task": found.task, **of_call}


def columns_meant(changes: Changes) -> set[str]:
    """Return the columns of its row that changes of a ticker are about, where they differ from the fields."""
    named = {name for name in ("queue", "task_id") if name in (changes.get("options") or {})}
    return {column for name in changes for column in _COLUMNS.get(name, (name,))} | named
