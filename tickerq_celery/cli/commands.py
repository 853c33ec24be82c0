"""The command line: ``celery -A myapp tickerq …``, or ``tickerq -A myapp …``."""

from typing import TYPE_CHECKING, NoReturn

import click

from tickerq_celery.cli.acting import as_option
from tickerq_celery.cli.command_group import CommandGroup
from tickerq_celery.deferred import Deferred

if TYPE_CHECKING:
    from tickerq_celery.cli.application import Application
else:
    Application = Deferred("tickerq_celery.cli.application", "Application")

_version_option = click.version_option(package_name="tickerq-celery", prog_name="tickerq")


@click.group(name="tickerq", cls=CommandGroup)
@as_option
@_version_option
@click.pass_context
def celery_command(ctx: click.Context) -> None:
    """Look into the store of tickers, and operate what it holds."""
    app = ctx.obj.app if hasattr(ctx.obj, "app") else ctx.obj
    given = None if ctx.parent is None else ctx.parent.params.get("app")
    ctx.obj = Application(app, None if given is None else str(given), is_after_celery=True)


@click.group(name="tickerq", cls=CommandGroup)
@click.option("-A", "--app", "app_path", help="The Celery app, as for the celery command.")
@as_option
@_version_option
@click.pass_context
def tickerq_command(ctx: click.Context, app_path: str | None) -> None:
    """Look into the store of tickers, and operate what it holds."""
    ctx.obj = Application(None, app_path, is_after_celery=False)


def main() -> NoReturn:
    """Run the ``tickerq`` command."""
    tickerq_command()
    raise SystemExit(0)
