"""The settings as a Celery app and the environment give them."""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from celery import VERSION, Celery
from celery.utils.imports import import_from_cwd, symbol_by_name

from tickerq_celery.broker.celery_settings import eager_warning
from tickerq_celery.broker.embedded import transport
from tickerq_celery.clock import SystemClock
from tickerq_celery.enums import SettingSource
from tickerq_celery.errors import ConfigError, TickerValidationError
from tickerq_celery.functions.cron_setting import CronSetting
from tickerq_celery.functions.definition import Function, check_expression
from tickerq_celery.functions.registry import Registry
from tickerq_celery.runtime.config import PREFIX, SETTINGS, TickerConfig, config_from, unknown_setting
from tickerq_celery.runtime.core import Core, new_identity
from tickerq_celery.runtime.text_hook import text_redaction
from tickerq_celery.runtime.urls import shown_broker
from tickerq_celery.store.database.database import Database
from tickerq_celery.store.database.urls import database_file, resolved_url
from tickerq_celery.wording import shortened

logger = logging.getLogger(__name__)

EMBEDDED_VARIABLE = "TICKERQ_EMBEDDED"
_OFF = {"", "0"}
SCHEDULER = "tickerq_celery.scheduler:TickerScheduler"
_CELERYS_SCHEDULER = "celery.beat:PersistentScheduler"
_NOT_A_NAME = {None, "", "__main__"}
_OLDEST_CELERY = (5, 6)


def check_celery(version: tuple[int, int] = VERSION[:2]) -> None:
    """Refuse a Celery whose workers lose sight of their children, in an environment that pip did not check.

    Raises:
        ConfigError: It is older than the oldest that works.
    """
    if version < _OLDEST_CELERY:
        oldest, found = (".".join(map(str, each)) for each in (_OLDEST_CELERY, version))
        raise ConfigError("celery", f"install Celery {oldest} or newer (got {found})")


def read_config(app: Celery, keywords: Mapping[str, object]) -> TickerConfig:
    """Return the settings: keywords, else ``app.conf.tickerq_*``, else the defaults.

    Raises:
        ConfigError: A name is unknown, or a value cannot be used.
    """
    defaults: dict[str, object] = {
        "namespace": "default" if app.main in _NOT_A_NAME else app.main,
        "time_zone": str(app.conf.get("timezone") or "UTC"),
    }
    return config_from(keywords, _ours(app), defaults)


def sources(app: Celery, keywords: Mapping[str, object]) -> Mapping[str, SettingSource]:
    """Return where the value of each setting comes from, as ``read_config`` reads them."""
    configured = {name.removeprefix(PREFIX) for name in _ours(app)}
    found = dict.fromkeys(SETTINGS, SettingSource.DEFAULT)
    if app.main not in _NOT_A_NAME:
        found["namespace"] = SettingSource.APP
    if app.conf.get("timezone"):
        found["time_zone"] = SettingSource.APP
    if os.environ.get(EMBEDDED_VARIABLE, "") not in _OFF:
        found["embedded"] = SettingSource.ENVIRONMENT
    found |= dict.fromkeys(configured, SettingSource.CONFIGURATION)
    return found | dict.fromkeys(keywords, SettingSource.KEYWORD)


def durable_eta(
    app: Celery, keywords: Mapping[str, object], read: Callable[[], TickerConfig]
) -> timedelta | None:
    """Return the setting ``durable_eta``; ``read`` gives all.

    Where it is off, Celery's own calls do not fail for another setting.

    Raises:
        ConfigError: It is given, and a setting cannot be used.
    """
    try:
        return read().durable_eta
    except ConfigError:
        spelt = _spelt(app)
        key = spelt.get(f"{PREFIX}durable_eta")
        if keywords.get("durable_eta", None if key is None else app.conf[key]) is not None:
            raise
        return None


def is_embedded(config: TickerConfig) -> bool:
    """Whether the embedded store and broker were asked for, by setting or environment."""
    return config.embedded or os.environ.get(EMBEDDED_VARIABLE, "") not in _OFF


def broker_folder(store_path: Path | None) -> Path:
    """Return the folder of the embedded broker: beside the store's file, or in the current folder."""
    if store_path is None:
        return Path.cwd() / "tickerq-broker"
    return store_path.with_name(f"{store_path.stem}-broker")


def celery_defaults(app: Celery, read: Callable[[], TickerConfig]) -> dict[str, Any]:
    """Return what Celery's settings shall be where the app leaves them unset; ``read`` gives ours."""
    try:
        config = read()
    except ConfigError:
        # Raised again by what uses the settings first, in one line: here Celery would hide it.
        return {"beat_scheduler": SCHEDULER}
    defaults: dict[str, Any] = {}
    if app.conf.beat_scheduler in {None, _CELERYS_SCHEDULER}:
        defaults["beat_scheduler"] = SCHEDULER
    if config.max_concurrency is not None and not app.conf.worker_concurrency:
        defaults["worker_concurrency"] = config.max_concurrency
    if is_embedded(config) and not has_broker(app):
        store_file = database_file(resolved_url(config.store_url, Path.cwd()))
        defaults["broker_url"] = transport.broker_url(broker_folder(store_file))
    return defaults


