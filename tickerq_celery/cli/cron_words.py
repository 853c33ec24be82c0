"""How a cron ticker is, in words."""

from tickerq_celery.cli import cells
from tickerq_celery.cli.output import Output
from tickerq_celery.tickers.skip_reasons import who_and_why
from tickerq_celery.tickers.views import Cron


def show_cron_state(output: Output, cron: Cron, *, before: Cron | None = None) -> None:
    """Show a cron ticker: all of it as JSON, how it is now for people, and whether it is as ``before``."""
    same = "; nothing was changed" if before is not None and before.version == cron.version else ""
    output.value(
        cron, lambda: output.line(f"cron ticker {cron.id} of {cron.function}: {state_of(cron)}{same}")
    )


def state_of(cron: Cron) -> str:
    """Return when a cron ticker fires next; or since when it is paused, by whom and why."""
    if not cron.is_enabled:
        since = "" if cron.paused_at is None else f" since {cells.moment(cron.paused_at)}"
        return f"paused{since}{who_and_why(cron.paused_by, cron.paused_reason)}"
    if cron.next_run_at is None:
        return "ended, nothing comes any more"
    return f"fires next at {cells.moment(cron.next_run_at)}"
