"""A route that changes something, to be tried with forms and tokens."""

from uuid import UUID

from pydantic import BaseModel

from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.routing import Route
from tickerq_dashboard.visits import Visit


class Tag(BaseModel):
    """A command, as a form sends it."""

    name: str
    weight: int = 1
    colours: list[str] = []
    operation_id: UUID | None = None


def tag(visit: Visit, command: Tag) -> str:
    actor = visit.actor(command.operation_id)
    return (
        f"{actor.name} {actor.role} {actor.via} {command.name} {command.weight} {'+'.join(command.colours)}"
    )


TAG = Route(
    method="POST",
    path="/tags",
    name="tag",
    permission=Permission.RUNS_RETRY,
    handler=tag,
    command=Tag,
    audit="tags.add",
)
