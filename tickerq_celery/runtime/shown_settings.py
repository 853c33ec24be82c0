"""The values of settings as people may see them: without passwords, keys and whatever may be one."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from enum import Enum

from tickerq_celery.functions.retention import Retention
from tickerq_celery.payload.redaction import MASK
from tickerq_celery.runtime.config import TickerConfig
from tickerq_celery.runtime.urls import shown_broker
from tickerq_celery.wording import exactly

NONE = "none"
# Of what SQLAlchemy's engines take, the texts that are words of its own.
_WORDS_OF_ENGINES = frozenset({"isolation_level", "paramstyle", "logging_name", "pool_logging_name"})
_DOTTED_NAME = re.compile(r"[\w.:]+")


def shown_settings(config: TickerConfig, store: str) -> Mapping[str, str]:
    """Return each setting's value as people may see it; ``store`` is the store's shown address."""
    found = {each.name: _shown(getattr(config, each.name)) for each in fields(config)}
    return found | {
        "store_url": store,
        "encryption_keys": _count(config.encryption_keys),
        "store_engine_options": _options(config.store_engine_options) or NONE,
    }


def _shown(value: object) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{_shown(name)}: {_shown(each)}" for name, each in value.items()) or NONE
    if isinstance(value, Sequence):
        return ", ".join(map(_shown, value)) or NONE
    if isinstance(value, Retention):
        return str(value)
    return _plain(value)


def _plain(value: object) -> str:
    if value is None:
        return NONE
    if isinstance(value, timedelta):
        return exactly(value)
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, bool | float):
        return f"{value}"
    return f"{value:,}" if isinstance(value, int) else _name_of(value)


def _name_of(value: object) -> str:
    """Return how code names a class, a function or what an object is made of: its ``repr`` may say more."""
    named = value if hasattr(value, "__qualname__") else type(value)
    return f"{named.__module__}.{getattr(named, '__qualname__', '')}"


def _text(value: str) -> str:
    # Wherever an address stands, it may have a password.
    return value if "://" not in value else shown_broker(value)


def _count(keys: Sequence[str]) -> str:
    if not keys:
        return NONE
    return f"{MASK} ({len(keys)} {'key' if len(keys) == 1 else 'keys'})"


def _options(options: Mapping[str, object]) -> str:
    return ", ".join(f"{name}: {_option(name, value)}" for name, value in options.items())


def _option(name: str, value: object) -> str:
    """Return an option of an engine; a text may be a password by any name, and so is none shown."""
    if isinstance(value, Mapping):
        return f"{{{_options(value)}}}"
    if isinstance(value, str):
        return value if name in _WORDS_OF_ENGINES and _DOTTED_NAME.fullmatch(value.replace(" ", "")) else MASK
    if isinstance(value, bytes | bytearray | list | tuple | set | frozenset):
        return MASK
    return _plain(value)
