"""What every command says beside its own fields."""

from typing import Annotated, Any
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field

from tickerq_celery.limits import LONGEST_DESCRIPTION

# The core keeps a reason as long as a description.
LONGEST_REASON = LONGEST_DESCRIPTION
LONGEST_VERSION = 200


class Once(BaseModel):
    """The one-time id of an operation, which makes a form or a call that is sent twice take effect once.

    A body without one is an operation of its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    operation_id: UUID = Field(default_factory=uuid4)


class Command(Once):
    """What is done to one object: its one-time id, which version was seen, and why."""

    expected: Annotated[str, Field(max_length=LONGEST_VERSION)] | None = None
    reason: Annotated[str, Field(max_length=LONGEST_REASON)] | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """What the core's verb is given besides the id of its object."""
        return self.model_dump(exclude={"operation_id"})


class Resume(Command):
    """How a cron ticker goes on: ``missed`` lets its misfire policy decide on what passed in the pause."""

    missed: bool = False


class Terminate(Command):
    """What is killed, and the name of its function, typed anew."""

    typed: Annotated[str, Field(max_length=LONGEST_REASON)] = ""

    @property
    def arguments(self) -> dict[str, Any]:
        """What the core's verb is given besides the id of its object."""
        return {**self.model_dump(exclude={"operation_id", "typed"}), "terminate": True}
