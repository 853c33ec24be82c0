"""The pages in the side bar, in groups."""

from collections.abc import Sequence
from dataclasses import dataclass

from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.access.visitors import Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class NavPage:
    """A page as the side bar shows it; ``permission`` is what one needs to see it, ``keys`` its shortcut."""

    endpoint: str
    icon: str
    word: str
    keys: str
    permission: Permission = Permission.VIEW


_GROUPS: tuple[tuple[NavPage, ...], ...] = (
    (
        NavPage(endpoint="overview", icon="house", word="Overview", keys="g o"),
        NavPage(endpoint="runs", icon="list", word="Runs", keys="g r"),
        NavPage(endpoint="bulk_jobs", icon="check", word="Bulk jobs", keys="g b"),
    ),
    (
        NavPage(endpoint="crons", icon="history", word="Cron tickers", keys="g c"),
        NavPage(endpoint="upcoming", icon="calendar-clock", word="Upcoming", keys="g u"),
    ),
    (
        NavPage(endpoint="errors", icon="triangle-alert", word="Errors", keys="g e"),
        NavPage(endpoint="functions", icon="braces", word="Functions", keys="g f"),
        NavPage(endpoint="nodes", icon="server", word="Nodes", keys="g n"),
    ),
    (
        NavPage(endpoint="health", icon="heart-pulse", word="Health", keys="g h"),
        NavPage(
            endpoint="audit", icon="file-text", word="Audit", keys="g a", permission=Permission.AUDIT_VIEW
        ),
        NavPage(endpoint="settings", icon="settings", word="Settings", keys="g s"),
        NavPage(endpoint="help", icon="info", word="Help", keys="?"),
    ),
)


def pages_for(visitor: Visitor | None) -> Sequence[Sequence[NavPage]]:
    """Return the groups of pages that a visitor may see."""
    if visitor is None:
        return ()
    return [[page for page in group if visitor.may(page.permission)] for group in _GROUPS]
