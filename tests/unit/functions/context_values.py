"""What a context is made of, apart from its request."""

import typing
import uuid
from datetime import UTC, datetime

from tickerq_celery.enums import TickerType

VALUES: dict[str, typing.Any] = {
    "id": uuid.UUID(int=1),
    "parent_id": None,
    "type": TickerType.TIME_TICKER,
    "function_name": "SendWelcomeEmail",
    "retry_count": 0,
    "is_late": False,
    "scheduled_for": datetime(2030, 1, 1, tzinfo=UTC),
}
