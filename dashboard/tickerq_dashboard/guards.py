"""The guard of every page: it names the user of a request, or answers 401."""

import logging
from collections.abc import Callable, Mapping

from flask import Request, Response, g, request
from flask_httpauth import HTTPBasicAuth  # type: ignore[import-untyped]  # it ships no types

from tickerq_celery.errors import ConfigError
from tickerq_dashboard.accounts import UserEntry, accounts_of
from tickerq_dashboard.credentials import PasswordCheck

logger = logging.getLogger(__name__)

HostAuth = Callable[[Request], str | None]
Guard = Callable[[], Response | None]

REFUSAL = "Log in to see this dashboard.\n"


def guard_of(users: Mapping[str, UserEntry] | None, auth: HostAuth | str | None) -> Guard:
    """Return the guard for these users, for the host's own log-in, or for no log-in at all."""
    if users is not None and auth is not None:
        raise ConfigError("auth", "give users or auth, not both")
    if users:
        return basic_guard(PasswordCheck(accounts_of(users)))
    if users is not None or auth is None:
        raise ConfigError(
            "users",
            'no user could log in: pass users={"name": password_hash}, or auth=callable, or auth="none"',
        )
    if callable(auth):
        return host_guard(auth)
    if auth == "none":
        logger.warning("the dashboard asks for no log-in: anyone who reaches its address can read it")
        return open_guard
    raise ConfigError("auth", 'must be a callable that takes the request, or literally "none"')


def basic_guard(check: PasswordCheck) -> Guard:
    """Return a guard that asks the browser for a name and a password."""
    basic = HTTPBasicAuth(realm="TickerQ")
    basic.verify_password(check)
    basic.error_handler(_refusal)

    def ask() -> Response | None:
        # Not login_required: it lets OPTIONS through without credentials.
        user = basic.authenticate(basic.get_auth(), None)
        if not user:
            refusal: Response = basic.auth_error_callback()
            return refusal
        g.tickerq_user = user
        return None

    return ask


def host_guard(auth: HostAuth) -> Guard:
    """Return a guard that asks the host application who is there."""

    def ask() -> Response | None:
        user = auth(request)
        if user is not None and not isinstance(user, str):
            raise TypeError(f"auth returned {type(user).__name__}: return the user's name, or None")
        if not user:
            refusal = _refusal()
            # A scheme that browsers do not know opens no password box of their own.
            refusal.headers["WWW-Authenticate"] = 'Session realm="TickerQ"'
            return refusal
        g.tickerq_user = user
        return None

    return ask


def open_guard() -> Response | None:
    """Allow every request; the pages say so."""
    g.tickerq_user = None
    return None


def _refusal() -> Response:
    return Response(REFUSAL, status=401, mimetype="text/plain")
