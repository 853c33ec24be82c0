"""``add``: schedule a run, or store a cron ticker."""

from collections.abc import Sequence
from typing import Any

import click

from tickerq_celery.cli.changing.ticker_options import but, refuse_others
from tickerq_celery.cli.field_options import given
from tickerq_celery.cli.json_input import object_of
from tickerq_celery.cli.modules import import_modules
from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.cli.words import Word
from tickerq_celery.enums import OnConflict
from tickerq_celery.tickers.inputs import CronTicker, TimeTicker
from tickerq_celery.tickers.views import Cron, Run


@command("add", acts=True)
@click.argument("function", required=False)
@click.argument("pairs", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--allow-unknown", is_flag=True, help="Also a function or Celery task that nothing knows yet.")
@click.option("--on-conflict", type=Word(OnConflict), help="What to do where its unique key is taken.")
def add(
    shell: Shell,
    /,
    function: str | None,
    pairs: Sequence[str],
    allow_unknown: bool,
    on_conflict: OnConflict | None,
    **options: Any,
) -> None:
    """Schedule a run of FUNCTION, or with --cron or --every store a cron ticker, and print its id.

    KEY=VALUE pairs are its parameters; a value is JSON where it reads as that, else text.
    """
    fields = given(options)
    if "task" in fields and function is not None:
        # The name is that of --task: all words are pairs.
        pairs = (_pair(function, fields["task"]), *pairs)
        function = None
    if function is None and "task" not in fields:
        raise click.UsageError("Missing argument 'FUNCTION', or --task: `tickerq functions` lists functions")
    fields |= _called(fields, pairs)
    if function is not None:
        fields["function"] = function
    import_modules(shell.tickerq)
    made = _added(shell, fields, on_conflict, allow_unknown=allow_unknown)
    shell.output.value(made, lambda: shell.output.line(str(made.id)))


# FUNCTION is an argument.
add.params.extend(but({"function"}))


def _pair(word: str, task: str) -> str:
    """Return the first word beside ``--task``, where it cannot be the name of a function."""
    if "=" not in word:
        raise click.UsageError(f"pass FUNCTION or --task, not both: {word!r} beside --task {task} is no pair")
    return word


def _called(fields: dict[str, Any], pairs: Sequence[str]) -> dict[str, Any]:
    """Return what pairs stand for: the request of a function, or the arguments by name of a task."""
    if not pairs:
        return {}
    field = "kwargs" if "task" in fields else "request"
    if field in fields:
        raise click.UsageError(f"pass --{field} or KEY=VALUE pairs, not both")
    return {field: object_of(pairs)}


def _added(
    shell: Shell, fields: dict[str, Any], on_conflict: OnConflict | None, *, allow_unknown: bool
) -> Run | Cron:
    if "expression" not in fields and "every" not in fields:
        refuse_others(fields, TimeTicker, "is of cron tickers: add --cron or --every")
        return shell.managers.time_tickers.add(
            TimeTicker(**fields), allow_unknown=allow_unknown, on_conflict=on_conflict or OnConflict.RAISE
        )
    refuse_others(fields, CronTicker, _OF_TIME_TICKERS)
    if on_conflict is not None:
        raise click.UsageError(f"--on-conflict {_OF_TIME_TICKERS}")
    return shell.managers.cron_tickers.add(CronTicker(**fields), allow_unknown=allow_unknown)


_OF_TIME_TICKERS = "is of time tickers: leave out --cron and --every"
