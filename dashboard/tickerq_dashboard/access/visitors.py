"""Who is there: the user of a request, with what they may do."""

from dataclasses import dataclass
from uuid import uuid4

from flask import g, request

from tickerq_dashboard.access.roles import Permission, Permissions


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A user that the guard has let in; without a name where no log-in is asked for.

    ``via`` is ``dashboard`` of a browser, and ``api`` of a program that sends a token of its own accord.
    """

    name: str | None
    role: str
    permissions: Permissions
    via: str = "dashboard"

    def may(self, permission: Permission | str) -> bool:
        """Return whether the user's role allows it."""
        return permission in self.permissions


def admit(visitor: Visitor) -> None:
    """Let this request be the visitor's."""
    g.tickerq_visitor = visitor


def current_visitor() -> Visitor | None:
    """Return who the guard let in, or None before it has, and on routes that are open."""
    visitor: Visitor | None = g.get("tickerq_visitor")
    return visitor


def current_request_id() -> str:
    """Return the id of this request, as pages, logs and audit have it."""
    if "tickerq_request_id" not in g:
        g.tickerq_request_id = uuid4().hex[:12]
    request_id: str = g.tickerq_request_id
    return request_id


def mount_at(name: str) -> None:
    """Note under which name the dashboard is registered, for a request that matches no rule of it."""
    g.tickerq_mount = name


def current_mount() -> str:
    """Return the name under which the dashboard of this request is registered."""
    name: str = g.get("tickerq_mount") or request.blueprint or ""
    return name
