"""The actor whom the audit names, with the id of what they are about to do."""

from dataclasses import KW_ONLY, dataclass
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.errors import TickerValidationError

# The actor in the audit of a change that was made without one.
CODE = "code"
# That of what no one has asked for. No account of a system or a dashboard is written so.
ITSELF = "TickerQ"
_RESERVED = {CODE: "changes without an actor", ITSELF: "what TickerQ does by itself"}
_LONGEST = {"name": 200, "role": 100, "address": 100, "via": 100, "request_id": 200}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts through the managers of ``tickerq.acting_as(actor)``.

    Args:
        name: Who it is, as the host of the code knows them.
        role: What they may do, as the host calls it.
        address: The network address that they come from.
        via: What they use, such as ``dashboard`` or ``cli``.
        request_id: The id of the request that a host serves, as its logs have it.
        operation_id: The id of what they are about to do, a UUID: submitted twice, it is done once.

    Raises:
        TickerValidationError: A text cannot be stored, or the id is no UUID.
    """

    name: str
    _: KW_ONLY
    role: str | None = None
    address: str | None = None
    via: str | None = None
    request_id: str | None = None
    operation_id: UUID | str | None = None

    def __post_init__(self) -> None:
        for field, longest in _LONGEST.items():
            value = getattr(self, field)
            if value is not None or field == "name":
                validation.name(field, value, longest)
        if self.name in _RESERVED:
            raise TickerValidationError("name", self.name, f"it is reserved for {_RESERVED[self.name]}")
        if self.operation_id is not None:
            operation_id = validation.identifier(self.operation_id, "operation_id")
            object.__setattr__(self, "operation_id", operation_id)
