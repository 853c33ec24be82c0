"""What the annotation of a parameter stands for: the context, a request, or one plain parameter."""

import functools
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any

from typing_extensions import TypeAliasType, is_typeddict

from tickerq_celery.deferred import Deferred
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.functions.context import TickerContext

if TYPE_CHECKING:
    from pydantic.main import BaseModel
else:
    # A process that has a model has imported it.
    BaseModel = Deferred("pydantic.main", "BaseModel")

_UNIONS = (typing.Union, types.UnionType)


def body_of(target: object) -> Callable[..., object]:
    """Return the function that holds the annotations and the code: of an object, its ``__call__``."""
    while isinstance(target, functools.partial):
        target = target.func
    is_function = inspect.isroutine(target) or hasattr(target, "__wrapped__")
    return typing.cast("Callable[..., object]", target if is_function else type(target).__call__)


def resolved(fn: object, target: Callable[..., object], parameter: inspect.Parameter) -> object:
    """Return a parameter's annotation with its names looked up; Any where there is none.

    Raises:
        TickerValidationError: A name is not to be found at run time.
    """
    if parameter.annotation is inspect.Parameter.empty:
        return Any
    body = inspect.unwrap(body_of(target))
    holder = types.SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
    try:
        hints = typing.get_type_hints(holder, globalns=getattr(body, "__globals__", {}), include_extras=True)
    except (NameError, TypeError, SyntaxError, AttributeError) as exc:
        reason = unresolved(f"{parameter.annotation!r} of {parameter.name!r}", exc)
        raise TickerValidationError("function", fn, reason) from exc
    return hints[parameter.name]


def unresolved(annotation: str, error: Exception) -> str:
    """Return what is wrong with an annotation whose names are not to be found."""
    return (
        f"the annotation {annotation} cannot be resolved ({error}): "
        "define or import its names at the module's top level, outside `if TYPE_CHECKING`"
    )


def as_context(hint: object) -> object | None:
    """Return the context type that ``hint`` stands for, through Annotated and Optional, or None."""
    if hint is TickerContext or typing.get_origin(hint) is TickerContext:
        return hint
    arguments = [part for part in typing.get_args(hint) if part is not types.NoneType]
    origin = typing.get_origin(hint)
    if origin is typing.Annotated or (origin in _UNIONS and len(arguments) == 1):
        return as_context(arguments[0])
    return None


def mentions_context(hint: object) -> bool:
    """Return True if ``hint`` is a context type, or one of its members is."""
    return any(as_context(each) is not None for each in (hint, *typing.get_args(hint)))


def request_type(hint: object) -> object | None:
    """Return the type of the request: the argument of a context, the hint itself, or None for any JSON."""
    inner = hint
    if hint is TickerContext or typing.get_origin(hint) is TickerContext:
        inner = next(iter(typing.get_args(hint)), Any)
    return None if isinstance(inner, typing.TypeVar) or inner is Any or inner is object else inner


def is_object(hint: object) -> bool:
    """Return True if requests of this type are JSON objects as a whole: a model, dataclass or mapping.

    So is a union of such, and what Annotated, Optional, NewType or a type alias makes of one.
    """
    origin = typing.get_origin(hint)
    if origin in _UNIONS:
        members = [each for each in typing.get_args(hint) if each is not types.NoneType]
        return bool(members) and all(map(is_object, members))
    if origin is typing.Annotated:
        return is_object(typing.get_args(hint)[0])
    if isinstance(hint, typing.NewType):
        return is_object(hint.__supertype__)
    kind = hint if origin is None else origin
    if isinstance(kind, TypeAliasType):
        return is_object(kind.__value__)
    if is_typeddict(kind):
        return True
    return isinstance(kind, type) and (issubclass(kind, (BaseModel, Mapping)) or is_dataclass(kind))
