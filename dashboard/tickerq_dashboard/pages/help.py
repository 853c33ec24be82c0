"""The help page: shortcuts, search, statuses, actions, each from the table that the other pages use."""

from werkzeug.wrappers import Response

from tickerq_dashboard.access.roles import role_permissions
from tickerq_dashboard.navigation import pages_for
from tickerq_dashboard.search import FOUND, KEYS
from tickerq_dashboard.show.bulk import BULK_VERBS
from tickerq_dashboard.show.chain_actions import CHAIN_ACTIONS
from tickerq_dashboard.show.cron_actions import EVERY_CRON_ACTION
from tickerq_dashboard.show.cron_looks import EVERY_CRON_LOOK
from tickerq_dashboard.show.help import explained, explained_bulk, explained_forms
from tickerq_dashboard.show.run_actions import RUN_ACTIONS
from tickerq_dashboard.show.shortcuts import SHORTCUTS
from tickerq_dashboard.show.statuses import EVERY_LOOK
from tickerq_dashboard.visits import Visit


def show_help(visit: Visit) -> Response:
    """Show what one can press, search for and do, and who may do it."""
    dashboard = visit.dashboard
    roles = role_permissions(dashboard.options.permissions)
    permissions = {name: route.permission for name, route in dashboard.routes.items()}
    return visit.page(
        "help.html",
        clock=visit.clock(),
        shortcuts_listed=SHORTCUTS,
        pages_listed=[page for group in pages_for(visit.visitor) for page in group],
        found=FOUND,
        filters=KEYS,
        looks=EVERY_LOOK,
        cron_looks=EVERY_CRON_LOOK,
        actions={
            "Of a run": list(explained(RUN_ACTIONS, roles)),
            "Of a chain": list(explained(CHAIN_ACTIONS, roles)),
            "Of a cron ticker": list(explained(EVERY_CRON_ACTION, roles)),
            "Of many runs": list(explained_bulk(BULK_VERBS, roles)),
            "By a form": list(explained_forms(permissions, roles)),
        },
    )
