"""Our commands beside those that other packages add by an entry point of ``tickerq.commands``."""

import re
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from tickerq_celery.cli.failures import INTERRUPTED, as_json_failure, failure_of
from tickerq_celery.cli.own_commands import GROUP, OWN, SUMMARIES
from tickerq_celery.cli.terminal import show_what_cannot_be_encoded
from tickerq_celery.deferred import Deferred
from tickerq_celery.errors import TickerError
from tickerq_celery.wording import meant_by

if TYPE_CHECKING:
    from tickerq_celery.cli.application import Application
else:
    Application = Deferred("tickerq_celery.cli.application", "Application")

_IS_JSON: Final = "tickerq_celery.is_json"
_JSON_OPTIONS: Final = frozenset({"--json", "--jsonl"})
# As the metadata of a distribution has it: flask>=3.1; extra == 'dashboard'.
_OF_EXTRA: Final = re.compile(r"(?P<name>[\w.-]+).*;.*extra == ['\"](?P<extra>[\w.-]+)['\"]")


class CommandGroup(click.Group):
    """Our commands and those of entry points; a TickerError is one line, without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*OWN, *(point.name for point in entry_points(group=GROUP))})

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what each command does: of ours it is known without an import, which takes seconds."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._summary(ctx, name)) for name in self.list_commands(ctx)])

    def _summary(self, ctx: click.Context, name: str) -> str:
        points = [] if name in OWN else entry_points(group=GROUP, name=name)
        lacking = next((_not_installed(point) for point in points if _lacks_extra(point)), None)
        if lacking is not None:
            return lacking
        summary = SUMMARIES.get(name)
        command = self.get_command(ctx, name) if summary is None else None
        return summary or ("" if command is None else command.get_short_help_str())

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
        super().__init__(point.name, short_help=_not_installed(point))
        self._extra = _extra_of(point)
        self._error = error

    def parse_args(self, ctx: click.Context, args: list[str]) -> NoReturn:
        # Before the arguments are read: --help and options of the real command get this answer as well.
        raise click.ClickException(
            f"`{self.name}` needs tickerq-celery installed with the extra [{self._extra}]: {self._error}"
        ) from self._error


def _extra_of(point: EntryPoint) -> str:
    return next(iter(point.extras), point.name)


def _not_installed(point: EntryPoint) -> str:
    return f"Not installed: needs the extra [{_extra_of(point)}]"


def _lacks_extra(point: EntryPoint) -> bool:
    """Return True if its extra needs a distribution that is not there."""
    needed = (_OF_EXTRA.match(each) for each in (point.dist and point.dist.requires) or ())
    return any(each["extra"] in point.extras and not _is_there(each["name"]) for each in needed if each)


def _is_there(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def _loaded(point: EntryPoint) -> click.Command:
    try:
        command: click.Command = point.load()
    except ImportError as error:
        # Not raised: click asks for each command to list them, and one that is missing would end the list.
        return _NotInstalled(point, error)
    return command
