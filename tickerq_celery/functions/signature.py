"""What a function wants to be called with, read from its signature."""

import functools
import inspect
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from inspect import Parameter as Declared

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.functions.annotations import (
    as_context,
    body_of,
    is_object,
    mentions_context,
    request_type,
    resolved,
    unresolved,
)
from tickerq_celery.payload.parameters import Missing, Parameter, Parameters


class Takes(Enum):
    """How a function gets what its run was given."""

    NOTHING = "nothing"
    CONTEXT = "context"
    REQUEST = "request"
    PARAMETERS = "parameters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """How to call a function; a ``request_type`` of None stands for any JSON.

    ``context`` is the name of the parameter for its context, None where it has none.
    ``takes`` says how it gets its request: in its context, as one parameter, as plain ones, or not at all.
    ``parameters`` are there for the last two, and ``request_type`` is then that of their object.
    ``declared`` are those beside the context, as Python has them.
    """

    context: str | None
    takes: Takes
    request_type: object | None
    parameters: Parameters | None
    declared: tuple[Declared, ...]
    is_async: bool
    path: str


def inspect_function(fn: object) -> Signature:
    """Return how a run calls ``fn``; a function that no run could call is a TickerValidationError.

    The leading parameter is the context if it is annotated as one, or not annotated and named ``context``.
    One parameter beside it whose annotation is a JSON object as a whole, or whose name is ``request``, is the
    request, and may default to None. All others are plain parameters, those without annotation of any type.
    ``is_async`` says that ``fn`` is an ``async def``; a plain wrapper around one still returns an awaitable.
    """
    target = _callable(fn)
    declared = _declared(fn, target)
    hints = {each.name: resolved(fn, target, each) for each in declared}
    context = _context_type(fn, declared, hints)
    beside = declared if context is None else declared[1:]
    takes, wanted, parameters = _taken(fn, beside, hints, context)
    return Signature(
        context=None if context is None else declared[0].name,
        takes=takes,
        request_type=wanted,
        parameters=parameters,
        declared=tuple(beside),
        is_async=inspect.iscoroutinefunction(body_of(target)),
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
    if callable(getattr(target, "apply_async", None)):
        reason = (
            "it is a Celery task: decorate its function alone, or schedule it, tickerq.schedule(task.s(…))"
        )
        raise TickerValidationError("function", fn, reason)
    if not callable(target):
        raise TickerValidationError("function", fn, "it cannot be called")
    body = body_of(target)
    if inspect.isgeneratorfunction(body) or inspect.isasyncgenfunction(body):
        raise TickerValidationError("function", fn, "calling a generator function runs nothing of it")
    return target


def _declared(fn: object, target: Callable[..., object]) -> Sequence[Declared]:
    try:
        parameters = list(inspect.signature(target).parameters.values())
    except (TypeError, ValueError, NameError) as exc:
        raise TickerValidationError("function", fn, f"its signature cannot be read: {exc}") from exc
    for each in parameters:
        if each.kind is Declared.VAR_POSITIONAL:
            reason = f"a run passes parameters by their names, so there can be no *{each.name}"
            raise TickerValidationError("function", fn, f"{reason}; a wrapper needs functools.wraps")
    if parameters and parameters[0].name in {"self", "cls"} and parameters[0].annotation is Declared.empty:
        raise TickerValidationError("function", fn, "a method needs its object: use a static method")
    return parameters


def _context_type(
    fn: object, declared: Sequence[Declared], hints: typing.Mapping[str, object]
) -> object | None:
    """Return the type of the context that the leading parameter is, or None where it is none."""
    found: object | None = None
    for index, each in enumerate(declared):
        hint = hints[each.name]
        leads = index == 0 and each.kind in (Declared.POSITIONAL_ONLY, Declared.POSITIONAL_OR_KEYWORD)
        if leads and each.annotation is Declared.empty and each.name == "context":
            found = typing.Any
        elif leads and as_context(hint) is not None:
            found = as_context(hint)
        elif as_context(hint) is not None:
            reason = f"the context {each.name!r} must be the leading parameter, and not only a keyword"
            raise TickerValidationError("function", fn, reason)
        elif mentions_context(hint):
            raise TickerValidationError("function", fn, f"{hint} mixes a TickerContext with other types")
    return found


def _taken(
    fn: object,
    beside: Sequence[Declared],
    hints: typing.Mapping[str, object],
    context: object | None,
) -> tuple[Takes, object | None, Parameters | None]:
    of_context = None if context is None else request_type(context)
    if not beside and context is not None:
        return Takes.CONTEXT, of_context, None
    if len(beside) == 1 and _is_request(beside[0], hints):
        wanted = _type_of_request(fn, beside[0], hints)
        _check_context(fn, context, of_context, wanted)
        return Takes.REQUEST, wanted, None
    _check_context(fn, context, of_context, types.NoneType)
    parameters = _plain(fn, beside, hints)
    takes = Takes.NOTHING if parameters.is_empty else Takes.PARAMETERS
    return takes, parameters.hint, parameters


def _check_context(fn: object, context: object, given: object, right: object) -> None:
    """Refuse a context that is annotated with another request than the one that its function is given."""
    if given is not None and given != right:
        reason = f"annotate its context as a TickerContext, not {context}: the parameters beside it say what"
        raise TickerValidationError("function", fn, f"{reason} it is given")


def _is_request(only: Declared, hints: typing.Mapping[str, object]) -> bool:
    is_one = only.kind is not Declared.VAR_KEYWORD
    return is_one and (only.name == "request" or is_object(hints[only.name]))


def _type_of_request(fn: object, only: Declared, hints: typing.Mapping[str, object]) -> object | None:
    if only.default is Declared.empty:
        return request_type(hints[only.name])
    if only.default is not None:
        reason = f"a run always passes the request {only.name!r}: give it no default but None"
        raise TickerValidationError("function", fn, reason)
    return request_type(_or_none(hints[only.name]))


def _plain(fn: object, beside: Sequence[Declared], hints: typing.Mapping[str, object]) -> Parameters:
    variable = [each for each in beside if each.kind is Declared.VAR_KEYWORD]
    named = tuple(_parameter(each, hints[each.name]) for each in beside if each not in variable)
    if not variable:
        return Parameters(named=named)
    extra = hints[variable[0].name]
    if typing.get_origin(extra) is typing.Unpack:
        return Parameters(named=(*named, *_unpacked(fn, typing.get_args(extra)[0])))
    return Parameters(named=named, takes_extra=True, extra=extra)


def _unpacked(fn: object, keywords: typing.Any) -> Sequence[Parameter]:
    """Return the parameters that ``**kwargs: Unpack[…]`` stands for."""
    try:
        hints = typing.get_type_hints(keywords, include_extras=True)
    except (NameError, TypeError, SyntaxError, AttributeError) as exc:
        raise TickerValidationError("function", fn, unresolved(f"of {keywords.__name__}", exc)) from exc
    required = keywords.__required_keys__
    return [
        Parameter(name=name, type=_unqualified(hint), default=Missing.DEFAULT if name in required else ...)
        for name, hint in hints.items()
    ]


def _unqualified(hint: object) -> object:
    is_qualified = typing.get_origin(hint) in (typing.Required, typing.NotRequired)
    return typing.get_args(hint)[0] if is_qualified else hint


def _parameter(declared: Declared, hint: object) -> Parameter:
    default = declared.default
    return Parameter(
        name=declared.name,
        type=_or_none(hint) if default is None else hint,
        default=Missing.DEFAULT if default is Declared.empty else default,
    )


def _or_none(hint: object) -> object:
    return hint if hint is typing.Any else typing.Optional[hint]  # noqa: UP045  # not every hint has |
