"""Questions that a command asks before it does what cannot be undone."""

import sys

import click

from tickerq_celery.cli.terminal import harmless

yes_option = click.option("--yes", "-y", "is_sure", is_flag=True, help="Do not ask.")


def confirm(question: str, *, is_sure: bool) -> None:
    """Go on if a person says yes, or if ``--yes`` has said so.

    Raises:
        click.UsageError: There is no terminal to ask on, and no ``--yes``.
        SystemExit: The answer was no.
    """
    if is_sure:
        return
    if not _is_terminal():
        raise click.UsageError(f"{question} There is no terminal to ask on: add --yes")
    # On standard error: standard output may be read by a program.
    if not click.confirm(harmless(question), err=True):
        click.echo("nothing was changed", err=True)
        raise SystemExit(1)


def _is_terminal() -> bool:
    return sys.stdin.isatty()
