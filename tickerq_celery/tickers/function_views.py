"""Functions as users see them: options, versions, pauses, active runs and figures."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tickerq_celery.deferred import Deferred
from tickerq_celery.enums import OnLost, TickerPriority
from tickerq_celery.tickers.counts import RunCounts
from tickerq_celery.tickers.figures import FunctionFigures
from tickerq_celery.tickers.pauses import Pause

if TYPE_CHECKING:
    from tickerq_celery.payload.examples import example_of
else:
    example_of = Deferred("tickerq_celery.payload.examples", "example_of")


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionVersion:
    """One way in which live workers define a function, and the names of those workers.

    Two have the same ``digest`` if their options and their request's schema are equal; what the body does is
    not compared. ``settings`` are those options by name, as JSON has them: durations in seconds, a digest of
    the schema. They are None of a worker of an earlier version, which does not say them.
    """

    digest: str
    nodes: tuple[str, ...]
    settings: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingValue:
    """A value of a setting as JSON has it, and the live workers that have it; none: as registered last."""

    value: Any
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingDifference:
    """A setting in which definitions of a function differ, with its values, the most common one first."""

    setting: str
    values: tuple[SettingValue, ...]


def differences_of(versions: Sequence[FunctionVersion]) -> tuple[SettingDifference, ...]:
    """Return the settings in which versions differ, as far as their workers say them, by name."""
    known = [(each.settings, each.nodes) for each in versions if each.settings is not None]
    found = []
    for name in sorted({name for settings, _ in known for name in settings}):
        by_text: dict[str, list[str]] = {}
        for settings, nodes in known:
            by_text.setdefault(json.dumps(settings.get(name), sort_keys=True), []).extend(nodes)
        if len(by_text) > 1:
            in_order = sorted(by_text.items(), key=lambda each: (-len(each[1]), each[0]))
            values = [SettingValue(value=json.loads(text), nodes=tuple(on)) for text, on in in_order]
            found.append(SettingDifference(setting=name, values=tuple(values)))
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSettings:
    """What workers register of a function, with the defaults of its options.

    ``summary`` is the first line of its docstring, ``request_schema`` a JSON schema.
    """

    name: str
    summary: str | None = None
    queue: str | None = None
    max_concurrency: int | None = None
    max_concurrency_per_key: int | None = 1
    rate_limit: str | None = None
    retries: int = 0
    retry_intervals: tuple[timedelta, ...] = ()
    timeout: timedelta | None = None
    hard_timeout: timedelta | None = None
    request_schema: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionView(FunctionSettings):
    """A function as the worker that started last registered it, and how it is at one moment.

    ``path`` is where its code is, ``summary`` the first line of its docstring. ``queue`` is its own, None
    where Celery's router decides. None is no limit of ``max_concurrency``, ``max_concurrency_per_key`` and
    ``rate_limit``, and no timeout of its own. ``request_schema`` is a JSON schema, None where any request, or
    none, fits; defaults and examples of what ``redact`` names are masked in it. ``registered_at`` is when it
    was first registered, ``updated_at`` when it last changed.

    One that no worker ever registered is known because runs are held for it, or cron tickers name it. Its
    ``registered_at``, ``updated_at``, ``path`` and ``digest`` are None, and its options the defaults.
    ``routed_queue`` is where its messages go: its own queue, else that of its route; None where the route
    names an exchange only, or the application's router fails.

    ``versions`` are those of the live workers that have it, and ``differences`` the settings in which these
    differ, or from how it was registered last. ``pauses`` hold all of its runs; a pause of a tag
    may hold some. ``active`` counts its runs that have not ended. ``figures`` are of the last 24 hours, from
    the beginning of an hour; None where there are too many of all functions asked for: ask for fewer.
    """

    namespace: str
    path: str | None
    priority: TickerPriority
    on_lost: OnLost
    registered_at: datetime | None
    updated_at: datetime | None
    digest: str | None
    versions: tuple[FunctionVersion, ...]
    pauses: tuple[Pause, ...]
    active: RunCounts
    figures: FunctionFigures | None = None
    routed_queue: str | None = None
    differences: tuple[SettingDifference, ...] = ()

    @property
    def is_registered(self) -> bool:
        """Whether a worker ever registered it."""
        return self.registered_at is not None

    @property
    def request_example(self) -> Any:
        """A request, as JSON has it, that fits the schema; None where there is none, or none was found."""
        return None if self.request_schema is None else example_of(self.request_schema)

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names of the live workers that have it; without one, its runs are held."""
        return tuple(sorted(name for version in self.versions for name in version.nodes))

    @property
    def is_skewed(self) -> bool:
        """Whether a live worker defines it in another way than it was registered last."""
        return any(version.digest != self.digest for version in self.versions)

    @property
    def is_paused(self) -> bool:
        """Whether a pause holds all of its runs."""
        return bool(self.pauses)
