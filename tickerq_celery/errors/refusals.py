"""Errors about what is passed: settings, fields of tickers, and names or keys that are taken."""

from collections.abc import Iterable, Sequence
from typing import Self
from uuid import UUID

from tickerq_celery.errors.ticker_error import TickerError
from tickerq_celery.wording import meant_by, misfits


class ConfigError(TickerError, ValueError):
    """A setting is unknown, or its value cannot be used."""

    def __init__(self, setting: str, reason: str) -> None:
        super().__init__(f"{setting}: {reason}")
        self.setting = setting
        self.reason = reason


class SchemaError(ConfigError):
    """The store's tables are missing, too old, or too new for this version."""

    def __init__(self, reason: str) -> None:
        super().__init__("store_url", reason)


class TickerValidationError(TickerError, ValueError):
    """A field of a ticker, or of its request, holds a value that cannot be stored.

    ``others`` are the errors of further fields; the text names all of them.
    """

    def __init__(
        self, field: str, value: object, reason: str, *, others: Sequence["TickerValidationError"] = ()
    ) -> None:
        super().__init__(misfits(field, value, reason, others))
        self.field = field
        self.value = value
        self.reason = reason
        self.others: tuple[TickerValidationError, ...] = tuple(others)

    def at(self, position: str) -> Self:
        """Return the same error with ``position``, such as ``[3].``, in front of the names of fields."""
        return self._copy(f"{position}{self.field}", [other.at(position) for other in self.others])

    def beside(self, others: Sequence["TickerValidationError"]) -> Self:
        """Return the same error with ``others`` about further fields, instead of its own."""
        return self._copy(self.field, others)

    def _copy(self, field: str, others: Sequence["TickerValidationError"]) -> Self:
        copy = type(self).__new__(type(self), misfits(field, self.value, self.reason, others))
        vars(copy).update(vars(self), field=field, others=tuple(others))
        return copy


class InvalidCronError(TickerValidationError):
    """A cron expression cannot be parsed, or never fires."""

    def __init__(self, expression: object, reason: str) -> None:
        super().__init__("expression", expression, reason)
        self.expression = expression


class UnknownFunctionError(TickerValidationError):
    """A ticker names a function that neither this process nor any worker ever registered.

    With a ``namespace``, that of another application: there only its workers register functions.
    """

    def __init__(self, function: str, known: Iterable[str] = (), *, namespace: str | None = None) -> None:
        where, remedy = "here or by any worker", "import its module, start a worker that has it"
        if namespace is not None:
            where, remedy = f"in namespace {namespace!r} by any worker", "start a worker there that has it"
        unknown = f"no such function is registered {where}{meant_by(function, known)}"
        reason = f"{unknown}; {remedy}, pass allow_unknown=True, or name a Celery task by task="
        super().__init__("function", function, reason)
        self.function = function


class UnknownTaskError(TickerValidationError):
    """A ticker names a Celery task that this process has not imported, and that no stored ticker names."""

    def __init__(self, task: str, known: Iterable[str] = ()) -> None:
        unknown = f"no such Celery task is imported here, nor named by a stored ticker{meant_by(task, known)}"
        super().__init__("task", task, f"{unknown}; import its module, or pass allow_unknown=True")
        self.task = task


class UnknownKeywordError(TickerValidationError, TypeError):
    """A call has a keyword that it does not take."""


class CallError(TickerValidationError, TypeError):
    """A function is scheduled in another way than its parameters ask for, or with arguments missing."""


class RefusedValueError(TickerValidationError):
    """The database refused a value for what it holds, such as a character that its encoding lacks."""


class OtherDatabaseError(TickerValidationError):
    """A ``session`` leads to another database than the store's, whatever their URLs say."""

    def __init__(self, url: str, found: UUID | None, store_id: UUID) -> None:
        what = "holds no ticker store" if found is None else f"holds the ticker store {found}"
        super().__init__("session", url, f"its database {what}, and this application's store is {store_id}")
        self.found = found
        self.store_id = store_id


class CallNotKeptError(TickerError, ValueError):
    """A call of a ``task`` cannot become a row of its outbox, so that nothing was sent."""

    def __init__(self, task: str, reason: str) -> None:
        super().__init__(f"an outbox cannot keep a call of {task}: {reason}")
        self.task = task
        self.reason = reason


class DuplicateFunctionError(TickerError):
    """Two different functions, or seeders, ask for one name."""

    def __init__(self, name: str, first: str, second: str, *, kind: str = "function") -> None:
        super().__init__(f"{kind} name {name!r} is taken by {first}; {second} needs another one")
        self.name = name
        self.first = first
        self.second = second


class DuplicateTickerError(TickerError):
    """Another ticker with the unique key is not terminal and cannot be replaced, or is in the same call."""

    def __init__(self, unique_key: str, *, is_twice: bool = False) -> None:
        what = "is there twice in one call" if is_twice else "is still active"
        super().__init__(f"unique_key: a ticker with key {unique_key!r} {what}")
        self.unique_key = unique_key


class NoCeleryTaskError(TickerError, AttributeError):
    """A ticker function, or a call of one, was used like a Celery task or its signature, which it is not."""

    def __init__(self, function: str, attribute: str | None, instead: str) -> None:
        lacks = "" if attribute is None else f" and has no .{attribute}"
        super().__init__(f"function {function} is no Celery task{lacks}: {instead}")
        self.function = function
        self.attribute = attribute
