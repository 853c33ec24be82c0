"""What a person may have meant where nothing was found."""

from collections.abc import Collection

import click

from tickerq_celery.cli.shell import Shell
from tickerq_celery.cli.terminal import harmless
from tickerq_celery.store.functions import functions
from tickerq_celery.wording import meant_by


def hint_at_functions(shell: Shell, wanted: Collection[str]) -> None:
    """Say which known names are like the ``wanted`` ones that are not known; programs read nothing of it."""
    if not shell.output.is_for_people:
        return
    for name, meant in _unknown(shell, wanted).items():
        if meant:
            click.echo(harmless(f"no function or task is named {name}{meant}"), err=True)


def refuse_unknown(shell: Shell, wanted: Collection[str], nothing: str) -> None:
    """Refuse names that are not known where ``nothing`` was found, so that a mistyped one is no success.

    Raises:
        click.ClickException: One of them is unknown.
    """
    unknown = _unknown(shell, wanted)
    if unknown:
        said = "; ".join(f"no function or task is named {name}{meant}" for name, meant in unknown.items())
        raise click.ClickException(f"{nothing}: {said}")


def is_function(shell: Shell, name: str) -> bool:
    """Return True if this process or a worker knows a function of this name, or it is a Celery task."""
    core = shell.tickerq.core
    if core.registry.get(name) is not None or name in shell.tickerq.app.tasks:
        return True
    return bool(core.read_bounded(functions.find, [name]))


def _unknown(shell: Shell, wanted: Collection[str]) -> dict[str, str]:
    """Return the names that are not known, each with what may have been meant."""
    unknown = [name for name in wanted if not is_function(shell, name)]
    if not unknown:
        return {}
    core = shell.tickerq.core
    known = {function.name for function in core.registry}
    known.update(shell.tickerq.app.tasks, core.read_bounded(functions.some_names))
    return {name: meant_by(name, known) for name in unknown}
