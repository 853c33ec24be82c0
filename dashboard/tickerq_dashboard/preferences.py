"""What a reader has chosen, in cookies that the pages' script writes: zone, theme, shortcuts, refreshing.

With them, what an address says beside its filters: which operation has led to it.

No request changes anything: without script, ``?zone=`` in an address sets the zone of that page.
"""

from datetime import datetime
from urllib.parse import unquote
from uuid import UUID

from flask import request

from tickerq_dashboard.parsing import InvalidQueryError
from tickerq_dashboard.show.moments import Clock, zone_meant, zone_named

ZONE_COOKIE, THEME_COOKIE = "tq_zone", "tq_theme"
SHORTCUTS_COOKIE, LIVE_COOKIE = "tq_shortcuts", "tq_live"
THEMES = ("auto", "light", "dark")


def reader_clock(now: datetime) -> Clock:
    """Return the moment, and the zone that the reader has chosen; UTC, and what is refused, where none."""
    asked = request.args.get("zone") or unquote(request.cookies.get(ZONE_COOKIE, "")) or "UTC"
    meant = zone_meant(asked)
    zone, name = zone_named(meant or "UTC")
    return Clock(now=now, zone=zone, name=name, refused="" if meant else asked)


def check_zone() -> None:
    """Refuse an address that asks for the moments of a zone which does not exist.

    Raises:
        InvalidQueryError: It does.
    """
    asked = request.args.get("zone")
    if asked and zone_meant(asked) is None:
        raise InvalidQueryError(
            {"zone": f"there is no time zone “{asked[:80]}”, write one such as Asia/Kolkata"}
        )


def reader_theme() -> str:
    """Return the theme that the reader has chosen: auto, light or dark."""
    theme = request.cookies.get(THEME_COOKIE, "")
    return theme if theme in THEMES else THEMES[0]


def reader_shortcuts() -> bool:
    """Return whether keyboard shortcuts are on; they are until the reader switches them off."""
    return request.cookies.get(SHORTCUTS_COOKIE, "") != "off"


def reader_is_live() -> bool:
    """Return whether pages refresh themselves; they do until the reader switches that off."""
    return request.cookies.get(LIVE_COOKIE, "") != "off"


def asked_operation() -> UUID | None:
    """Return the id of the operation that has led to this address, if one has."""
    try:
        return UUID(request.args["did"])
    except (KeyError, ValueError):
        return None
