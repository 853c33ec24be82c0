"""What the store keeps of a function, and what its digest compares."""

import functools
import json
import re
from typing import Any

import pytest

from tests.inner import make_function
from tickerq_celery.functions.records import (
    FunctionRecord,
    definitions_of,
    digest_in,
    function_records,
    settings_in,
)


def documented(context: Any) -> None:
    """Send a welcome email.

    The rest is for programmers.
    """


def bare(context: Any) -> None: ...


@functools.wraps(documented)
def wrapped(context: Any) -> None: ...


class Bill:
    """Bill a customer."""

    def __call__(self, context: Any) -> None: ...


def record(body: Any = bare, **options: Any) -> FunctionRecord:
    [made] = function_records([make_function(body, "Send", **options)])
    return made


def test_the_summary_is_the_first_line_of_the_docstring() -> None:
    assert record(documented).summary == "Send a welcome email."
    assert record(wrapped).summary == "Send a welcome email."
    assert record(functools.partial(documented)).summary == "Send a welcome email."
    assert record(Bill()).summary == "Bill a customer."
    assert record(bare).summary is None


def test_a_long_summary_is_cut() -> None:
    def long(context: Any) -> None: ...

    long.__doc__ = "x" * 500
    summary = record(long).summary
    assert summary is not None
    assert len(summary) == 200


@pytest.mark.parametrize(
    "option",
    [
        {"retries": 1}, {"retries": 0, "retry_intervals": [1]}, {"queue": "mail"}, {"priority": "high"},
        {"timeout": 5},
        {"hard_timeout": 5}, {"max_concurrency": 1}, {"max_concurrency_per_key": None}, {"rate_limit": "1/s"},
        {"on_lost": "fail"},
    ],
)  # fmt: skip
def test_definitions_with_other_options_have_other_digests(option: dict[str, Any]) -> None:
    assert record(**option).digest != record().digest
    assert record(**option).digest == record(**option).digest


def test_definitions_of_other_requests_have_other_digests() -> None:
    def count(number: int) -> None: ...

    def name(number: str) -> None: ...

    name.__qualname__, name.__module__ = count.__qualname__, count.__module__
    assert record(count).path == record(name).path
    assert record(count).digest != record(name).digest


def test_a_docstring_makes_no_other_definition() -> None:
    def other(context: Any) -> None:
        """Do it differently."""

    other.__qualname__ = bare.__qualname__
    assert record(other).digest == record(bare).digest


def test_a_definition_says_its_digest_and_the_settings_that_are_no_defaults() -> None:
    made = record(retries=2, retry_intervals=[5, 60], timeout=1.5)
    [(name, definition)] = definitions_of([make_function(bare, "Send", retries=2)]).items()
    assert (name, digest_in(definition)) == ("Send", record(retries=2).digest)
    said = json.loads(definition.removeprefix(digest_in(definition)))
    assert said.keys() == {"path", "request_schema", "retries"}
    assert (said["path"], said["retries"]) == (made.path, 2)
    settings = settings_in(made.definition)
    assert settings is not None
    assert (settings["retries"], settings["retry_intervals"], settings["timeout"]) == (2, [5, 60], 1.5)
    assert (settings["queue"], settings["max_concurrency_per_key"], settings["on_lost"]) == (None, 1, "retry")
    assert settings_in(made.digest) is None


def test_a_definition_has_a_digest_of_the_requests_schema_alone() -> None:
    def count(number: int) -> None: ...

    made = record(count)
    settings = settings_in(made.definition)
    assert settings is not None
    assert re.fullmatch("[0-9a-f]{16}", settings["request_schema"])
    assert "properties" not in made.definition
