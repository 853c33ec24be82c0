"""Our commands beside those that other packages add by an entry point of ``tickerq.commands``."""

from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, NoReturn

import click

from tickerq_celery.errors import TickerError

_PLUGINS: Final = "tickerq.commands"


class CommandGroup(click.Group):
    """Our commands and those of entry points; a TickerError is one line, without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        found = {point.name for point in entry_points(group=_PLUGINS)}
        return sorted({*super().list_commands(ctx), *found})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        return next((_loaded(point) for point in entry_points(group=_PLUGINS, name=cmd_name)), None)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except TickerError as error:
            raise click.ClickException(str(error)) from error


class _NotInstalled(click.Command):
    """Stands for a command whose extra is not installed: the list of commands shows what it needs."""

    def __init__(self, name: str, error: ImportError) -> None:
        super().__init__(name, short_help=f"Not installed: needs the extra [{name}].")
        self._error = error

    def parse_args(self, ctx: click.Context, args: list[str]) -> NoReturn:
        # Before the arguments are read: --help and options of the real command get this answer as well.
        raise click.ClickException(
            f"`{self.name}` needs tickerq-celery installed with the extra [{self.name}]: {self._error}"
        ) from self._error


def _loaded(point: EntryPoint) -> click.Command:
    try:
        command: click.Command = point.load()
    except ImportError as error:
        # Not raised: click asks for each command to list them, and one that is missing would end the list.
        return _NotInstalled(point.name, error)
    return command
