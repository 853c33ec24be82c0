"""Beats and workers, as JSON."""

from uuid import UUID

from tickerq_dashboard.api.fields import Answer, Moment, Seconds, Word


class NodeAnswer(Answer):
    """A beat or worker."""

    id: UUID
    namespace: str
    kind: Word
    name: str
    host: str
    pid: int
    version: str
    state: Word
    queues: tuple[str, ...]
    pool: str | None
    concurrency: int | None
    prefetch: int | None
    memory: int | None
    clock_offset: Seconds
    heartbeat: Seconds
    lease: Seconds
    started_at: Moment
    seen_at: Moment
    silent_for: Seconds
    stopping_since: Moment | None
    ticked_at: Moment | None
    claimed: int | None
    pruned_at: Moment | None
    pruned: int | None
    refusal: str | None
    refused_since: Moment | None
    refused_at: Moment | None
    running: int
    functions: tuple[str, ...]
    missing_functions: tuple[str, ...]


class LostNodeAnswer(Answer):
    """A beat or worker that was found dead."""

    id: UUID
    kind: Word
    name: str
    host: str
    pid: int
    version: str
    queues: tuple[str, ...]
    started_at: Moment
    seen_at: Moment
    stopping_since: Moment | None
    found_at: Moment
    found_by: str
    returned_at: Moment | None


class NodesAnswer(Answer):
    """The beats and workers that are there, and those that were lost lately."""

    items: tuple[NodeAnswer, ...]
    lost: tuple[LostNodeAnswer, ...]
