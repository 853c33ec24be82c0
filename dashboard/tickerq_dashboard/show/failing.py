"""Why a cron ticker was paused by its failures, and what a resume comes to if it fails on."""

from tickerq_celery import Cron
from tickerq_celery.views import RunSummary
from tickerq_dashboard.show.words import plural

# Who has paused a cron ticker that failures paused, as the core writes it.
_BY_FAILURES = "tickerq"


def is_paused_by_failures(cron: Cron) -> bool:
    """Whether failures of its occurrences have paused a cron ticker."""
    return not cron.is_enabled and cron.pause_on_failure is not None and cron.paused_by == _BY_FAILURES


def failing_words(cron: Cron, last: RunSummary | None, *, may_see: bool) -> str:
    """Return its ``last`` failure, and after how many more it is paused again.

    What the exception says is for those who ``may_see`` payloads.
    """
    most = cron.pause_on_failure or 1
    again = "if it fails again" if most == 1 else f"after {plural(most, 'failure')} in a row"
    said = f"Fix what makes it fail first: it is paused again {again}."
    if last is None:
        return said
    heads = (last.exception_type or "Error", last.error_head if may_see else None)
    return f"It failed last with {': '.join(filter(None, heads))}. {said}"
