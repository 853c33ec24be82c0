"""The address of a store: as a user may write it, and as it is shown, without what opens it."""

import re
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from tickerq_celery.errors import ConfigError
from tickerq_celery.store.database.dialects import SPELLINGS, dialect_of
from tickerq_celery.wording import HIDDEN

_SECRET_ARGUMENT = re.compile(
    r"(?<=[?&])((?:[\w.%-]*(?:password|passwd|passphrase|pwd|secret|token)[\w.%-]*|pass)=)[^&]*",
    re.IGNORECASE,
)


def parsed_url(text: str) -> URL:
    """Return a database URL, also where it is spelt as others than SQLAlchemy spell it.

    Raises:
        ArgumentError: It cannot be read; the error may quote it.
        ValueError: Its port is no number.
    """
    url = make_url(text)
    return url.set(drivername=SPELLINGS.get(url.drivername, url.drivername))


def resolved_url(url: str, folder: Path) -> URL:
    """Return the store's URL with a SQLite path made absolute under ``folder``.

    Raises:
        ConfigError: The URL cannot be read, names an unsupported database, or an in-memory one.
    """
    try:
        parsed = parsed_url(url)
    except (ArgumentError, ValueError):
        # Not shown, nor the error that may quote it: where it ends and a password begins is unknown.
        raise ConfigError("store_url", "not a database URL") from None
    return dialect_of(parsed.get_backend_name()).resolved(parsed, folder)


def database_file(url: URL) -> Path | None:
    """Return the file of a SQLite store, or None for a server's."""
    return dialect_of(url.get_backend_name()).file_of(url)


def shown_store(url: URL) -> str:
    """Return the store's address without passwords."""
    return without_secret_arguments(url.render_as_string(hide_password=True))


def without_secret_arguments(text: str) -> str:
    """Return a URL whose arguments that may be secret are masked, by their names."""
    return _SECRET_ARGUMENT.sub(rf"\1{HIDDEN}", text)
