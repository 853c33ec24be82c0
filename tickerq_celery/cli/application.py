"""The TickerQ of the application that ``-A`` names, found when a command first wants it."""

import os
import sys
from importlib import import_module

import click
from celery import Celery
from celery.app.utils import find_app

from tickerq_celery.extension import TickerQ


def completing(ctx: click.Context) -> TickerQ | None:
    """Return the TickerQ of the command line that a shell completes, or None."""
    given = ctx.find_root().params
    app = given.get("app_path") or given.get("app")
    try:
        found = _imported(app) if isinstance(app, str) else app
        if found is None:
            return None
        # Functions may stand in modules that the app includes, as in the quick start.
        found.loader.import_default_modules()
        # Those of ticker_function are registered as the app is finalised.
        found.finalize()
        return TickerQ.known(found)
    except Exception:  # noqa: BLE001 - the user's module: what cannot be imported completes nothing
        return None


class Application:
    """Finds the application's TickerQ; calling it returns that."""

    def __init__(self, app: Celery | None, path: str | None, *, is_after_celery: bool) -> None:
        self._app = app
        self._path = path
        self._is_after_celery = is_after_celery
        self.found: TickerQ | None = None

    def __call__(self) -> TickerQ:
        """Return the TickerQ.

        Raises:
            click.ClickException: No application is named, or it cannot be imported, or it has none.
        """
        if self.found is None:
            self.found = self._find()
        return self.found

    def if_named(self) -> TickerQ | None:
        """Return the TickerQ, or None where no application is named.

        Raises:
            click.ClickException: One is, and it cannot be imported, or it has none.
        """
        is_named = self._path is not None or (self._app is not None and TickerQ.known(self._app) is not None)
        return self() if is_named else None

    @property
    def called(self) -> str:
        """How the command is called with an application."""
        return "celery -A yourapp tickerq …" if self._is_after_celery else "tickerq -A yourapp …"

    def _find(self) -> TickerQ:
        app = self._app
        if app is None:
            if self._path is None:
                raise click.UsageError("Missing option '-A' / '--app', which stands before the command.")
            app = _imported(self._path)
        found = TickerQ.known(app)
        if found is None:
            raise click.UsageError(self._without())
        return found

    def _without(self) -> str:
        if self._path is None:
            return f"which application? Pass -A before the command: {self.called}"
        return f"the app of -A {self._path} has no TickerQ: make one in its module, TickerQ(app)"


def _imported(path: str) -> Celery:
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - sys.path holds text
    try:
        return find_app(path)
    except (ImportError, AttributeError) as error:
        raise click.ClickException(f"-A {path}: {_reason(path, error)}") from error


def _reason(path: str, error: Exception) -> str:
    """Return why an app is not there: of ``module:name`` Celery blames a module of that whole name."""
    module, _, name = path.partition(":")
    try:
        import_module(module)
    except ImportError as cause:
        return str(cause)
    except AttributeError:
        return str(error)
    if not name:
        return f"no Celery app was found in it: pass -A {path}:NAME"
    return f"module {module} has no Celery app named {name}"
