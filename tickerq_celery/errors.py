"""Every error a user can meet, each with the values that caused it.

TickerError
├── ConfigError (ValueError)
│   └── SchemaError
├── TickerValidationError (ValueError)
│   ├── InvalidCronError
│   ├── UnknownFunctionError
│   ├── UnknownKeywordError (TypeError)
│   ├── CallError (TypeError)
│   ├── RefusedValueError
│   └── OtherDatabaseError
├── DuplicateFunctionError
├── DuplicateTickerError
├── TickerNotFoundError (LookupError)
├── TickerStateError
├── ClaimSupersededError
├── TickerBusyError
├── TickerChangedError
├── OperationReusedError
├── NoCeleryTaskError (AttributeError)
├── IllegalTransitionError
├── UnreadableRequestError (ValueError)
├── StoreError
│   └── QueryTooWideError
├── PublishError
├── ParentResultError
├── TerminateExecution (raised by functions)
└── TickerCancelled
"""

from collections.abc import Iterable, Sequence
from typing import Any, Self
from uuid import UUID

from tickerq_celery.enums import TickerStatusLike
from tickerq_celery.wording import meant_by, misfits, missing, remade


class TickerError(Exception):
    """Base of every error that this package raises."""

    def __reduce__(self) -> tuple[object, ...]:
        # A child process sends errors to its parent: a copy cannot be made from the text alone.
        return remade, (type(self), self.args, vars(self))


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


class TickerNotFoundError(TickerError, LookupError):
    """None has this id, or this name; ``done`` is what was done to it before, by the same operation."""

    def __init__(self, kind: str, ticker_id: UUID | str, *, done: str | None = None, hint: str = "") -> None:
        super().__init__(missing(kind, ticker_id, done) + hint)
        self.kind = kind
        self.ticker_id = ticker_id
        self.done = done


class TickerStateError(TickerError):
    """The run's status does not allow what was asked; ``current`` is the run, or cron ticker, as it is."""

    current: object = None

    def __init__(self, ticker_id: UUID, status: str, wanted: str, *, what: str = "ticker") -> None:
        super().__init__(f"{what} {ticker_id} is {status}: it cannot be {wanted}")
        self.ticker_id = ticker_id
        self.status = status
        self.wanted = wanted


class ClaimSupersededError(TickerError):
    """The run was taken from the worker that executes it, so its function's transaction must not commit."""

    def __init__(self, ticker_id: UUID, claim_no: int) -> None:
        super().__init__(
            f"claim {claim_no} of run {ticker_id} was superseded: another attempt does its work, roll back"
        )
        self.ticker_id = ticker_id
        self.claim_no = claim_no


class TickerBusyError(TickerError):
    """Another process, perhaps a stalled one, keeps the run's row locked; ``current`` is as others see it."""

    current: object = None

    def __init__(self, ticker_id: UUID, wanted: str) -> None:
        super().__init__(f"ticker {ticker_id} is locked by another process: it was not {wanted}")
        self.ticker_id = ticker_id
        self.wanted = wanted


class TickerChangedError(TickerError):
    """What the caller has seen has changed; ``current`` is the run, cron ticker or pause as it is now."""

    def __init__(self, ticker_id: UUID | str, current: object) -> None:
        what = "ticker" if isinstance(ticker_id, UUID) else "the pause of"
        super().__init__(f"{what} {ticker_id} has changed since it was read: look at it again")
        self.ticker_id = ticker_id
        self.current = current


class OperationReusedError(TickerError):
    """An operation's id has served for another action, or for other arguments; nothing was changed."""

    def __init__(self, operation_id: UUID, action: str) -> None:
        super().__init__(f"operation_id: {operation_id} was used before, for {action}: make a new one")
        self.operation_id = operation_id
        self.action = action


class NoCeleryTaskError(TickerError, AttributeError):
    """A ticker function, or a call of one, was used like a Celery task or its signature, which it is not."""

    def __init__(self, function: str, attribute: str, instead: str) -> None:
        super().__init__(f"function {function} is no Celery task and has no .{attribute}: {instead}")
        self.function = function
        self.attribute = attribute


class IllegalTransitionError(TickerError):
    """A status may not follow another; this is a bug in the caller."""

    def __init__(self, before: str, after: str) -> None:
        super().__init__(f"a run cannot go from {before} to {after}")
        self.before = before
        self.after = after


class UnreadableRequestError(TickerError, ValueError):
    """A stored request cannot be decrypted here, or is damaged."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the request cannot be read: {reason}")
        self.reason = reason


class StoreError(TickerError):
    """The database cannot be reached, or keeps refusing a transaction."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the store did not answer: {reason}")
        self.reason = reason


class QueryTooWideError(StoreError):
    """A read took longer than the ``seconds`` that it has: its filters are wide, or a lock is in its way."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"reading took longer than {seconds:.3g} s: narrow its filters, unless tables are locked or "
            "other reads took its time"
        )
        self.args: tuple[Any, ...] = (self.reason,)
        self.seconds = seconds


class PublishError(TickerError):
    """The broker did not take a message."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the broker did not take the message: {reason}")
        self.reason = reason


class ParentResultError(TickerError):
    """A child asked for its parent's result, which is no JSON or too large to be kept."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the parent's result was not stored: {reason}")
        self.reason = reason


class TerminateExecution(TickerError):  # noqa: N818 - TickerQ's name for it
    """Raised by a function to end its run at once, without retry and without the exception handler.

    The status is Skipped unless another terminal one is given; the text becomes the run's reason.
    """

    def __init__(self, message: object, status: TickerStatusLike | None = None) -> None:
        # Often an exception: whatever it is, its text is the reason.
        self.message: str = str(message)
        super().__init__(self.message)
        self.status = status


class TickerCancelled(TickerError):  # noqa: N818 - reads like asyncio's CancelledError
    """Raised in a function whose run was cancelled; the run ends as Cancelled and is not retried."""

    def __init__(self, message: str = "the run was cancelled") -> None:
        super().__init__(message)
