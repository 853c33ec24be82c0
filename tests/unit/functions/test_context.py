import dataclasses
import typing

import pytest

from tests.unit.functions.context_values import VALUES
from tickerq_celery.functions.context import TickerContext


def test_a_context_can_be_made_bare_or_with_its_request_type() -> None:
    assert TickerContext(**VALUES, request=1) == TickerContext[int](**VALUES, request=1)


def test_a_context_cannot_be_changed() -> None:
    context = TickerContext(**VALUES, request=1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        context.request = 2  # type: ignore[misc]


def test_a_context_remembers_its_request_type() -> None:
    assert typing.get_origin(TickerContext[int]) is TickerContext
    assert typing.get_args(TickerContext[int]) == (int,)
