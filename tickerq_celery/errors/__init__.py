"""Every error a user can meet, each with the values that caused it.

TickerError
├── ConfigError (ValueError)
│   └── SchemaError
├── TickerValidationError (ValueError)
│   ├── InvalidCronError
│   ├── UnknownFunctionError
│   ├── UnknownTaskError
│   ├── UnknownKeywordError (TypeError)
│   ├── CallError (TypeError)
│   ├── RefusedValueError
│   └── OtherDatabaseError
├── CallNotKeptError (ValueError)
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
│   ├── StoreTimeoutError
│   ├── StoreUnreachableError
│   └── QueryTooWideError
├── PublishError
├── ParentResultError
├── TerminateExecution (raised by functions)
└── TickerCancelled
"""

from tickerq_celery.errors.conflicts import (
    ClaimSupersededError,
    IllegalTransitionError,
    OperationReusedError,
    TickerBusyError,
    TickerChangedError,
    TickerNotFoundError,
    TickerStateError,
    UnreadableRequestError,
)
from tickerq_celery.errors.endings import ParentResultError, TerminateExecution, TickerCancelled
from tickerq_celery.errors.outages import (
    PublishError,
    QueryTooWideError,
    StoreError,
    StoreTimeoutError,
    StoreUnreachableError,
)
from tickerq_celery.errors.refusals import (
    CallError,
    CallNotKeptError,
    ConfigError,
    DuplicateFunctionError,
    DuplicateTickerError,
    InvalidCronError,
    NoCeleryTaskError,
    OtherDatabaseError,
    RefusedValueError,
    SchemaError,
    TickerValidationError,
    UnknownFunctionError,
    UnknownKeywordError,
    UnknownTaskError,
)
from tickerq_celery.errors.ticker_error import TickerError

__all__ = [
    "CallError",
    "CallNotKeptError",
    "ClaimSupersededError",
    "ConfigError",
    "DuplicateFunctionError",
    "DuplicateTickerError",
    "IllegalTransitionError",
    "InvalidCronError",
    "NoCeleryTaskError",
    "OperationReusedError",
    "OtherDatabaseError",
    "ParentResultError",
    "PublishError",
    "QueryTooWideError",
    "RefusedValueError",
    "SchemaError",
    "StoreError",
    "StoreTimeoutError",
    "StoreUnreachableError",
    "TerminateExecution",
    "TickerBusyError",
    "TickerCancelled",
    "TickerChangedError",
    "TickerError",
    "TickerNotFoundError",
    "TickerStateError",
    "TickerValidationError",
    "UnknownFunctionError",
    "UnknownKeywordError",
    "UnknownTaskError",
    "UnreadableRequestError",
]

# Runs keep the type of an error as a text: it names the module that users import it from.
for _name in __all__:
    globals()[_name].__module__ = __name__
