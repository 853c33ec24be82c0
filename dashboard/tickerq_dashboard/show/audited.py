"""What an entry of the audit is about and what was done, in words."""

from collections.abc import Mapping

from tickerq_celery.views import AuditEntry
from tickerq_dashboard.show.chain_actions import CHAIN_ACTIONS
from tickerq_dashboard.show.cron_actions import EVERY_CRON_ACTION
from tickerq_dashboard.show.crons_ticked import CRONS_VERBS
from tickerq_dashboard.show.ids import short_id
from tickerq_dashboard.show.run_actions import RUN_ACTIONS, TERMINATE
from tickerq_dashboard.show.words import plural

# By the verbs of the core and of the dashboard; a host's own words are shown as they are.
ACTIONS: Mapping[str, str] = {
    "time_tickers.add": "Schedule run",
    "time_tickers.add_batch": "Schedule runs",
    "time_tickers.clone": "Clone run",
    "time_tickers.update": "Edit run",
    "time_tickers.update_batch": "Edit runs",
    "time_tickers.delete": "Delete run",
    "runs.delete_batch": "Delete runs",
    "cron_tickers.add": "Create cron ticker",
    "cron_tickers.add_batch": "Create cron tickers",
    "cron_tickers.update": "Edit cron ticker",
    "cron_tickers.update_batch": "Edit cron tickers",
    "cron_tickers.backfill": "Backfill",
    "pauses.pause": "Pause",
    "pauses.resume": "Resume",
    "bulk.start": "Start bulk job",
    "bulk.stop": "Stop bulk job",
    "bulk.end": "End of bulk job",
    "stats.rebuild": "Count hours anew",
    "dashboard.export": "Export",
    "dashboard.log_in": "Log in",
    **{each.verb: f"{each.word}, several" for each in CRONS_VERBS},
    **{each.verb: each.word for each in CHAIN_ACTIONS},
    **{each.verb: each.word for each in EVERY_CRON_ACTION},
    **{each.verb: each.word for each in RUN_ACTIONS if each is not TERMINATE},
}
_WITH_IDS = {"run", "cron_ticker", "bulk_job"}


def action_words(action: str) -> str:
    """Return what a verb does, in the words of its button: "Cancel run"."""
    return ACTIONS.get(action, action)


def done_words(entry: AuditEntry) -> str:
    """Return what was done; a cancel that kills is none that asks."""
    after = entry.after if isinstance(entry.after, Mapping) else {}
    return TERMINATE.word if after.get("cancel_request") == "terminate" else action_words(entry.action)


def object_words(entry: AuditEntry) -> str:
    """Return what an entry is about: "run 6c2dbb15c630", "tag eu", "2 cron tickers"."""
    kind = entry.object_kind.replace("_", " ")
    if entry.object_id is None:
        return plural(entry.count, kind) if entry.object_kind in _WITH_IDS else kind
    return f"{kind} {short_id(entry.object_id) if entry.object_kind in _WITH_IDS else entry.object_id}"
