import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Optional, TypeVar, Union

import pytest

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.functions.context import TickerContext
from tickerq_celery.functions.signature import Takes, inspect_function

HERE = __name__
T = TypeVar("T")


@dataclass
class Welcome:
    email: str


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
def number(value: int) -> None: ...
def anything(value: Any) -> None: ...
def an_object(value: object) -> None: ...
def none_request(value: None) -> None: ...
def with_options(
    welcome: Welcome, retries: int = 0, *rest: object, verbose: bool = False, **more: object
) -> None: ...
def default_none(welcome: Welcome | None = None) -> None: ...
def implicit_none(welcome: Welcome = None) -> None: ...  # type: ignore[assignment]
def bounded(value: Annotated[int, []]) -> None: ...
async def coroutine(context: TickerContext) -> None: ...


@pytest.mark.parametrize(
    ("fn", "takes", "request_type"),
    [
        (nothing, Takes.NOTHING, None),
        (nothing_but_options, Takes.NOTHING, None),
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
        (with_options, Takes.REQUEST, Welcome),
        (default_none, Takes.REQUEST, Union[Welcome, None]),  # noqa: UP007
        (implicit_none, Takes.REQUEST, Union[Welcome, None]),  # noqa: UP007
        (bounded, Takes.REQUEST, Annotated[int, []]),
        (coroutine, Takes.CONTEXT, None),
    ],
)
def test_the_first_parameter_says_what_a_run_passes(
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
    assert signature.request_type is (None if takes is Takes.NOTHING else Welcome)


def required_keyword(context: TickerContext, *, name: str) -> None: ...
def only_keyword(*, context: TickerContext) -> None: ...
def only_args(*args: object) -> None: ...
def only_kwargs(**kwargs: object) -> None: ...
def a_default(limit: int = 100) -> None: ...
def an_unannotated_default(limit=None): ...  # type: ignore[no-untyped-def]
def a_mixture(value: TickerContext[int] | int) -> None: ...
def a_list(value: list[TickerContext[int]]) -> None: ...
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
        (two, r"no parameter, or one: .* \(required: welcome\)"),
        (required_keyword, r"\(required: name\)"),
        (only_keyword, r"\(required: context\)"),
        (only_args, "only variable arguments"),
        (only_kwargs, "only variable arguments"),
        (a_default, "'limit': annotate it, and give it no default but None"),
        (an_unannotated_default, "annotate it"),
        (a_mixture, "mixes a TickerContext with other types"),
        (a_list, "mixes a TickerContext with other types"),
        (a_generator, "a generator function"),
        (an_async_generator, "a generator function"),
        (functools.partial(a_generator), "a generator function"),
        (GeneratorObject(), "a generator function"),
        (Welcome, "a class cannot be registered"),
        (Mailer.__dict__["of_class"], "cannot be called"),
        (Mailer.ping, "use a static method"),
        (Mailer.send, r"\(required: welcome\)"),
        (42, "cannot be called"),
        (None, "cannot be called"),
        (print, "only variable arguments"),
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
