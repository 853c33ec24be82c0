"""What names the Celery task of a ticker: its name, the task itself, or a signature with its arguments."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from tickerq_celery import validation
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.payload.redaction import discreet

# The Celery tasks that run ticker functions.
OUR_TASKS = "tickerq."
_CANVAS = frozenset(f"celery.{name}" for name in ("chain", "group", "chord"))
_ONE_TASK_FOR_MANY = frozenset(f"celery.{name}" for name in ("map", "starmap", "chunks"))
_NO_CANVAS = (
    "a canvas is more than one task: schedule its first, with children=[TimeTicker(task=…)], "
    "or give the canvas itself a countdown or an eta, with the setting durable_eta"
)
_NO_MAP = (
    "it calls a task for each of many arguments, and durable_eta does not keep it: add a ticker for each, "
    "with time_tickers.add_batch, or schedule a task of your own that makes these calls"
)
_NO_TASK = "pass a Celery task, its name, or a signature of it"
OF_A_FUNCTION = "it is of a ticker function: pass function= instead, or use its own .schedule"


class CeleryTask(Protocol):
    """A Celery task, as tickers know it."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def apply_async(self) -> Callable[..., Any]:
        """What no ticker function has."""


class CelerySignature(Protocol):
    """A signature of a Celery task, ``add.s(2, 3)``: its name, arguments and options."""

    @property
    def apply_async(self) -> Callable[..., Any]:
        """What no call of a ticker function has."""

    def __getitem__(self, key: str, /) -> Any:
        """Return one of its parts: ``task``, ``args``, ``kwargs`` or ``options``."""


TaskLike: TypeAlias = str | CeleryTask | CelerySignature


class TaskField:
    """The field ``task`` for type checkers: set to anything that names a task, it is the name, or None.

    Where a dataclass has slots nothing of it is left at run time but the default; see ``named_task``.
    """

    def __get__(self, ticker: object, owner: Any) -> str | None:
        return None

    def __set__(self, ticker: object, value: TaskLike) -> None:
        raise AttributeError("task")


TASK = TaskField()
# A signature, which is a dict, or one that JSON has kept.
SignatureParts: TypeAlias = Mapping[str, Any]
# The fields of a ticker that only one of a Celery task has.
CALL_FIELDS = ("args", "kwargs", "options")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedTask:
    """A task's name, with what a ticker passes to it; nothing of it is checked yet."""

    task: Any
    args: Any
    kwargs: Any
    options: Any


def named_task(task: object, *, args: object, kwargs: object, options: object) -> NamedTask:
    """Return the name, the arguments and the options that ``task`` stands for; what names none stays.

    Raises:
        TickerValidationError: It is a signature with further arguments beside it, a canvas, or a function's.
    """
    if isinstance(task, Mapping):
        _refuse_beside_a_signature(args=args, kwargs=kwargs, options=options)
        return _of_signature(task)
    if _is_of_a_function(task):
        raise TickerValidationError("task", task, OF_A_FUNCTION)
    name = getattr(task, "name", None) if is_task(task) else task
    return NamedTask(task=name, args=args, kwargs=kwargs, options=options)


def is_task(value: object) -> bool:
    """Return True if a value is a Celery task, or a signature of one."""
    if isinstance(value, Mapping):
        return isinstance(value.get("task"), str) and "args" in value
    return isinstance(getattr(value, "name", None), str) and callable(getattr(value, "apply_async", None))


def checked_task(value: object) -> str:
    """Return the name of a Celery task.

    Raises:
        TickerValidationError: It is none, or that of the task which runs a ticker function.
    """
    if not isinstance(value, str):
        raise TickerValidationError("task", value, _NO_TASK)
    _refuse_canvas(value)
    if value.startswith(OUR_TASKS):
        raise TickerValidationError("task", value, OF_A_FUNCTION)
    return validation.name("task", value, validation.LONGEST_FUNCTION)


def _of_signature(signature: SignatureParts) -> NamedTask:
    if not is_task(signature):
        raise TickerValidationError("task", discreet(["task"], dict(signature)), _NO_TASK)
    name = signature["task"]
    _refuse_canvas(name, is_known=signature.get("subtask_type") is not None)
    return NamedTask(
        task=name,
        args=tuple(signature["args"] or ()),
        kwargs=dict(signature.get("kwargs") or {}),
        options=dict(signature.get("options") or {}),
    )


def _refuse_canvas(name: str, *, is_known: bool = False) -> None:
    if name in _ONE_TASK_FOR_MANY:
        raise TickerValidationError("task", name, _NO_MAP)
    if is_known or name in _CANVAS:
        raise TickerValidationError("task", name, _NO_CANVAS)


def _refuse_beside_a_signature(**given: Any) -> None:
    for name, value in given.items():
        if not isinstance(value, Sequence | Mapping) or len(value) > 0:
            reason = "the signature brings it: task.signature(args=…, kwargs=…, queue=…)"
            raise TickerValidationError(name, discreet([name], value), reason)


def _is_of_a_function(value: object) -> bool:
    """Return True if a value is a ticker function, or a call of one."""
    is_call = isinstance(getattr(value, "function", None), str) and hasattr(value, "arguments")
    is_function = callable(value) and isinstance(getattr(value, "name", None), str)
    return is_call or (is_function and not is_task(value))
