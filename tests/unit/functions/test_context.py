import dataclasses
import typing

import pytest

from tests.unit.functions.context_values import VALUES
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.functions.context import TickerContext


def test_a_context_can_be_made_bare_or_with_its_request_type() -> None:
    assert TickerContext(**VALUES, request=1) == TickerContext[int](**VALUES, request=1)


def test_a_context_for_a_test_is_made_in_one_call() -> None:
    context = TickerContext.for_test({"name": "Ada"})
    assert (context.request, context.retry_count, context.parent_result) == ({"name": "Ada"}, 0, None)
    assert context.id != TickerContext.for_test().id
    context.report_progress(0.5)
    context.raise_if_cancelled()


def test_a_context_for_a_test_may_have_any_field() -> None:
    overrides = {**VALUES, "retry_count": 2}
    context = TickerContext.for_test(7, **overrides, parent_result=[1, {"a": None}])
    assert {name: getattr(context, name) for name in overrides} == overrides
    assert context.parent_result == [1, {"a": None}]
    with pytest.raises(TypeError, match="retries"):
        TickerContext.for_test(7, retries=2)  # type: ignore[call-arg]
    with pytest.raises(TickerValidationError):
        TickerContext.for_test(7, parent_result=object())


def test_a_context_cannot_be_changed() -> None:
    context = TickerContext(**VALUES, request=1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        context.request = 2  # type: ignore[misc]


def test_a_context_remembers_its_request_type() -> None:
    assert typing.get_origin(TickerContext[int]) is TickerContext
    assert typing.get_args(TickerContext[int]) == (int,)
