"""Logging out: browsers forget a password of basic auth when it is refused by a scheme they do not know."""

from werkzeug.wrappers import Response

from tickerq_dashboard.access.basic import unauthorized
from tickerq_dashboard.visits import Visit

GOODBYE = "You are logged out. If this browser still opens the dashboard without asking, close its windows.\n"


def logout(visit: Visit) -> Response:
    """Show what logging out does, and the button for it."""
    return visit.page("logout.html", clock=visit.clock(), asks_password=visit.dashboard.asks_password)


def log_out(visit: Visit) -> Response:
    """Answer so that the browser drops the password that it sent."""
    return unauthorized(GOODBYE, scheme="xBasic")
