"""A function's arguments by name, as a run keeps them, and as Python passes them."""

from collections.abc import Mapping
from inspect import Parameter as Declared
from inspect import Signature as Python

from tickerq_celery.errors import CallError, TickerValidationError
from tickerq_celery.functions.context import TickerContext
from tickerq_celery.functions.signature import Signature, Takes
from tickerq_celery.payload.codec import LARGEST_REQUEST
from tickerq_celery.payload.expected_request import ExpectedRequest
from tickerq_celery.payload.redaction import discreet
from tickerq_celery.tickers.keywords import refuse_unknown


def by_name(
    function: str, signature: Signature, args: tuple[object, ...], kwargs: Mapping[str, object]
) -> dict[str, object]:
    """Return the arguments of a call of a function with plain parameters, bound to them as Python does.

    Raises:
        CallError: One is missing, or there twice, or there are too many.
        UnknownKeywordError: The function has no parameter of that name.
    """
    parameters = signature.parameters
    if parameters is None:
        raise AssertionError(f"function {function} has no plain parameters")
    known = [each.name for each in parameters.named]
    if not parameters.takes_extra:
        there = ", ".join(known) or "none"
        what = f"function {function} has no such parameter"
        refuse_unknown(what, kwargs, known, advice=lambda _: f"there are {there}")
    try:
        bound = Python(signature.declared).bind(*args, **kwargs)
    except TypeError as error:
        given = discreet(["s"], {**dict(zip(known, args, strict=False)), **kwargs})
        raise CallError("s", given, f"{error} of function {function}, which takes ({parameters})") from error
    variable = next((each.name for each in signature.declared if each.kind is Declared.VAR_KEYWORD), "")
    extra = bound.arguments.pop(variable, {})
    if signature.context in extra:
        reason = f"function {function} is given its context when it runs"
        raise CallError("context", discreet(["context"], extra[signature.context]), reason)
    for twice in extra.keys() & bound.arguments.keys():
        raise CallError(twice, discreet([twice], extra[twice]), f"function {function} is given it twice")
    return {**bound.arguments, **extra}


def passed(
    signature: Signature, context: TickerContext[object], request: object
) -> tuple[list[object], dict[str, object]]:
    """Return the positional and the keyword arguments of a call of a function's body.

    ``request`` is what its run was given: for plain parameters those that were, by their names.
    """
    args: list[object] = [context] if signature.context is not None else []
    if signature.takes is Takes.REQUEST:
        (only,) = signature.declared
        return (args, {only.name: request}) if only.kind is Declared.KEYWORD_ONLY else ([*args, request], {})
    if signature.takes is not Takes.PARAMETERS or not isinstance(request, Mapping):
        return args, {}
    ordered = [each for each in signature.declared if each.kind is Declared.POSITIONAL_ONLY]
    args += [request.get(each.name, each.default) for each in ordered]
    names = {each.name for each in ordered}
    return args, {name: value for name, value in request.items() if name not in names}


def checked(expected: ExpectedRequest, arguments: Mapping[str, object]) -> Mapping[str, object]:
    """Return a copy of arguments as a run is given them.

    Raises:
        TickerValidationError: One does not fit its annotation; the error has its name.
    """
    try:
        data = expected.encode(arguments or None, limit=LARGEST_REQUEST)
    except TickerValidationError as error:
        raise _by_argument(error) from error
    found = expected.decode(data)
    return found if isinstance(found, Mapping) else {}


def _by_argument(error: TickerValidationError) -> TickerValidationError:
    others = [_by_argument(other) for other in error.others]
    return TickerValidationError(
        error.field.removeprefix("request."), error.value, error.reason, others=others
    )
