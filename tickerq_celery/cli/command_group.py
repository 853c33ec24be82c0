"""Our commands beside those that other packages add by an entry point of ``tickerq.commands``."""

from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, NoReturn

import click

from tickerq_celery.cli.application import Application
from tickerq_celery.cli.failures import INTERRUPTED, as_json_failure, failure_of
from tickerq_celery.cli.own_commands import GROUP, OWN
from tickerq_celery.cli.terminal import show_what_cannot_be_encoded
from tickerq_celery.errors import TickerError
from tickerq_celery.wording import meant_by

_IS_JSON: Final = "tickerq_celery.is_json"
_JSON_OPTIONS: Final = frozenset({"--json", "--jsonl"})


class CommandGroup(click.Group):
    """Our commands and those of entry points; a TickerError is one line, without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*OWN, *(point.name for point in entry_points(group=GROUP))})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in OWN:
            own: click.Command = OWN[cmd_name].load()
            return own
        return next((_loaded(point) for point in entry_points(group=GROUP, name=cmd_name)), None)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        is_unknown = not name.startswith("-") and self.get_command(ctx, name) is None
        if is_unknown and not ctx.resilient_parsing:
            raise click.UsageError(f"No such command {name!r}{meant_by(name, self.list_commands(ctx))}", ctx)
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # Before anything is parsed, since what cannot be parsed is answered in the wanted form as well.
        show_what_cannot_be_encoded()
        ctx.meta[_IS_JSON] = not _JSON_OPTIONS.isdisjoint(args)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise _shown(error, ctx) from error

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except TickerError as error:
            found = ctx.obj.found if isinstance(ctx.obj, Application) else None
            raise failure_of(error, found, is_json=ctx.meta[_IS_JSON]) from error
        except click.NoSuchOption as error:
            raise _shown(_about_app(error, ctx), ctx) from error
        except click.ClickException as error:
            raise _shown(error, ctx) from error
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)


def _about_app(error: click.NoSuchOption, ctx: click.Context) -> click.UsageError:
    """Return what is said of an option that a command does not have; ``-A`` is one of what it follows."""
    if error.option_name not in ("-A", "--app") or not isinstance(ctx.obj, Application):
        return error
    return click.UsageError(f"{error.option_name} stands before the command: {ctx.obj.called}", error.ctx)


def _shown(error: click.ClickException, ctx: click.Context) -> click.ClickException:
    return as_json_failure(error) if ctx.meta[_IS_JSON] else error


class _NotInstalled(click.Command):
    """Stands for a command whose extra is not installed: the list of commands shows what it needs."""

    def __init__(self, point: EntryPoint, error: ImportError) -> None:
        self._extra = next(iter(point.extras), point.name)
        super().__init__(point.name, short_help=f"Not installed: needs the extra [{self._extra}].")
        self._error = error

    def parse_args(self, ctx: click.Context, args: list[str]) -> NoReturn:
        # Before the arguments are read: --help and options of the real command get this answer as well.
        raise click.ClickException(
            f"`{self.name}` needs tickerq-celery installed with the extra [{self._extra}]: {self._error}"
        ) from self._error


def _loaded(point: EntryPoint) -> click.Command:
    try:
        command: click.Command = point.load()
    except ImportError as error:
        # Not raised: click asks for each command to list them, and one that is missing would end the list.
        return _NotInstalled(point, error)
    return command
