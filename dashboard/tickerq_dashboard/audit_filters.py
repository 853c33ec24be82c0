"""What an address asks of the audit."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from tickerq_dashboard.filters import ListQuery, Text, TypedQuery
from tickerq_dashboard.show.audited import action_words
from tickerq_dashboard.show.ids import short_id
from tickerq_dashboard.show.moments import Clock

# What the audit is about.
AUDITED = ("run", "cron_ticker", "function", "tag", "everything", "bulk_job", "rollup", "host")


def _kind(text: str) -> str:
    if text and text not in AUDITED:
        raise ValueError("the audit has no such kind")
    return text


class AuditFilters(ListQuery):
    """Which entries of the audit are meant; ``object`` is an id, or the name of what is paused."""

    actor: Text = ""
    action: Text = ""
    outcome: Annotated[str, Field(pattern="^(done|unchanged|refused)?$")] = ""
    kind: Annotated[str, AfterValidator(_kind), Field(title="about")] = ""
    object: Text = ""
    since: AwareDatetime | None = None
    until: Annotated[AwareDatetime | None, Field(title="before")] = None

    @model_validator(mode="after")
    def _check_kind(self) -> Self:
        if self.object and not self.kind:
            raise ValueError("choose what kind of object that is, too")
        return self

    @property
    def criteria(self) -> dict[str, Any]:
        """What the store is asked for, as keywords of the audit."""
        given = {
            "actor": self.actor,
            "action": self.action,
            "outcome": self.outcome,
            "object_kind": self.kind,
            "object_id": self.object,
            "since": self.since,
            "until": self.until,
        }
        return {name: value for name, value in given.items() if value}

    def _said(self, name: str, clock: Clock) -> str:
        said = super()._said(name, clock)
        if name == "action":
            return action_words(said)
        if name == "object":
            return short_id(said)
        return said.replace("_", " ") if name == "kind" else said


class AuditQuery(AuditFilters, TypedQuery):
    """Which entries of the audit are shown."""
