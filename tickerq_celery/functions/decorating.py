"""The decorator that makes ticker functions, as type checkers and users see it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, ParamSpec, Protocol, Unpack, cast, overload

from typing_extensions import TypeVar

from tickerq_celery.functions.adding import Adds
from tickerq_celery.functions.context import TickerContext
from tickerq_celery.functions.definition import Function, make_function
from tickerq_celery.functions.options import FunctionOptions, check_call
from tickerq_celery.functions.ticker_function import ByName, ContextFunction, TickerFunction
from tickerq_celery.tickers.keywords import refuse_unknown

if TYPE_CHECKING:
    from pydantic import BaseModel

P = ParamSpec("P")
T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)
ReturnT = TypeVar("ReturnT")
ReturnT_co = TypeVar("ReturnT_co", covariant=True)


class IsDataclass(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


Object_contra = TypeVar(
    "Object_contra", bound="BaseModel | IsDataclass | Mapping[str, Any] | None", contravariant=True
)

# A function fits an overloaded protocol if it fits each overload: one keeps its parameters as they are, the
# other asks for what tells a request from plain parameters.


class TakesNothing(Protocol[P, ReturnT_co]):
    """A function that can be called with nothing."""

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> ReturnT_co: ...
    @overload
    def __call__(self) -> ReturnT_co: ...  # type: ignore[overload-cannot-match]


class TakesObject(Protocol[P, Object_contra, ReturnT_co]):
    """A function that can be called with one JSON object as a whole."""

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> ReturnT_co: ...
    @overload
    def __call__(self, request: Object_contra, /) -> ReturnT_co: ...


class TakesRequest(Protocol[P, T_contra, ReturnT_co]):
    """A function that can be called with one ``request``."""

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> ReturnT_co: ...
    @overload
    def __call__(self, request: T_contra) -> ReturnT_co: ...


class TakesContext(Protocol[P, T, ReturnT_co]):
    """A function that can be called with a context."""

    @overload
    def __call__(self, context: TickerContext[T], /, *args: P.args, **kwargs: P.kwargs) -> ReturnT_co: ...
    @overload
    def __call__(self, context: TickerContext[T], /) -> ReturnT_co: ...  # type: ignore[overload-cannot-match]


class TakesContextAndObject(Protocol[P, Object_contra, ReturnT_co]):
    """A function that can be called with a context and one JSON object as a whole."""

    @overload
    def __call__(self, context: TickerContext[Any], /, *args: P.args, **kwargs: P.kwargs) -> ReturnT_co: ...
    @overload
    def __call__(self, context: TickerContext[Any], request: Object_contra, /) -> ReturnT_co: ...


class TakesContextAndRequest(Protocol[P, T_contra, ReturnT_co]):
    """A function that can be called with a context and one ``request``."""

    @overload
    def __call__(self, context: TickerContext[Any], /, *args: P.args, **kwargs: P.kwargs) -> ReturnT_co: ...
    @overload
    def __call__(self, context: TickerContext[Any], /, request: T_contra) -> ReturnT_co: ...


class FunctionDecorator:
    """Registers the function that it decorates: ``@decorator``, ``@decorator("Name", **options)``.

    The options are those of FunctionOptions; the default name is the function's own.

    Raises:
        TickerValidationError: The function, or an option, cannot be used.
        DuplicateFunctionError: Another function has this name.
        UnknownKeywordError: A keyword is not an option; it is a TypeError, too.
    """

    def __init__(
        self,
        register: Callable[[Function], None],
        manager: Callable[[], Adds],
        name: str | None = None,
        options: FunctionOptions | None = None,
    ) -> None:
        self._register = register
        self._manager = manager
        self._name = name
        self._options = options

    @overload
    def __call__(self, body: TakesContext[P, T, ReturnT], /) -> ContextFunction[P, T, ReturnT]: ...
    @overload
    def __call__(
        self, body: TakesContextAndObject[P, Object_contra, ReturnT], /
    ) -> ContextFunction[P, Object_contra, ReturnT]: ...
    @overload
    def __call__(self, body: TakesContextAndRequest[P, T, ReturnT], /) -> ContextFunction[P, T, ReturnT]: ...
    @overload
    def __call__(
        self, body: Callable[Concatenate[TickerContext[Any], P], ReturnT], /
    ) -> ContextFunction[P, ByName, ReturnT]: ...
    @overload
    def __call__(
        self, body: TakesObject[P, Object_contra, ReturnT], /
    ) -> TickerFunction[P, Object_contra, ReturnT]: ...
    @overload
    def __call__(self, body: TakesRequest[P, T, ReturnT], /) -> TickerFunction[P, T, ReturnT]: ...
    @overload
    def __call__(self, body: TakesNothing[P, ReturnT], /) -> TickerFunction[P, None, ReturnT]: ...
    @overload
    def __call__(self, body: Callable[P, ReturnT], /) -> TickerFunction[P, ByName, ReturnT]: ...
    @overload
    def __call__(
        self, name: str | None = None, **options: Unpack[FunctionOptions]
    ) -> "FunctionDecorator": ...

    def __call__(self, name: Any = None, **options: Any) -> Any:
        """Return the decorated function, or a decorator with this name and these options."""
        if self._options is None and (options or not callable(name)):
            check_call(name, options)
            return FunctionDecorator(self._register, self._manager, name, cast("FunctionOptions", options))
        refuse_unknown("a function is decorated by itself", options, ())
        function = make_function(name, self._name, **(self._options or {}))
        self._register(function)
        return TickerFunction[..., Any, Any](function, self._manager)
