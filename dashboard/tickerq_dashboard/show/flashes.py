"""What a visitor has just done, as the next page tells it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tickerq_celery.enums import AuditOutcome
from tickerq_celery.views import AuditEntry
from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.show.cron_actions import EVERY_CRON_ACTION, UNDO
from tickerq_dashboard.show.pausing import counted
from tickerq_dashboard.show.run_actions import RUN_ACTIONS, TERMINATE
from tickerq_dashboard.show.words import plural

BACKFILL, CLONE = "cron_tickers.backfill", "time_tickers.clone"
RUN_NOW = "time_tickers.run_now"
STORES_RUN = ("time_tickers.add", CLONE, "time_tickers.update")
# In a few seconds a beat claims what was retried, and a worker begins it.
_FOLLOWED = timedelta(seconds=20)
# Of one pause; a beat releases the others.
_MOST_RELEASED = 10_000
_DONE: Mapping[str, str] = {
    "time_tickers.add": "Scheduled",
    CLONE: "Scheduled a copy:",
    "time_tickers.update": "Saved the changes of",
    "cron_tickers.add": "Created",
    "cron_tickers.update": "Saved the changes of",
    "cron_tickers.pause_batch": "Paused",
    "cron_tickers.resume_batch": "Resumed",
    "cron_tickers.run_now_batch": "Started a run of",
    "chains.retry_failed": "Set {runs} to run again in the chain of",
    "chains.cancel_rest": "Cancelled or asked to end {runs} in the chain of",
    "bulk.start": "Started the bulk job",
    "bulk.stop": "Stopped the bulk job",
    "pauses.pause": "Paused",
    "pauses.resume": "Resumed",
    **{each.verb: each.done for each in RUN_ACTIONS if each is not TERMINATE},
    **{each.verb: each.done for each in EVERY_CRON_ACTION},
}


# A run that is active has not ended yet when the message is shown.
_ASKED: Mapping[str, str] = {"end": "Asked to end", "terminate": "Ordered its process to be killed"}
# What takes the pause of more than one cron ticker back, and its end: the word, and the route that asks.
_UNDO_PAUSES = {"pauses.pause": ("Resume", "ask_resume"), "pauses.resume": ("Pause", "ask_pause")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """What takes back what was done: the word of the link, the route that asks, and what it needs."""

    word: str
    route: str
    given: Mapping[str, str]
    permission: Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class Flash:
    """What was done, when, to what and why; ``undo`` takes it back.

    ``object_words`` is how people call that, ``object_id`` the id of it, of a copy that of the new run.

    ``left`` says what was left as it is, ``released`` how many held runs a resume let go, ``waits`` for what
    a run waits that was to start, ``passed`` for which moment one was stored that was in the past.
    """

    words: str
    at: datetime
    object_id: str | None
    object_words: str
    reason: str | None
    left: str
    released: str
    waits: str
    passed: datetime | None
    undo: Undo | None

    def is_followed(self, now: datetime) -> bool:
        """Return whether it is so new that its effect may not have come: pages refresh each second then."""
        return now - self.at < _FOLLOWED


def object_of(entry: AuditEntry) -> str | None:
    """Return the id or the name of what an entry's message is about; of a copy it is the new run."""
    return str(entry.ids[0]) if entry.action == CLONE and entry.ids else entry.object_id


def flash_of(entry: AuditEntry, called: str = "", waits: str = "", passed: datetime | None = None) -> Flash:
    """Return an entry of the audit as a message to its actor.

    ``called`` is how people call what it is about, ``waits`` says why a run has not started,
    ``passed`` for which past moment it was stored.
    """
    words = _DONE.get(entry.action, entry.action).format(runs=plural(entry.count, "run"))
    if entry.action in _UNDO_PAUSES:
        words = f"{words} {entry.object_kind}"
    if entry.action == BACKFILL:
        words = f"Backfilled {plural(entry.count, 'occurrence')} of"
    if entry.object_kind == "cron_ticker" and entry.object_id is None:
        words = f"{words} {plural(entry.count, 'cron ticker')}"
    if entry.outcome is AuditOutcome.UNCHANGED:
        words = f"{words}: it was so already, and nothing changed"
    else:
        words = _ASKED.get(_request_in(entry.after), words)
    if waits:
        words = "Made due now, and not started yet"
    undo = _undo(entry) if entry.outcome is AuditOutcome.DONE else None
    return Flash(
        words=words,
        at=entry.at,
        object_id=object_of(entry),
        object_words=called or f"the {entry.object_kind.replace('_', ' ')}",
        reason=entry.reason,
        left=_left(entry.after),
        released=_released(entry.after),
        waits=waits,
        passed=passed,
        undo=undo,
    )


def _left(after: Any) -> str:
    """Return how many of several were left as they are, by the reasons: "1: it is paused already by ben"."""
    shown = after.values() if isinstance(after, dict) else ()
    reasons = Counter(str(each["skipped"]) for each in shown if isinstance(each, dict) and "skipped" in each)
    return "; ".join(f"{count:,}: {reason}" for reason, count in reasons.items())


def _released(after: Any) -> str:
    """Return how many held runs were released, of one that was resumed or of several: "3 held runs"."""
    shown = after if isinstance(after, dict) else {}
    each = [shown, *(value for value in shown.values() if isinstance(value, dict))]
    numbers = [int(one["released"]) for one in each if "released" in one]
    return counted(sum(numbers), _MOST_RELEASED, "held run") if numbers else ""


def _request_in(after: Any) -> str:
    return str(after.get("cancel_request", "")) if isinstance(after, dict) else ""


def _undo(entry: AuditEntry) -> Undo | None:
    if entry.action in _UNDO_PAUSES:
        word, route = _UNDO_PAUSES[entry.action]
        given = {"kind": str(entry.object_kind), "name": entry.object_id or ""}
        return Undo(word=word, route=route, given=given, permission=Permission.FUNCTIONS_PAUSE)
    action = UNDO.get(entry.action)
    if action is None or entry.object_id is None:
        return None
    given, route = {"cron_id": entry.object_id}, f"ask_cron_{action.name}"
    return Undo(word=action.word, route=route, given=given, permission=action.permission)
