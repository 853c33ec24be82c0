"""The settings: read once, checked once, frozen."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Concatenate, Literal, ParamSpec, TypedDict, TypeVar

from tickerq_celery import validation
from tickerq_celery.enums import TickerPriority
from tickerq_celery.errors import ConfigError, TickerValidationError
from tickerq_celery.functions.retention import Retention, RetentionSettings, retention_of
from tickerq_celery.payload.codec import LARGEST_REQUEST, codec_of
from tickerq_celery.payload.redaction import SECRET_NAMES
from tickerq_celery.schedule.cron_expression import find_zone
from tickerq_celery.wording import exactly, meant_by, shortened

PREFIX = "tickerq_"
_DURATIONS = (
    "poll_interval",
    "late_after",
    "lease",
    "heartbeat",
    "publish_check",
    "republish_after",
    "durable_eta_timeout",
    "durable_eta_connect_timeout",
)
_LONGEST_NAME = 100
_LONGEST_PATH = 4096
_LONGEST_DURATION = timedelta(days=366)
# PostgreSQL takes no limit of a statement of more than 24 days.
_LONGEST_READ = timedelta(hours=1)
# From which number to which; None is no bound.
_COUNTS = {
    "max_queued": (1, None),
    "batch_size": (1, None),
    "store_retries": (0, None),
    "read_connections": (1, None),
    "payload_limit": (1, LARGEST_REQUEST),
    "max_rescues": (0, None),
}
T = TypeVar("T")
P = ParamSpec("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class TickerConfig:
    """Every setting of a TickerQ, with its default; durations may be given in seconds."""

    store_url: str = "sqlite:///tickerq.db"
    embedded: bool = False
    namespace: str = "default"
    node_identifier: str | None = None
    max_concurrency: int | None = None
    time_zone: str = "UTC"
    poll_interval: timedelta = timedelta(seconds=1)
    late_after: timedelta = timedelta(seconds=5)
    lease: timedelta = timedelta(seconds=30)
    heartbeat: timedelta = timedelta(seconds=10)
    publish_check: timedelta = timedelta(seconds=10)
    republish_after: timedelta = timedelta(minutes=5)
    durable_eta: timedelta | None = None
    durable_eta_timeout: timedelta = timedelta(seconds=1)
    durable_eta_connect_timeout: timedelta = timedelta(seconds=5)
    durable_eta_fallback: Literal["celery"] | None = None
    batch_size: int = 500
    max_queued: int = 10_000
    priority_queues: Mapping[TickerPriority, str] = field(default_factory=dict)
    max_rescues: int = 3
    payload_limit: int = 1024 * 1024
    compress_over: int | None = 4096
    encryption_keys: Sequence[str] = field(default=(), repr=False)
    redact: Sequence[str] = SECRET_NAMES
    redact_text: Callable[[str], str] | str | None = None
    capture_logs: str | None = None
    exception_handler: object = None
    seed: bool = True
    store_engine_options: Mapping[str, object] = field(default_factory=dict)
    store_retries: int = 3
    read_connections: int = 4
    read_budget: timedelta = timedelta(seconds=2)
    retention: Retention = field(default_factory=Retention)
    auto_prune: bool = True
    prune_archive: str | None = None

    def __post_init__(self) -> None:
        for name in _DURATIONS:
            object.__setattr__(self, name, _duration(name, getattr(self, name)))
        if self.durable_eta is not None:
            object.__setattr__(self, "durable_eta", _duration("durable_eta", self.durable_eta))
        object.__setattr__(self, "read_budget", _duration("read_budget", self.read_budget, _LONGEST_READ))
        for name, (least, most) in _COUNTS.items():
            _checked(validation.whole, name, getattr(self, name), least, most)
        for name in ("seed", "embedded", "auto_prune"):
            _checked(validation.flag, name, getattr(self, name))
        object.__setattr__(self, "priority_queues", _queues(self.priority_queues))
        object.__setattr__(self, "retention", _retention(self.retention))
        self._check_names()
        self._check_limits()
        self._check_payloads()

    def _check_names(self) -> None:
        _checked(validation.name, "namespace", self.namespace, _LONGEST_NAME)
        if self.node_identifier is not None:
            _checked(validation.name, "node_identifier", self.node_identifier, _LONGEST_NAME)
        if self.prune_archive is not None:
            _checked(validation.name, "prune_archive", self.prune_archive, _LONGEST_PATH)
        if not isinstance(self.store_url, str):
            raise ConfigError("store_url", f"pass a database URL (got {shortened(self.store_url)})")
        if not isinstance(self.store_engine_options, Mapping):
            raise ConfigError(f"{PREFIX}store_engine_options", "pass a dict of SQLAlchemy engine options")
        try:
            find_zone(self.time_zone)
        except TickerValidationError as error:
            reason = f"{error.reason} (got {shortened(self.time_zone)}; where it is unset, app.conf.timezone)"
            raise ConfigError(f"{PREFIX}time_zone", reason) from error

    def _check_limits(self) -> None:
        if self.max_concurrency is not None:
            _checked(validation.whole, "max_concurrency", self.max_concurrency, 1)
        if self.durable_eta_fallback not in (None, "celery"):
            raise ConfigError(
                f"{PREFIX}durable_eta_fallback",
                f'pass "celery", or None to raise (got {shortened(self.durable_eta_fallback)})',
            )
        if self.heartbeat * 2 > self.lease:
            raise ConfigError(
                f"{PREFIX}lease",
                f"{exactly(self.lease)} leaves no room for two heartbeats of {exactly(self.heartbeat)}",
            )

    def _check_payloads(self) -> None:
        for name in ("encryption_keys", "redact"):
            object.__setattr__(self, name, _texts(name, getattr(self, name)))
        hook: object = self.redact_text
        if not (hook is None or callable(hook) or (isinstance(hook, str) and hook)):
            raise ConfigError(
                f"{PREFIX}redact_text", f"pass a function, or the dotted path to one (got {shortened(hook)})"
            )
        if self.capture_logs is not None and self.capture_logs not in logging.getLevelNamesMapping():
            raise ConfigError(
                f"{PREFIX}capture_logs", f"no such level of logging (got {shortened(self.capture_logs)})"
            )
        if self.compress_over is not None:
            _checked(validation.whole, "compress_over", self.compress_over, 0)
        codec_of(self.compress_over, tuple(self.encryption_keys), tuple(self.redact))


class Settings(TypedDict, total=False):
    """The settings that are keywords of ``TickerQ`` without being parameters of their own."""

    namespace: str
    node_identifier: str | None
    max_concurrency: int | None
    time_zone: str
    poll_interval: timedelta | float
    late_after: timedelta | float
    lease: timedelta | float
    heartbeat: timedelta | float
    publish_check: timedelta | float
    republish_after: timedelta | float
    durable_eta: timedelta | float | None
    durable_eta_timeout: timedelta | float
    durable_eta_connect_timeout: timedelta | float
    durable_eta_fallback: Literal["celery"] | None
    batch_size: int
    max_queued: int
    priority_queues: Mapping[TickerPriority, str] | Mapping[str, str]
    max_rescues: int
    payload_limit: int
    compress_over: int | None
    encryption_keys: Sequence[str]
    redact: Sequence[str]
    redact_text: Callable[[str], str] | str | None
    capture_logs: str | None
    seed: bool
    store_engine_options: Mapping[str, object]
    store_retries: int
    read_connections: int
    read_budget: timedelta | float
    retention: RetentionSettings | None
    auto_prune: bool
    prune_archive: str | None


SETTINGS = tuple(setting.name for setting in fields(TickerConfig))


def config_from(
    keywords: Mapping[str, object], conf: Mapping[str, object], defaults: Mapping[str, object]
) -> TickerConfig:
    """Return the checked settings: keywords before ``conf`` before ``defaults``.

    ``conf`` holds names with the ``tickerq_`` prefix, ``keywords`` and ``defaults`` without.

    Raises:
        ConfigError: A name is unknown, or a value cannot be used.
    """
    values = dict(defaults)
    for name, value in conf.items():
        setting = name.removeprefix(PREFIX)
        if setting not in SETTINGS:
            raise unknown_setting(name)
        values[setting] = value
    for setting, value in keywords.items():
        if setting not in SETTINGS:
            raise unknown_setting(setting)
        values[setting] = value
    return TickerConfig(**values)  # type: ignore[arg-type]  # checked by __post_init__


def unknown_setting(name: str) -> ConfigError:
    """Return the error for a name that is no setting, with the one that may have been meant."""
    prefix = PREFIX if name.startswith(PREFIX) else ""
    return ConfigError(name, f"no such setting{meant_by(name, [prefix + each for each in SETTINGS])}")


def _checked(
    check: Callable[Concatenate[str, object, P], T],
    name: str,
    value: object,
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Return what ``check`` makes of a setting's value; what it refuses is a ConfigError."""
    try:
        return check(name, value, *args, **kwargs)
    except TickerValidationError as error:
        raise ConfigError(PREFIX + name, f"{error.reason} (got {shortened(value)})") from error


