"""How the state of a cron ticker looks: a word, an icon and a colour, never one of them alone."""

from collections.abc import Container
from dataclasses import dataclass

from tickerq_celery.views import CronSummary
from tickerq_dashboard.show.words import is_call


@dataclass(frozen=True, slots=True, kw_only=True)
class CronLook:
    """The word, icon and colour of a state, and what it means; one that ``is_odd`` asks for a look."""

    word: str
    icon: str
    css: str
    about: str
    is_odd: bool = False


_ENABLED = CronLook(
    word="Enabled", icon="history", css="idle", about="It fires at its next instant, if no pause covers it."
)
_ENDED = CronLook(word="Ended", icon="history", css="idle", about="No instant of it is to come.")
_PAUSED = CronLook(
    word="Paused", icon="pause", css="cancelled", about="It fires once it is resumed.", is_odd=True
)
_NO_WORKER = CronLook(
    word="No worker",
    icon="s-warning",
    css="cancelled",
    about="It fires, but no live worker has its function: its runs are held until one does. Was the function "
    "renamed?",
    is_odd=True,
)
EVERY_CRON_LOOK = (_ENABLED, _PAUSED, _NO_WORKER, _ENDED)


def lacks_worker(cron: CronSummary, functions: Container[str]) -> bool:
    """Whether no live worker can run what it fires, where these are the functions that those have."""
    return not is_call(cron) and cron.function not in functions


def cron_look(cron: CronSummary, functions: Container[str]) -> CronLook:
    """Return how a cron ticker looks, where the live workers have these functions."""
    if not cron.is_enabled:
        return _PAUSED
    if cron.next_run_at is None:
        return _ENDED
    return _NO_WORKER if lacks_worker(cron, functions) else _ENABLED
