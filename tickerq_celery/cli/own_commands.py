"""Where our commands are: imported when they are called, since Celery loads their group in every process."""

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
