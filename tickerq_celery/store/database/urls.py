"""The address of a store: as a user may write it, and as it is shown, without what opens it."""

import re

from sqlalchemy.engine import URL, make_url

from tickerq_celery.store.database.dialects import SPELLINGS

HIDDEN = "***"
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


def shown_store(url: URL) -> str:
    """Return the store's address without passwords."""
    return without_secret_arguments(url.render_as_string(hide_password=True))


def without_secret_arguments(text: str) -> str:
    """Return a URL whose arguments that may be secret are masked, by their names."""
    return _SECRET_ARGUMENT.sub(rf"\1{HIDDEN}", text)
