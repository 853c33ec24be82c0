"""What an entry of the audit is about and what was done, in words."""

from collections.abc import Mapping
from typing import Any

from tickerq_celery.enums import AuditOutcome
from tickerq_celery.views import AuditEntry
from tickerq_dashboard.show import ids
from tickerq_dashboard.show.chain_actions import CHAIN_ACTIONS
from tickerq_dashboard.show.cron_actions import EVERY_CRON_ACTION
from tickerq_dashboard.show.crons_ticked import CRONS_VERBS
from tickerq_dashboard.show.run_actions import RUN_ACTIONS, TERMINATE
from tickerq_dashboard.show.statuses import in_words
from tickerq_dashboard.show.words import plural, title_of

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


def deleted_words(entry: AuditEntry) -> str:
    """Return how what an entry deleted was called; empty where the entry does not say that."""
    before: Any = entry.before or {}
    # What went with it is there as well, by ids.
    was = before.get(entry.object_id, before)
    return title_of(was["function"], was.get("description")) if "function" in was else ""


def object_words(entry: AuditEntry) -> str:
    """Return what an entry is about: "run 6c2dbb15c630", "tag eu", "2 cron tickers"."""
    kind = entry.object_kind.replace("_", " ")
    if entry.object_id is None:
        return plural(entry.count, kind) if entry.object_kind in _WITH_IDS else kind
    return f"{kind} {ids.short_id(entry.object_id) if entry.object_kind in _WITH_IDS else entry.object_id}"


def outcome_words(entry: AuditEntry) -> str:
    """Return what came of an entry but "done": "refused", "refused 3 times" in that minute, "unchanged"."""
    if entry.outcome is AuditOutcome.DONE:
        return ""
    is_repeated = entry.outcome is AuditOutcome.REFUSED and entry.count > 1
    return f"{entry.outcome.value} {entry.count:,} times" if is_repeated else entry.outcome.value


def changed_count(entry: AuditEntry) -> str:
    """Return how many objects an entry has changed; empty where that is none, as of what was refused."""
    return f"{entry.count:,}" if entry.outcome is AuditOutcome.DONE else ""


def refused_words(entry: AuditEntry) -> str:
    """Return why an entry was refused: of its own object as "it", of others by the end of their ids."""
    noun, said, rest = (entry.error or "").partition(f" {entry.object_id} ")
    text = f"it {rest}" if said and " " not in noun else entry.error or ""
    return in_words(ids.IN_TEXT.sub(lambda found: ids.short_id(found[0]), text))
