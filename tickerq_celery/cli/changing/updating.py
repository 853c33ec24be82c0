"""``update``: change fields of a run that waits, or of a cron ticker."""

from collections.abc import Sequence
from dataclasses import MISSING, fields
from typing import Any
from uuid import UUID

import click

from tickerq_celery.cli.changing.selection import expected_option, reason_option
from tickerq_celery.cli.changing.ticker_options import FIELDS, but, refuse_others
from tickerq_celery.cli.cron_words import show_cron_state
from tickerq_celery.cli.field_options import given
from tickerq_celery.cli.ids import TickerId
from tickerq_celery.cli.lookup import looked_up
from tickerq_celery.cli.modules import import_modules
from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.tickers.inputs import CronTicker, TimeTicker
from tickerq_celery.tickers.views import Cron

# What a ticker is known by.
_FIXED = {"namespace", "unique_key"}


@command("update", acts=True)
@click.argument("ticker_id", metavar="ID", type=TickerId())
@click.option(
    "--unset",
    multiple=True,
    type=click.Choice([each.opts[0].removeprefix("--") for each in but(_FIXED)]),
    metavar="OPTION",
    help="Leave this one open again, such as queue; may be repeated.",
)
@click.option("--allow-unknown", is_flag=True, help="Also a function that nothing knows yet.")
@reason_option
@expected_option
def update(
    shell: Shell,
    /,
    ticker_id: UUID,
    unset: Sequence[str],
    allow_unknown: bool,
    reason: str | None,
    expected: str | None,
    **options: Any,
) -> None:
    """Change fields of a cron ticker, or of a time ticker that waits.

    Those that are not given stay as they are.
    """
    found = looked_up(shell, ticker_id)
    kind = CronTicker if isinstance(found, Cron) else TimeTicker
    changes = given(options) | _emptied(kind, unset)
    if not changes:
        raise click.UsageError("pass what is to be changed, such as --retries 3")
    refuse_others(changes, kind, f"is no field of a {'cron' if kind is CronTicker else 'time'} ticker")
    import_modules(shell.tickerq)
    how: dict[str, Any] = {"allow_unknown": allow_unknown, "reason": reason, "expected": expected}
    if isinstance(found, Cron):
        show_cron_state(shell.output, shell.managers.cron_tickers.update(ticker_id, **how, **changes))
        return
    changed = shell.managers.time_tickers.update(ticker_id, **how, **changes)
    shell.output.value(changed, lambda: shell.output.line(f"{changed.id}  {changed.status_word}"))


update.params.extend(but(_FIXED))


def _emptied(kind: type[TimeTicker | CronTicker], words: Sequence[str]) -> dict[str, Any]:
    """Return what stands in a ticker where these are not given."""
    names = {each.name for each in FIELDS if each.opts[0].removeprefix("--") in words}
    known = {each.name: each for each in fields(kind)}
    return {name: _default_of(known[name]) if name in known else None for name in names}


def _default_of(field: Any) -> Any:
    return field.default_factory() if field.default is MISSING else field.default
