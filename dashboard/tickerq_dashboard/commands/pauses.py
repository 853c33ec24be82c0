"""Pause and resume a function, a tag, or everything."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from tickerq_celery.limits import LONGEST_FUNCTION
from tickerq_celery.typing import Managers
from tickerq_celery.views import Pause
from tickerq_dashboard.commands.command import LONGEST_REASON, LONGEST_VERSION, Once


class Scoped(Once):
    """What is paused, or was, and why; ``name`` is the function or the tag."""

    kind: Literal["function", "tag", "everything"]
    name: Annotated[str, Field(max_length=LONGEST_FUNCTION)] = ""
    reason: Annotated[str, Field(max_length=LONGEST_REASON)] | None = None

    @model_validator(mode="after")
    def _check_name(self) -> Self:
        if bool(self.name) == (self.kind == "everything"):
            raise ValueError("a function and a tag need a name, everything takes none")
        return self

    @property
    def scope(self) -> dict[str, Any]:
        """What the core is to pause or to resume."""
        return {self.kind: self.name or True}


class PauseScope(Scoped):
    """What is to be paused."""

    def apply(self, managers: Managers) -> Pause:
        """Pause it; raises what ``pauses.pause`` does."""
        return managers.pauses.pause(**self.scope, reason=self.reason)


class ResumeScope(Scoped):
    """What is to be resumed: the pause that was seen; ``missed`` lets misfire policies decide."""

    expected: Annotated[str, Field(max_length=LONGEST_VERSION)] | None = None
    missed: bool = False

    def apply(self, managers: Managers) -> Pause:
        """Resume it; raises what ``pauses.resume`` does."""
        return managers.pauses.resume(
            **self.scope, missed=self.missed, expected=self.expected, reason=self.reason
        )