def new_core(app: Celery, config: TickerConfig, registry: Registry) -> Core:
    """Return the core of a process whose functions are in ``registry``; it opens nothing.

    Raises:
        ConfigError: A cron expression of a function stands in a setting, and cannot be used or is nowhere; or
            the request of its cron ticker is larger than ``payload_limit``; or ``redact_text`` cannot be
            used.
    """
    registry.change(lambda function: with_cron_setting(app, function))
    _refuse_large_requests(registry, config.payload_limit)
    url = resolved_url(config.store_url, Path.cwd())
    database = Database(url, options=config.store_engine_options, retries=config.store_retries)
    logger.info("tickers: %s", addresses(app, database))
    warning = eager_warning(app)
    if warning is not None:
        logger.warning("%s", warning)
    node = new_identity(config.node_identifier)
    return Core(
        config=config,
        clock=SystemClock(),
        database=database,
        registry=registry,
        node=node,
        # As `celery -A` imports its app: also where the current folder is not on the path.
        redact=text_redaction(config.redact_text, find=partial(symbol_by_name, imp=import_from_cwd)),
    )


def addresses(app: Celery, database: Database) -> str:
    """Return where the store and the broker are, in one line without passwords."""
    return f"store {database.shown}, broker {broker_address(app)}"


def broker_address(app: Celery) -> str:
    """Return where the broker is, without passwords."""
    broker = app.conf.broker_write_url
    return shown_broker(broker) if broker else "Celery's default"


def has_broker(app: Celery) -> bool:
    """Whether the app, or the environment, names a broker."""
    return bool(app.conf.broker_write_url or app.conf.broker_read_url)


def _ours(app: Celery) -> dict[str, Any]:
    """Return the app's ``tickerq_*`` settings, also where they are spelt under its namespace."""
    _refuse_two_spellings(app)
    return {name: app.conf[key] for name, key in _spelt(app).items() if name.startswith(PREFIX)}


def _refuse_two_spellings(app: Any) -> None:
    """Refuse a setting that stands in the configuration with the app's namespace and without it, too."""
    start = f"{app.namespace}_"
    keys = {str(key) for key in app.conf}
    for key in sorted(keys):
        plain = key.removeprefix(start)
        if plain != key and plain in keys and plain.lower().startswith(PREFIX):
            raise ConfigError(plain.lower(), f"{key} and {plain} are both set: keep one of them")


def _spelt(app: Any) -> dict[str, str]:
    """Return how the app spells each of its settings, by the name in lower case without its namespace."""
    prefix = f"{app.namespace or ''}_".lower()
    return {str(key).lower().removeprefix(prefix): key for key in app.conf}


def with_cron_setting(app: Celery, function: Function) -> Function:
    """Return a function whose cron expression is the text that its CronSetting stands for.

    Before the app is finalised its settings are not read, and the function stays as it is.

    Raises:
        ConfigError: The setting is nowhere, or holds no expression that fits the function.
    """
    setting = function.cron
    if not isinstance(setting, CronSetting) or not is_finalised(app):
        return function
    key = _spelt(app).get(setting.name.lower())
    value = setting.value_in(None if key is None else app.conf[key], os.environ)
    if value is None:
        where = f"neither in app.conf.{setting.name} nor in the environment variable {setting.name.upper()}"
        raise ConfigError(setting.name, f"the cron expression of function {function.name} is {where}")
    try:
        return replace(function, cron=check_expression(function, value))
    except TickerValidationError as error:
        reason = f"the cron expression of function {function.name} cannot be used: {error}"
        raise ConfigError(setting.name, reason) from error


def _refuse_large_requests(registry: Registry, limit: int) -> None:
    for function in registry:
        size = 0 if function.request is None else len(function.request)
        if size > limit:
            reason = f"the request in the code of function {function.name} takes {size} bytes as JSON"
            raise ConfigError(f"{PREFIX}payload_limit", f"{limit} bytes are too few: {reason}")


def checked_keywords(keywords: Mapping[str, object], named: Mapping[str, object]) -> dict[str, object]:
    """Return the settings that a TickerQ is made with, and refuse keywords that are none, where they stand.

    Of those that are ``named`` one by one, None is not set.

    Raises:
        ConfigError: A name is unknown, or Celery is too old.
    """
    check_celery()
    for name in keywords:
        if name not in SETTINGS:
            raise unknown_setting(name)
    return {**keywords, **{name: value for name, value in named.items() if value is not None}}


def checked_app(app: object) -> Celery:
    """Return the Celery app that a TickerQ is made for.

    Raises:
        ConfigError: It is none.
    """
    if not isinstance(app, Celery):
        raise ConfigError("app", f"pass a Celery app (got {shortened(app)})")
    return maybe_unwrapped(app)


def maybe_unwrapped(app: Celery) -> Celery:
    """Return the app behind the proxy that ``current_app`` and the command line hand out."""
    unwrap: Callable[[], Celery] | None = getattr(app, "_get_current_object", None)
    return app if unwrap is None else unwrap()


def finalise(app: Celery) -> None:
    """Let an app run its pending decorators, unless it has."""
    if not is_finalised(app):
        app.finalize(auto=True)


def is_finalised(app: Any) -> bool:
    """Return True if a Celery app takes no more pending decorators."""
    return bool(app.finalized)
