"""A log-in of the host application's, and none at all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Request, Response, request

from tickerq_dashboard.access.basic import unauthorized
from tickerq_dashboard.access.roles import Permissions
from tickerq_dashboard.access.visitors import Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Who a host application says is there, and as what: viewer, operator or admin."""

    name: str
    role: str = "viewer"


HostAuth = Callable[[Request], User | str | None]


class HostLogin:
    """Asks the host application who is there."""

    def __init__(self, auth: HostAuth, roles: Mapping[str, Permissions]) -> None:
        self._auth = auth
        self._roles = roles

    def __call__(self) -> Visitor | Response:
        """Return who is there; a name alone is a viewer.

        Raises:
            TypeError: The host returned neither a user nor None.
            ValueError: The host's user has a role that does not exist.
        """
        found: object = self._auth(request)
        if found is None or found == "":
            # A scheme that browsers do not know opens no password box of their own.
            return unauthorized(scheme="Session")
        user = User(name=found) if isinstance(found, str) else found
        if not isinstance(user, User) or not user.name:
            raise TypeError(f"auth returned {type(found).__name__}: return a User, a name, or None")
        if user.role not in self._roles:
            raise ValueError(
                f"auth returned the role {user.role!r}: it must be one of {', '.join(self._roles)}"
            )
        return Visitor(name=user.name, role=user.role, permissions=self._roles[user.role])


class NoLogin:
    """Lets every visitor in as a viewer; the pages say so."""

    def __init__(self, roles: Mapping[str, Permissions]) -> None:
        self._visitor = Visitor(name=None, role="viewer", permissions=roles["viewer"])

    def __call__(self) -> Visitor:
        """Return the one visitor that there is."""
        return self._visitor
