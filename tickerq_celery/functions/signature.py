"""What a function wants to be called with, read from its signature."""

import functools
import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.functions.context import TickerContext

_ONE_PARAMETER = "it must take no parameter, or one: a TickerContext, a TickerContext[T] or a request"


class Takes(Enum):
    """What a run passes to its function."""

    NOTHING = "nothing"
    CONTEXT = "context"
    REQUEST = "request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """How to call a function; a ``request_type`` of None stands for any JSON."""

    takes: Takes
    request_type: object | None
    is_async: bool
    path: str


def inspect_function(fn: object) -> Signature:
    """Return how a run calls ``fn``; a function that no run could call is a TickerValidationError.

    The first positional parameter is what the run passes; others need defaults. Without annotation it
    is a context. A request parameter may default to None, and then also accepts None.
    ``is_async`` says that ``fn`` is an ``async def``; a plain wrapper around one still returns an awaitable.
    """
    target = _callable(fn)
    parameter = _first_parameter(fn, target)
    takes, request_type = Takes.NOTHING, None
    if parameter is not None:
        takes, request_type = _taken(fn, target, parameter)
    return Signature(
        takes=takes,
        request_type=request_type,
        is_async=inspect.iscoroutinefunction(_body(target)),
        path=path_of(target),
    )


def path_of(fn: object) -> str:
    """Return ``module:qualname`` of a callable, and of what lies inside a partial or a callable object."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    named = fn if hasattr(fn, "__qualname__") else type(fn)
    return f"{named.__module__}:{named.__qualname__}"


def _callable(fn: object) -> Callable[..., object]:
    target = fn.__func__ if isinstance(fn, staticmethod) else fn
    if inspect.isclass(target):
        raise TickerValidationError("function", fn, "a class cannot be registered, only a function")
    if not callable(target):
        raise TickerValidationError("function", fn, "it cannot be called")
    body = _body(target)
    if inspect.isgeneratorfunction(body) or inspect.isasyncgenfunction(body):
        raise TickerValidationError("function", fn, "calling a generator function runs nothing of it")
    return target


def _body(target: object) -> Callable[..., object]:
    """Return the function that holds the annotations and the code: of an object, its ``__call__``."""
    while isinstance(target, functools.partial):
        target = target.func
    is_function = inspect.isroutine(target) or hasattr(target, "__wrapped__")
    return typing.cast("Callable[..., object]", target if is_function else type(target).__call__)


def _first_parameter(fn: object, target: Callable[..., object]) -> inspect.Parameter | None:
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError, NameError) as exc:
        raise TickerValidationError("function", fn, f"its signature cannot be read: {exc}") from exc
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    named = [parameter for parameter in parameters if parameter.kind not in variadic]
    first = named[0] if named and named[0].kind in positional else None
    surplus = [p.name for p in named if p is not first and p.default is inspect.Parameter.empty]
    if surplus or (first is None and len(named) < len(parameters)):
        what = f"required: {', '.join(surplus)}" if surplus else "only variable arguments"
        raise TickerValidationError("function", fn, f"{_ONE_PARAMETER} ({what})")
    return first


def _taken(
    fn: object, target: Callable[..., object], parameter: inspect.Parameter
) -> tuple[Takes, object | None]:
    annotated = parameter.annotation is not inspect.Parameter.empty
    has_default = parameter.default is not inspect.Parameter.empty
    if not annotated and not has_default:
        if parameter.name in {"self", "cls"}:
            raise TickerValidationError("function", fn, "a method needs its object: use a static method")
        return Takes.CONTEXT, None
    if not annotated or (has_default and parameter.default is not None):
        reason = f"a run always passes {parameter.name!r}: annotate it, and give it no default but None"
        raise TickerValidationError("function", fn, reason)
    hint = _resolved(fn, target, parameter)
    if (context := _as_context(hint)) is not None:
        return Takes.CONTEXT, _request_type(context)
    if any(_as_context(member) is not None for member in typing.get_args(hint)):
        raise TickerValidationError("function", fn, f"{hint} mixes a TickerContext with other types")
    return Takes.REQUEST, _request_type(typing.Optional[hint] if has_default else hint)  # noqa: UP045  # not every hint has |


def _resolved(fn: object, target: Callable[..., object], parameter: inspect.Parameter) -> object:
    body = inspect.unwrap(_body(target))
    holder = types.SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
    try:
        hints = typing.get_type_hints(holder, globalns=getattr(body, "__globals__", {}), include_extras=True)
    except (NameError, TypeError, SyntaxError, AttributeError) as exc:
        reason = (
            f"the annotation {parameter.annotation!r} of {parameter.name!r} cannot be resolved ({exc}): "
            "define or import its names at the module's top level, outside `if TYPE_CHECKING`"
        )
        raise TickerValidationError("function", fn, reason) from exc
    return hints[parameter.name]


def _as_context(hint: object) -> object | None:
    """Return the context type that ``hint`` stands for, through Annotated and Optional, or None."""
    if hint is TickerContext or typing.get_origin(hint) is TickerContext:
        return hint
    arguments = [part for part in typing.get_args(hint) if part is not types.NoneType]
    origin = typing.get_origin(hint)
    if origin is typing.Annotated or (origin in (typing.Union, types.UnionType) and len(arguments) == 1):
        return _as_context(arguments[0])
    return None


def _request_type(hint: object) -> object | None:
    """Return the type of the request: the argument of a context, the hint itself, or None for any JSON."""
    inner = hint
    if hint is TickerContext or typing.get_origin(hint) is TickerContext:
        inner = next(iter(typing.get_args(hint)), Any)
    return None if isinstance(inner, typing.TypeVar) or inner is Any or inner is object else inner
