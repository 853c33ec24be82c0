import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NewType, Optional, TypedDict, TypeVar, Union, Unpack

import pytest
from pydantic import BaseModel
from typing_extensions import TypeAliasType

from tickerq_celery import TickerContext
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.functions.signature import Takes, inspect_function

HERE = __name__
T = TypeVar("T")


@dataclass
class Welcome:
    email: str


class Order(BaseModel):
    number: int


class Letter(TypedDict):
    pages: int


NewOrder = NewType("NewOrder", Order)
Alias = TypeAliasType("Alias", Order)


def nothing() -> None: ...
def nothing_but_options(*, verbose: bool = False) -> None: ...
def bare(context: TickerContext) -> None: ...
def typed(context: TickerContext[Welcome]) -> None: ...
def unannotated(context): ...  # type: ignore[no-untyped-def]
def quoted(context: "TickerContext[Welcome]") -> "NotImported": ...  # type: ignore[name-defined]  # noqa: F821
def half_quoted(context: TickerContext["Welcome"]) -> None: ...
def annotated(context: Annotated[TickerContext[Welcome], "note"]) -> None: ...
def optional_context(context: Optional[TickerContext[Welcome]] = None) -> None: ...  # noqa: UP045
def no_request(context: TickerContext[None]) -> None: ...
def any_request(context: TickerContext[Any]) -> None: ...
def generic(context: TickerContext[T]) -> None: ...
def request(welcome: Welcome) -> None: ...
def positional_only(welcome: Welcome, /) -> None: ...
def number(request: int) -> None: ...
def anything(request: Any) -> None: ...
def an_object(request: object) -> None: ...
def unannotated_request(request): ...  # type: ignore[no-untyped-def]
def none_request(request: None) -> None: ...
def only_keyword(*, welcome: Welcome) -> None: ...
def a_model(order: Order) -> None: ...
def a_typed_dict(letter: Letter) -> None: ...
def a_mapping(prices: Mapping[str, int]) -> None: ...
def a_dict(prices: dict[str, int] | None) -> None: ...
def one_of(order: Order | Welcome) -> None: ...
def a_note(order: Annotated[Order, "note"]) -> None: ...
def a_new_type(order: NewOrder) -> None: ...
def an_alias(order: Alias) -> None: ...
def beside_context(context: TickerContext, welcome: Welcome) -> None: ...
def said_twice(context: TickerContext[Welcome], welcome: Welcome) -> None: ...
def beside_any_context(context, request: int): ...  # type: ignore[no-untyped-def]
def default_none(welcome: Welcome | None = None) -> None: ...
def implicit_none(welcome: Welcome = None) -> None: ...  # type: ignore[assignment]
def bounded(request: Annotated[int, []]) -> None: ...
async def coroutine(context: TickerContext) -> None: ...


@pytest.mark.parametrize(
    ("fn", "takes", "request_type"),
    [
        (bare, Takes.CONTEXT, None),
        (typed, Takes.CONTEXT, Welcome),
        (unannotated, Takes.CONTEXT, None),
        (quoted, Takes.CONTEXT, Welcome),
        (half_quoted, Takes.CONTEXT, Welcome),
        (annotated, Takes.CONTEXT, Welcome),
        (optional_context, Takes.CONTEXT, Welcome),
        (no_request, Takes.CONTEXT, type(None)),
        (any_request, Takes.CONTEXT, None),
        (generic, Takes.CONTEXT, None),
        (request, Takes.REQUEST, Welcome),
        (positional_only, Takes.REQUEST, Welcome),
        (number, Takes.REQUEST, int),
        (anything, Takes.REQUEST, None),
        (an_object, Takes.REQUEST, None),
        (none_request, Takes.REQUEST, type(None)),
        (unannotated_request, Takes.REQUEST, None),
        (only_keyword, Takes.REQUEST, Welcome),
        (a_model, Takes.REQUEST, Order),
        (a_typed_dict, Takes.REQUEST, Letter),
        (a_mapping, Takes.REQUEST, Mapping[str, int]),
        (a_dict, Takes.REQUEST, Union[dict[str, int], None]),  # noqa: UP007
        (one_of, Takes.REQUEST, Union[Order, Welcome]),  # noqa: UP007
        (a_note, Takes.REQUEST, Annotated[Order, "note"]),
        (a_new_type, Takes.REQUEST, NewOrder),
        (an_alias, Takes.REQUEST, Alias),
        (beside_context, Takes.REQUEST, Welcome),
        (said_twice, Takes.REQUEST, Welcome),
        (beside_any_context, Takes.REQUEST, int),
        (default_none, Takes.REQUEST, Union[Welcome, None]),  # noqa: UP007
        (implicit_none, Takes.REQUEST, Union[Welcome, None]),  # noqa: UP007
        (bounded, Takes.REQUEST, Annotated[int, []]),
        (coroutine, Takes.CONTEXT, None),
    ],
)
def test_what_a_run_passes_is_read_from_the_parameters(
    fn: Callable[..., object], takes: Takes, request_type: object
) -> None:
    signature = inspect_function(fn)
    assert (signature.takes, signature.request_type) == (takes, request_type)
    assert signature.is_async is (fn is coroutine)
    assert signature.path == f"{HERE}:{fn.__name__}"


