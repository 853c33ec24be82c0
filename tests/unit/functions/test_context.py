import dataclasses
import typing
import uuid
from datetime import UTC, datetime

import pytest

from tickerq_celery.enums import TickerType
from tickerq_celery.functions.context import TickerContext

VALUES: dict[str, typing.Any] = {
    "id": uuid.UUID(int=1),
    "parent_id": None,
    "type": TickerType.TIME_TICKER,
    "function_name": "SendWelcomeEmail",
    "retry_count": 0,
    "is_due": False,
    "scheduled_for": datetime(2030, 1, 1, tzinfo=UTC),
}


def test_a_context_can_be_made_bare_or_with_its_request_type() -> None:
    assert TickerContext(**VALUES, request=1) == TickerContext[int](**VALUES, request=1)


def test_a_context_cannot_be_changed() -> None:
    context = TickerContext(**VALUES, request=1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        context.request = 2  # type: ignore[misc]


def test_a_context_remembers_its_request_type() -> None:
    assert typing.get_origin(TickerContext[int]) is TickerContext
    assert typing.get_args(TickerContext[int]) == (int,)
