"""Functions as JSON: how they are defined, what of them is active, and how they do."""

from tickerq_dashboard.api.fields import Answer, Json, ListAnswer, Moment, Seconds, Word
from tickerq_dashboard.api.figure_answers import Counted, EndCountsAnswer, TimingAnswer
from tickerq_dashboard.api.pause_answers import PauseAnswer


class ActiveCounts(Answer):
    """How many runs are active, each counted once."""

    in_progress: Counted
    queued: Counted
    published: Counted
    due: Counted
    due_since: Moment | None
    scheduled: Counted


class FunctionFiguresAnswer(Answer):
    """How the runs of a function ended in the last 24 hours."""

    counts: EndCountsAnswer
    durations: TimingAnswer
    last_failed_at: Moment | None


class FunctionVersionAnswer(Answer):
    """One way in which live workers define a function."""

    digest: str
    nodes: tuple[str, ...]


class SettingValueAnswer(Answer):
    """A value of a setting, and the live workers that have it; none: as registered last."""

    value: Json
    nodes: tuple[str, ...]


class SettingDifferenceAnswer(Answer):
    """A setting in which live workers' definitions differ; durations are seconds."""

    setting: str
    values: tuple[SettingValueAnswer, ...]


class FunctionAnswer(Answer):
    """A function as the worker that started last registered it; the example fits its request's schema."""

    namespace: str
    name: str
    path: str | None
    summary: str | None
    is_registered: bool
    is_skewed: bool
    is_paused: bool
    nodes: tuple[str, ...]
    queue: str | None
    routed_queue: str | None
    priority: Word
    max_concurrency: int | None
    max_concurrency_per_key: int | None
    rate_limit: str | None
    on_lost: Word
    retries: int
    retry_intervals: tuple[Seconds, ...]
    timeout: Seconds | None
    hard_timeout: Seconds | None
    request_schema: Json
    request_example: Json = None
    registered_at: Moment | None
    updated_at: Moment | None
    digest: str | None
    versions: tuple[FunctionVersionAnswer, ...]
    differences: tuple[SettingDifferenceAnswer, ...]
    pauses: tuple[PauseAnswer, ...]
    active: ActiveCounts
    figures: FunctionFiguresAnswer | None


class FunctionList(ListAnswer):
    """Part of the list of functions, by name."""

    items: tuple[FunctionAnswer, ...]