def test_annotations_of_a_module_with_postponed_evaluation_are_resolved() -> None:
    source = (
        "from __future__ import annotations\n"
        "from tickerq_celery import TickerContext\n"
        "def send(context: TickerContext[int]) -> Missing: ...\n"
    )
    namespace: dict[str, Any] = {"__name__": "jobs"}
    exec(compile(source, "jobs.py", "exec"), namespace)
    signature = inspect_function(namespace["send"])
    assert (signature.takes, signature.request_type, signature.path) == (Takes.CONTEXT, int, "jobs:send")


class Mailer:
    def send(self, welcome: Welcome) -> None: ...
    async def asend(self, context: TickerContext[Welcome]) -> None: ...
    def ping(self) -> None: ...

    @classmethod
    def of_class(cls, welcome: Welcome) -> None: ...

    @staticmethod
    def of_no_instance(welcome: Welcome) -> None: ...

    @staticmethod
    async def aof_no_instance(welcome: Welcome) -> None: ...

    def __call__(self, welcome: Welcome) -> None: ...


class AsyncMailer:
    async def __call__(self, welcome: Welcome) -> None: ...


def two(prefix: str, welcome: Welcome) -> None: ...
async def atwo(prefix: str, welcome: Welcome) -> None: ...


def logged(fn: Callable[..., object]) -> Callable[..., object]:
    @functools.wraps(fn)
    def wrapper(*args: object, **kwargs: object) -> object:
        return fn(*args, **kwargs)

    return wrapper


@pytest.mark.parametrize(
    ("fn", "takes", "is_async", "path"),
    [
        (Mailer().send, Takes.REQUEST, False, "Mailer.send"),
        (Mailer().asend, Takes.CONTEXT, True, "Mailer.asend"),
        (Mailer().ping, Takes.NOTHING, False, "Mailer.ping"),
        (Mailer.of_class, Takes.REQUEST, False, "Mailer.of_class"),
        (Mailer.of_no_instance, Takes.REQUEST, False, "Mailer.of_no_instance"),
        (vars(Mailer)["of_no_instance"], Takes.REQUEST, False, "Mailer.of_no_instance"),
        (vars(Mailer)["aof_no_instance"], Takes.REQUEST, True, "Mailer.aof_no_instance"),
        (Mailer(), Takes.REQUEST, False, "Mailer"),
        (AsyncMailer(), Takes.REQUEST, True, "AsyncMailer"),
        (functools.partial(two, "Dear "), Takes.REQUEST, False, "two"),
        (functools.partial(functools.partial(atwo, "Dear ")), Takes.REQUEST, True, "atwo"),
        (functools.partial(request, Welcome("a")), Takes.NOTHING, False, "request"),
        (functools.partial(Mailer().send), Takes.REQUEST, False, "Mailer.send"),
        (functools.partial(Mailer()), Takes.REQUEST, False, "Mailer"),
        (logged(request), Takes.REQUEST, False, "request"),
        (functools.lru_cache(request), Takes.REQUEST, False, "request"),
        (functools.lru_cache(quoted), Takes.CONTEXT, False, "quoted"),
    ],
)
def test_callables_of_every_kind_are_read(fn: object, takes: Takes, is_async: bool, path: str) -> None:
    signature = inspect_function(fn)
    assert (signature.takes, signature.is_async) == (takes, is_async)
    assert signature.path == f"{HERE}:{path}"
    assert takes is Takes.NOTHING or signature.request_type is Welcome


def shown(fn: Callable[..., object]) -> str:
    signature = inspect_function(fn)
    names = "" if signature.parameters is None else str(signature.parameters)
    return f"{'' if signature.context is None else 'context, '}{signature.takes.value}: {names}"


def unannotated_others(ctx, limit=None): ...  # type: ignore[no-untyped-def]
def options_only(**options: int) -> None: ...
def keyword_after_context(context: TickerContext, *, name: str) -> None: ...
def a_model_and_more(welcome: Welcome, verbose: bool = False) -> None: ...
def a_model_and_options(welcome: Welcome, **more: object) -> None: ...
def a_list(numbers: list[Order]) -> None: ...
def a_scalar(limit: int = 100) -> None: ...
def by_position(limit: int, /, name: str) -> None: ...
def a_context_of_nothing(context: TickerContext[None], limit: int) -> None: ...
def unpacked(**options: Unpack[Letter]) -> None: ...


