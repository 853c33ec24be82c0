"""The importers: tickers of ticker functions from the periodic tasks of another beat."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import click

from tickerq_celery.broker.known_tasks import AnyTask
from tickerq_celery.cli.celery_beat import periodic_tasks
from tickerq_celery.cli.django_celery_beat import read_periodic_tasks
from tickerq_celery.cli.importer import Importer
from tickerq_celery.cli.periodic_task import PeriodicTask, ticker_of
from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.managers.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of one periodic task: it is new, it was there, or why it was left out.

    ``without`` names what of it a ticker cannot hold.
    """

    name: str
    function: str | None
    is_new: bool
    without: tuple[str, ...]
    reason: str | None

    def __str__(self) -> str:
        if self.reason is not None:
            return f"left out  {self.name}: {self.reason}"
        lost = f", without {', '.join(self.without)}" if self.without else ""
        return f"{'new' if self.is_new else 'there':<8}  {self.name} -> {self.function}{lost}"


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
    decorated: Callable[..., None] = applying(function(command))
    return decorated


@command("import-beat", acts=True)
@_imports
def import_beat(shell: Shell, applying: bool, named: Mapping[str, str]) -> None:
    """Make cron tickers of beat_schedule."""
    shell.tickerq.app.loader.import_default_modules()
    _import(shell, "beat", periodic_tasks(shell.tickerq.app), applying, named)


@command("import-django-celery-beat", acts=True)
@click.argument("url")
@_imports
def import_django_celery_beat(shell: Shell, url: str, applying: bool, named: Mapping[str, str]) -> None:
    """Make tickers of django-celery-beat's tables.

    URL is the address of the database that has them.
    """
    shell.tickerq.app.loader.import_default_modules()
    found = read_periodic_tasks(url, now=shell.tickerq.core.clock.now())
    _import(shell, "django-celery-beat", found, applying, named)


def _import(
    shell: Shell, source: str, found: Sequence[PeriodicTask], applying: bool, named: Mapping[str, str]
) -> None:
    imported = list(_imported(shell, source, found, applying, named))
    if applying:
        new = sum(each.is_new for each in imported)
        shell.managers.audit.record(f"cli.import_{source}", reason=f"{new} new of {len(imported)}")
    shell.output.lines(imported)
    if not applying:
        shell.output.line("nothing was stored: add --apply")


def _imported(
    shell: Shell, source: str, found: Sequence[PeriodicTask], applying: bool, named: Mapping[str, str]
) -> Iterator[Imported]:
    tickerq = shell.tickerq
    importer = Importer(UnitOfWork(tickerq.core, lambda ids: None, AnyTask()), shell.managers.time_tickers)
    functions = {function.name: function for function in tickerq.registry}
    for periodic in found:
        try:
            key = periodic.key(source)
            ticker = ticker_of(periodic, key=key, functions=functions, named=named)
            is_new = importer.add_once(key, ticker, applying=applying)
        except ValueError as error:
            yield Imported(name=periodic.name, function=None, is_new=False, without=(), reason=str(error))
            continue
        yield Imported(
            name=periodic.name,
            function=str(ticker.function),
            is_new=is_new,
            without=periodic.left_out,
            reason=None,
        )