def _duration(name: str, value: object, most: timedelta = _LONGEST_DURATION) -> timedelta:
    return _checked(validation.duration, name, value, least=validation.MORE_THAN_ZERO, most=most)


def _texts(name: str, value: object) -> tuple[str, ...]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        texts = tuple(each for each in value if isinstance(each, str) and each)
        if len(texts) == len(value):
            return texts
    # Not shown: these may be keys.
    raise ConfigError(PREFIX + name, f"pass a list of str, none of them empty (got {type(value).__name__})")


def _queues(value: object) -> Mapping[TickerPriority, str]:
    """Return the queues by priority; a priority may be given by its name, as in a settings file."""
    setting = f"{PREFIX}priority_queues"
    if not isinstance(value, Mapping):
        raise ConfigError(setting, f"pass a dict of priorities and queues (got {shortened(value)})")
    found = {}
    for priority, queue in value.items():
        member = _checked(validation.member, "priority_queues", priority, TickerPriority)
        _checked(validation.name, "priority_queues", queue, _LONGEST_NAME)
        found[member] = queue
    return found


def _retention(value: object) -> Retention:
    try:
        return retention_of(value)
    except TickerValidationError as error:
        raise ConfigError(PREFIX + error.field, f"{error.reason} (got {shortened(error.value)})") from error