@pytest.mark.parametrize(
    ("fn", "read"),
    [
        (nothing, "nothing: "),
        (nothing_but_options, "parameters: verbose=…"),
        (unannotated_others, "parameters: ctx=…, limit=…"),
        (options_only, "parameters: **…"),
        (keyword_after_context, "context, parameters: name=…"),
        (a_model_and_more, "parameters: welcome=…, verbose=…"),
        (a_model_and_options, "parameters: welcome=…, **…"),
        (a_list, "parameters: numbers=…"),
        (a_scalar, "parameters: limit=…"),
        (by_position, "parameters: limit=…, name=…"),
        (a_context_of_nothing, "context, parameters: limit=…"),
        (unpacked, "parameters: pages=…"),
        (two, "parameters: prefix=…, welcome=…"),
    ],
)
def test_every_other_signature_is_one_of_plain_parameters(fn: Callable[..., object], read: str) -> None:
    assert shown(fn) == read


def not_leading(limit: int, context: TickerContext) -> None: ...
def context_as_keyword(*, context: TickerContext) -> None: ...
def only_args(*args: object) -> None: ...
def more_args(limit: int, *rest: int) -> None: ...
def request_with_default(welcome: Welcome = Welcome("a")) -> None: ...  # noqa: B008
def no_request_and_one(context: TickerContext[None], welcome: Welcome) -> None: ...
def request_and_parameter(context: TickerContext[Order], limit: int) -> None: ...
def two_requests(context: TickerContext[Order], welcome: Welcome) -> None: ...
def a_mixture(value: TickerContext[int] | int) -> None: ...
def a_list_of_contexts(value: list[TickerContext[int]]) -> None: ...
def a_generator(context: TickerContext) -> Iterator[int]:
    yield 1


async def an_async_generator(context: TickerContext) -> AsyncIterator[int]:
    yield 1


@contextlib.contextmanager
def a_context_manager() -> Iterator[None]:
    yield


class GeneratorObject:
    def __call__(self) -> Iterator[int]:
        yield 1


@pytest.mark.parametrize(
    ("fn", "reason"),
    [
        (not_leading, "the context 'context' must be the leading parameter"),
        (context_as_keyword, "must be the leading parameter, and not only a keyword"),
        (only_args, r"by their names, so there can be no \*args; a wrapper needs functools.wraps"),
        (more_args, r"there can be no \*rest"),
        (request_with_default, "the request 'welcome': give it no default but None"),
        (two_requests, r"annotate its context as a TickerContext, not .*Order"),
        (no_request_and_one, r"annotate its context as a TickerContext, not .*None"),
        (request_and_parameter, r"annotate its context as a TickerContext, not .*Order"),
        (a_mixture, "mixes a TickerContext with other types"),
        (a_list_of_contexts, "mixes a TickerContext with other types"),
        (a_generator, "a generator function"),
        (an_async_generator, "a generator function"),
        (functools.partial(a_generator), "a generator function"),
        (GeneratorObject(), "a generator function"),
        (Welcome, "a class cannot be registered"),
        (Mailer.__dict__["of_class"], "cannot be called"),
        (Mailer.ping, "use a static method"),
        (Mailer.send, "use a static method"),
        (42, "cannot be called"),
        (None, "cannot be called"),
        (print, r"there can be no \*args"),
        (min, "signature cannot be read"),
    ],
)
def test_a_function_that_no_run_could_call_is_refused(fn: object, reason: str) -> None:
    with pytest.raises(TickerValidationError, match=reason) as caught:
        inspect_function(fn)
    assert (caught.value.field, caught.value.value) == ("function", fn)


def test_an_annotation_that_only_type_checkers_see_is_a_clear_error() -> None:
    def send(context: "TickerContext[Local]") -> None: ...  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(TickerValidationError, match=r"'Local' is not defined.*outside `if TYPE_CHECKING`"):
        inspect_function(send)


def test_a_keyword_of_an_unpacked_dict_that_only_type_checkers_see_is_a_clear_error() -> None:
    class Letter(TypedDict):
        pages: "Local"  # type: ignore[name-defined]  # noqa: F821

    def send(**options: Unpack[Letter]) -> None: ...

    # The annotation names no parameter that a reader of the error would find in the signature.
    reason = r"of Letter cannot be resolved \(name 'Local' is not defined\).*outside `if TYPE_CHECKING`"
    with pytest.raises(TickerValidationError, match=reason):
        inspect_function(functools.partial(send))
