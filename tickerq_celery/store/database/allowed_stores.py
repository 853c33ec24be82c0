"""Which stores a test-suite may write to: its own, and never by accident the one that an application uses.

The pytest plugin sets the variable, so that the processes which a test starts are bound by it, too.
"""

import os
from fnmatch import fnmatchcase
from pathlib import PurePath

from sqlalchemy.engine import URL

from tickerq_celery.errors import ConfigError
from tickerq_celery.store.database.test_runners import Runner, is_djangos_own, running
from tickerq_celery.store.database.urls import shown_store

# Patterns, one a line. Unset means that pytest does not run; empty, that it allows no store.
VARIABLE = "TICKERQ_ALLOWED_STORES"
_TAKE_OVER = "use tickerq_celery.testing.take_over, whose store is the test's own, or"
_IN_PYTEST = (
    "use the fixture `tickerq`, whose store is the test's own, or name this one in pytest's option "
    "tickerq_allowed_stores"
)
_ADVICE = {
    Runner.PYTEST: _IN_PYTEST,
    Runner.DJANGO: f"{_TAKE_OVER} keep the store in a test database of Django's, or name it in {VARIABLE}",
    Runner.UNITTEST: f"{_TAKE_OVER} name this one in {VARIABLE}",
    Runner.NOSE2: f"{_TAKE_OVER} name this one in {VARIABLE}",
}


def refuse_unallowed(url: URL) -> None:
    """Go on unless a test-suite runs that does not allow writing to the store of ``url``.

    Raises:
        ConfigError: One does.
    """
    patterns, runner = os.environ.get(VARIABLE), running()
    if patterns is None and runner in {None, Runner.PYTEST}:
        return
    if not is_allowed(url, (patterns or "").splitlines()) and not is_djangos_own(url):
        advice = _ADVICE[runner or Runner.PYTEST]
        raise ConfigError("store_url", f"a test was about to write to {shown_store(url)}: {advice}")


def is_allowed(url: URL, patterns: list[str]) -> bool:
    """Return True if a pattern matches the database's name, its file's name, or the address."""
    database = url.database or ""
    names = {database, PurePath(database).name, shown_store(url)}
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)
