"""Which log-in a dashboard has: by passwords, by the host application, or none; and tokens of programs."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Response, request

from tickerq_celery.errors import ConfigError
from tickerq_dashboard.access.accounts import UserEntry, accounts_of
from tickerq_dashboard.access.basic import LOG_IN, BasicLogin, unauthorized
from tickerq_dashboard.access.credentials import PasswordCheck
from tickerq_dashboard.access.guard import Identify
from tickerq_dashboard.access.host_auth import HostAuth, HostLogin, NoLogin
from tickerq_dashboard.access.refusals import RefusalLog
from tickerq_dashboard.access.roles import Permissions
from tickerq_dashboard.access.throttle import Throttle
from tickerq_dashboard.access.tokens import ApiTokens, TokenEntry
from tickerq_dashboard.access.visitors import Visitor

logger = logging.getLogger(__name__)


class BearerLogin:
    """Takes a token where a request brings one, and asks another log-in where it does not."""

    def __init__(
        self, tokens: ApiTokens, throttle: Throttle, otherwise: Identify, refusals: RefusalLog
    ) -> None:
        self._tokens = tokens
        self._throttle = throttle
        self._otherwise = otherwise
        self._refusals = refusals

    def __call__(self) -> Visitor | Response:
        """Return which program is there, or what the other log-in says.

        Raises:
            ThrottledError: It cannot be tried now.
        """
        given = request.authorization
        if given is None or given.type != "bearer":
            return self._otherwise()
        visitor = self._tokens.visitor(given.token or "")
        if visitor is None:
            self._throttle.begin(request.remote_addr)
            self._refusals(LOG_IN, "wrong token")
            return unauthorized("This token is not known.\n", scheme="Bearer")
        return visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginSettings:
    """Who may log in, as the host of the dashboard gives it."""

    users: Mapping[str, UserEntry] | None
    auth: HostAuth | str | None
    api_tokens: Mapping[str, TokenEntry] | None
    roles: Mapping[str, Permissions]


def login_of(settings: LoginSettings, refusals: RefusalLog) -> Identify:
    """Return what finds out who is there.

    Raises:
        ConfigError: No user could log in, or an entry of a user or a token cannot be used.
    """
    throttle = Throttle()
    people = _people(settings, throttle, refusals)
    if not settings.api_tokens:
        return people
    tokens = ApiTokens(settings.api_tokens, settings.roles, taken=settings.users or ())
    return BearerLogin(tokens, throttle, people, refusals)


def _people(settings: LoginSettings, throttle: Throttle, refusals: RefusalLog) -> Identify:
    users, auth = settings.users, settings.auth
    if users is not None and auth is not None:
        raise ConfigError("auth", "give users or auth, not both")
    if users:
        return BasicLogin(PasswordCheck(accounts_of(users), throttle), settings.roles, refusals)
    if users is not None or auth is None:
        raise ConfigError(
            "users",
            'no user could log in: pass users={"name": password_hash}, or auth=callable, or auth="none"',
        )
    if callable(auth):
        return HostLogin(auth, settings.roles)
    if auth == "none":
        logger.warning("the dashboard asks for no log-in: anyone who reaches its address can read it")
        return NoLogin(settings.roles)
    raise ConfigError("auth", 'must be a callable that takes the request, or literally "none"')
