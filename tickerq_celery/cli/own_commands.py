"""Where our commands are, and what each does in one line: a list of them imports none."""

from collections.abc import Mapping
from importlib.metadata import EntryPoint
from typing import Final

GROUP: Final = "tickerq.commands"
_PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "changing.adding": ("add",),
    "changing.bulk": ("bulk",),
    "changing.cron_tickers": ("backfill", "delete-cron", "revert", "skip-next", "unskip-next"),
    "changing.handing_back": ("hand-back",),
    "changing.importing": ("import-beat", "import-django-celery-beat"),
    "changing.migrating": ("migrate", "seed"),
    "changing.pausing": ("pause", "resume"),
    "changing.pruning": ("prune",),
    "changing.rollup": ("rollup",),
    "changing.runs": ("cancel", "delete", "mark-failed", "release", "retry"),
    "changing.starting": ("clone", "run"),
    "changing.updating": ("update",),
    "health_commands": ("check", "health"),
    "reading.audit": ("audit",),
    "reading.crons": ("crons",),
    "reading.errors": ("errors",),
    "reading.explain": ("explain",),
    "reading.export": ("export",),
    "reading.functions": ("functions",),
    "reading.nodes": ("nodes",),
    "reading.pauses": ("pauses",),
    "reading.preview": ("preview",),
    "reading.runs": ("runs",),
    "reading.settings": ("settings",),
    "reading.show": ("show",),
    "reading.upcoming": ("upcoming",),
}
OWN: Final[Mapping[str, EntryPoint]] = {
    name: EntryPoint(name, f"tickerq_celery.cli.{module}:{name.replace('-', '_')}", GROUP)
    for module, names in _PLACES.items()
    for name in names
}
# The dashboard's are entry points, as those of other packages are.
SUMMARIES: Final[Mapping[str, str]] = {
    "add": "Schedule a run of FUNCTION, or with --cron or --every store a cron ticker, and print its id",
    "audit": "List who did what, and what was refused, the newest first",
    "backfill": "Create the occurrences of all instants of a past span that have none, and let them run",
    "bulk": "List, show and stop bulk jobs",
    "cancel": "Cancel runs: those that wait at once, those that run as soon as they look",
    "check": "Check modules, settings and all that `health` looks at; exit with 1 where something fails",
    "clone": "Schedule a new run like one that is there, whatever became of it; print the new one's id",
    "crons": "List cron tickers, the next to fire first",
    "dashboard": "Serve the dashboard until it is stopped",
    "delete": "Delete runs that wait or have ended, with their attempts and logs, and all below in a chain",
    "delete-cron": "Delete a cron ticker with all of its occurrences, whatever their status",
    "errors": "List failures by function and exception, those seen last first",
    "explain": "Explain why a run does not run, and who or what can change it",
    "export": "Write what has ended, a line of JSON each",
    "functions": "List functions with the workers that have them, or show one",
    "hand-back": "Give the calls that wait to Celery, under their task ids, and print a beat_schedule",
    "hash-password": "Ask for a password and print its hash",
    "health": "Report what is not well, with what to do; exit with 1 where a person must act",
    "import-beat": "Make cron tickers of beat_schedule",
    "import-django-celery-beat": "Make tickers of django-celery-beat's tables",
    "mark-failed": "End runs as Failed whose node is dead, whatever their functions' on_lost",
    "migrate": "Make or migrate the store's tables",
    "nodes": "List beats and workers, and those that were lost",
    "pause": "Stop cron tickers from firing; or hold the runs of a function, a tag, or the application",
    "pauses": "List what is paused of functions and tags, the oldest pause first",
    "preview": "Show when an expression fires",
    "prune": "Show or delete what is expired",
    "release": "Let runs start again now whose node is dead, whatever their functions' on_lost",
    "resume": "End a pause: what was held runs now, and cron tickers fire from their next instant on",
    "retry": "Let runs that ended as Failed, Cancelled or Skipped start again now, with all of their retries",
    "revert": "Let a cron ticker fire by its code's expression and time zone again",
    "rollup": "Count the ends of past hours anew, from the runs that are there",
    "run": "Run a cron ticker once, now; or let a time ticker start now that waits for its moment or a retry",
    "runs": "List what runs, comes next, and ended last",
    "seed": "Store the cron tickers of the code",
    "settings": "Show the settings and where they come from, addresses, versions, and the store's schema",
    "show": "Show a run or a cron ticker",
    "skip-next": "Let a cron ticker's next instant pass; it is recorded as a Skipped occurrence",
    "unskip-next": "Undo the latest skip-next whose instant is still to come",
    "upcoming": "List what will run next: stored runs, and instants of cron tickers",
    "update": "Change fields of a cron ticker, or of a time ticker that waits",
}
