"""The command line: ``celery -A myapp tickerq …``, or ``tickerq -A myapp …``."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import update_wrapper
from typing import Any, NoReturn

import click
from celery.app.utils import find_app

from tickerq_celery.broker.kept_json import plain
from tickerq_celery.cli.celery_beat import periodic_tasks
from tickerq_celery.cli.check import findings
from tickerq_celery.cli.command_group import CommandGroup
from tickerq_celery.cli.django_celery_beat import read_periodic_tasks
from tickerq_celery.cli.findings import Severity
from tickerq_celery.cli.importer import Importer
from tickerq_celery.cli.periodic_task import PeriodicTask, ticker_of
from tickerq_celery.cron.seeding import prune
from tickerq_celery.extension import TickerQ
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.runtime.node import VERSION
from tickerq_celery.store.database.schema import verify


def needs_app(command: Callable[..., None]) -> Callable[..., None]:
    """Hand the app's TickerQ to a command, and refuse to run it without one."""

    @click.pass_context
    def with_app(ctx: click.Context, /, **options: Any) -> None:
        if ctx.obj is None:
            raise click.UsageError("Missing option '-A' / '--app', which stands before the command.")
        command(ctx.obj, **options)

    return update_wrapper(with_app, command)


def _pairs(_: click.Context, __: click.Parameter, given: Sequence[str]) -> dict[str, str]:
    """Return the functions that ``--function TASK=NAME`` gives."""
    pairs = [each.partition("=") for each in given]
    if not all(task and name for task, _, name in pairs):
        raise click.BadParameter("pass TASK=NAME")
    return {task: name for task, _, name in pairs}


def _imports(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of an import."""
    applying = click.option("--apply", "applying", is_flag=True, help="Store them, not only say so.")
    function = click.option(
        "--function", "named", multiple=True, callback=_pairs, help="TASK=NAME: the function for a task."
    )
    return applying(function(command))


@click.group(name="tickerq", cls=CommandGroup)
@click.pass_context
def celery_command(ctx: click.Context) -> None:
    """Migrate, check and look into the store of tickers."""
    app = ctx.obj.app if hasattr(ctx.obj, "app") else ctx.obj
    ctx.obj = TickerQ.of(app)


@celery_command.command()
@needs_app
def migrate(tickerq: TickerQ) -> None:
    """Make or migrate the store's tables."""
    click.echo(f"migrating, for as long as the database takes: {tickerq.core.database.shown}")
    tickerq.create_schema()
    click.echo(f"the store is ready: {tickerq.core.database.shown}")


@celery_command.command()
@click.option(
    "--offline", "is_offline", is_flag=True, help="Check settings and store only, as before a deployment."
)
@needs_app
def check(tickerq: TickerQ, is_offline: bool) -> None:
    """Check settings, store, broker, beats, workers and backlog; exit with 1 where one of them fails."""
    severities = set()
    for finding in findings(tickerq, is_offline=is_offline):
        click.echo(str(finding))
        severities.add(finding.severity)
    if Severity.FAILURE in severities:
        raise SystemExit(1)


@celery_command.command()
@click.option(
    "--prune", "pruning", is_flag=True, help="Pause the cron tickers that no code defines any more."
)
@needs_app
def seed(tickerq: TickerQ, pruning: bool) -> None:
    """Store the cron tickers that this application's functions define."""
    tickerq.app.loader.import_default_modules()
    tickerq.seed()
    defined = [function.name for function in tickerq.registry if function.cron is not None]
    click.echo(f"seeded {len(defined)} cron tickers: {', '.join(defined) or 'none'}")
    if pruning:
        orphans = prune(tickerq.core)
        click.echo(f"paused {len(orphans)} that no code defines any more: {', '.join(orphans) or 'none'}")


@celery_command.command(name="list")
@click.option("--limit", default=20, show_default=True, help="How many runs, the newest first.")
@needs_app
def list_runs(tickerq: TickerQ, limit: int) -> None:
    """List the newest runs, by the time for which they are planned, the latest first."""
    found = tickerq.runs.find(limit=limit)
    click.echo(f"{'ID':<36}  {'STATUS':<11}  {'PLANNED FOR':<20}  FUNCTION")
    for run in sorted(found, key=lambda run: run.execution_time or run.created_at, reverse=True):
        reason = run.held_for and f"held: {run.held_for}"
        planned = "" if run.execution_time is None else f"{run.execution_time:%Y-%m-%d %H:%M:%S}Z"
        status = "Published" if run.is_published else run.status
        line = f"{run.id}  {status:<11}  {planned:<20}  {run.function}  "
        click.echo((line + (reason or run.exception_type or "")).rstrip())


@celery_command.command()
@_imports
@needs_app
def import_beat(tickerq: TickerQ, applying: bool, named: Mapping[str, str]) -> None:
    """Make cron tickers of ticker functions from the entries of this application's beat_schedule."""
    tickerq.app.loader.import_default_modules()
    _import(tickerq, "beat", periodic_tasks(tickerq.app), applying, named)


@celery_command.command()
@click.argument("url")
@_imports
@needs_app
def import_django_celery_beat(tickerq: TickerQ, url: str, applying: bool, named: Mapping[str, str]) -> None:
    """Make tickers of ticker functions from the tables of django-celery-beat in the database at URL."""
    tickerq.app.loader.import_default_modules()
    found = read_periodic_tasks(url, now=tickerq.core.clock.now())
    _import(tickerq, "django-celery-beat", found, applying, named)


def _import(
    tickerq: TickerQ, source: str, found: Sequence[PeriodicTask], applying: bool, named: Mapping[str, str]
) -> None:
    # Said once, not of each task.
    verify(tickerq.core.database)
    importer = Importer(UnitOfWork(tickerq.core, lambda ids: None, plain), tickerq.time_tickers)
    functions = {function.name: function for function in tickerq.registry}
    for periodic in found:
        try:
            key = periodic.key(source)
            ticker = ticker_of(periodic, key=key, functions=functions, named=named)
            is_new = importer.add_once(key, ticker, applying=applying)
        except ValueError as error:
            click.echo(f"left out  {periodic.name}: {error}")
            continue
        lost = f", without {', '.join(periodic.left_out)}" if periodic.left_out else ""
        click.echo(f"{'new' if is_new else 'there':<8}  {periodic.name} -> {ticker.function}{lost}")
    if not applying:
        click.echo("nothing was stored: add --apply")


@click.group(name="tickerq", cls=CommandGroup, commands=celery_command.commands)
@click.option("-A", "--app", "app_path", help="The Celery app, as for the celery command.")
@click.version_option(VERSION, prog_name="tickerq")
@click.pass_context
def tickerq_command(ctx: click.Context, app_path: str | None) -> None:
    """Migrate, check and look into the store of tickers."""
    if app_path is None:
        return
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - sys.path holds text
    try:
        app = find_app(app_path)
    except (ImportError, AttributeError) as error:
        raise click.ClickException(f"-A {app_path}: {error}") from error
    ctx.obj = TickerQ.of(app)


def main() -> NoReturn:
    """Run the ``tickerq`` command."""
    tickerq_command()
    raise SystemExit(0)
