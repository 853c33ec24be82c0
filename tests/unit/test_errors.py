"""Errors carry the values that caused them, and are what the standard library calls them."""

import inspect
import pickle
from uuid import UUID

import pytest

from tickerq_celery import errors
from tickerq_celery.errors import (
    CallError,
    CallNotKeptError,
    ClaimSupersededError,
    ConfigError,
    DuplicateFunctionError,
    DuplicateTickerError,
    IllegalTransitionError,
    InvalidCronError,
    NoCeleryTaskError,
    OperationReusedError,
    OtherDatabaseError,
    ParentResultError,
    PublishError,
    QueryTooWideError,
    RefusedValueError,
    SchemaError,
    StoreError,
    StoreTimeoutError,
    StoreUnreachableError,
    TerminateExecution,
    TickerBusyError,
    TickerCancelled,
    TickerChangedError,
    TickerError,
    TickerNotFoundError,
    TickerStateError,
    TickerValidationError,
    UnknownFunctionError,
    UnknownKeywordError,
    UnknownTaskError,
    UnreadableRequestError,
)
from tickerq_celery.wording import cause_of, shortened

ID = UUID(int=1)
RAISED = [
    (ConfigError("tickerq_lease", "too short"), "tickerq_lease: too short"),
    (SchemaError("no tables"), "store_url: no tables"),
    (TickerValidationError("retries", -1, "too few"), "retries: too few (got -1)"),
    (InvalidCronError("x y", "two fields"), "expression: two fields (got 'x y')"),
    (RefusedValueError("description", "→", "refused"), "description: refused (got '→')"),
    (UnknownFunctionError("Send"), "function: no such function"),
    (CallError("user_id", None, "function Send needs it"), "user_id: function Send needs it (got None)"),
    (
        OtherDatabaseError("sqlite:///b.db", None, ID),
        f"session: its database holds no ticker store, and this application's store is {ID} "
        "(got 'sqlite:///b.db')",
    ),
    (
        OtherDatabaseError("sqlite:///b.db", UUID(int=2), ID),
        f"session: its database holds the ticker store {UUID(int=2)}, and",
    ),
    (CallNotKeptError("add", "it is no JSON"), "an outbox cannot keep a call of add: it is no JSON"),
    (DuplicateFunctionError("Send", "a:b", "c:d"), "function name 'Send' is taken by a:b; c:d needs"),
    (TickerChangedError(ID, None), f"ticker {ID} has changed since it was read"),
    (TickerChangedError("tag eu", None), "the pause of tag eu has changed since it was read"),
    (OperationReusedError(ID, "runs.cancel"), f"operation_id: {ID} was used before, for runs.cancel"),
    (StoreTimeoutError(2.9), "the store did not answer: no answer in 2.9 s"),
    (StoreUnreachableError("refused"), "the store did not answer: refused"),
    (QueryTooWideError(2), "reading took longer than 2 s: narrow its filters"),
    (DuplicateTickerError("k"), "unique_key: a ticker with key 'k' is still active"),
    (
        DuplicateTickerError("k", is_twice=True),
        "unique_key: a ticker with key 'k' is there twice in one call",
    ),
    (UnknownFunctionError("Send").at("[1]."), "[1].function: no such function"),
    (TickerNotFoundError("run", ID), f"no run has the id {ID}"),
    (TickerStateError(ID, "Done", "changed"), f"ticker {ID} is Done: it cannot be changed"),
    (TickerStateError(ID, "done", "stopped", what="bulk job"), f"bulk job {ID} is done: it cannot"),
    (ClaimSupersededError(ID, 3), f"claim 3 of run {ID} was superseded"),
    (
        TickerValidationError("a", 1, "odd", others=[TickerValidationError("b", 2, "even")]),
        "a: odd (got 1); b: even (got 2)",
    ),
    (
        TickerValidationError("a", 1, "odd", others=[TickerValidationError("b", 2, "even")]).at("[1]."),
        "[1].a: odd (got 1); [1].b: even (got 2)",
    ),
    (
        UnknownFunctionError("Sned", ["Clean", "Send"]),
        "function: no such function is registered here or by any worker: did you mean Send?; import",
    ),
    (
        UnknownFunctionError("Send", ["Send"], namespace="other"),
        "function: no such function is registered in namespace 'other' by any worker; start a worker there",
    ),
    (UnknownKeywordError("retrys", 1, "no"), "retrys: no (got 1)"),
    (
        UnknownTaskError("shop.ad", ["shop.add"]),
        "task: no such Celery task is imported here, nor named by a stored ticker: did you mean shop.add?; "
        "import its module, or pass allow_unknown=True (got 'shop.ad')",
    ),
    (
        NoCeleryTaskError("Send", "delay", "use it"),
        "function Send is no Celery task and has no .delay: use it",
    ),
    (NoCeleryTaskError("Send", None, "use it"), "function Send is no Celery task: use it"),
    (TickerBusyError(ID, "cancelled"), f"ticker {ID} is locked by another process: it was not cancelled"),
    (IllegalTransitionError("DONE", "IDLE"), "a run cannot go from DONE to IDLE"),
    (UnreadableRequestError("no key"), "the request cannot be read: no key"),
    (StoreError("gone"), "the store did not answer: gone"),
    (PublishError("gone"), "the broker did not take the message: gone"),
    (ParentResultError("result: bytes"), "the parent's result was not stored: result: bytes"),
    (TerminateExecution("why", 5), "why"),
    (TickerCancelled(), "the run was cancelled"),
]


@pytest.mark.parametrize(("error", "text"), RAISED, ids=lambda value: type(value).__name__)
def test_an_error_says_what_caused_it(error: TickerError, text: str) -> None:
    assert str(error).startswith(text)


def test_each_error_is_a_ticker_error_and_is_tried_here() -> None:
    classes = {each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, Exception)}
    assert all(issubclass(each, TickerError) for each in classes)
    assert {each.__name__ for each in classes} == set(errors.__all__)
    assert classes - {TickerError} == {type(error) for error, _ in RAISED}


def test_the_full_name_of_an_error_is_the_one_that_users_import_it_by() -> None:
    assert {getattr(errors, name).__module__ for name in errors.__all__} == {"tickerq_celery.errors"}


@pytest.mark.parametrize(("error", "text"), RAISED, ids=lambda value: type(value).__name__)
def test_an_error_survives_the_way_from_a_child_process(error: TickerError, text: str) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (type(error), str(error))
    assert repr(vars(again)) == repr(vars(error))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConfigError, ValueError),
        (TickerValidationError, ValueError),
        (InvalidCronError, TickerValidationError),
        (UnknownFunctionError, TickerValidationError),
        (SchemaError, ConfigError),
        (TickerNotFoundError, LookupError),
        (UnknownKeywordError, TypeError),
        (NoCeleryTaskError, AttributeError),
    ],
)
def test_an_error_is_also_what_the_standard_library_calls_it(
    error: type[TickerError], kind: type[Exception]
) -> None:
    assert issubclass(error, kind)


class Loud:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


def test_what_a_sentence_names_as_a_cause_brings_no_full_stop_of_its_own() -> None:
    assert cause_of(ConnectionError("Error 111. Connection\nrefused.")) == (
        "ConnectionError: Error 111. Connection refused"
    )


def test_a_shown_value_is_short() -> None:
    assert shortened("x") == "'x'"
    assert len(shortened("x" * 1_000)) == 80
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert shortened(deep) == "<list>"
    assert shortened(10**10_000) == "<int>"
    assert shortened(Loud()) == "<Loud>"
