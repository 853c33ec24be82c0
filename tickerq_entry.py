"""What Celery loads of us in each of its commands, where we are merely installed: it imports click alone."""

from importlib import import_module
from typing import Any

import click


class TickerqGroup(click.Command):
    """Stands for the group of our commands until ``celery tickerq`` is called."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Return the context of the group itself, which click goes on with."""
        group: click.Group = import_module("tickerq_celery.cli.commands").celery_command
        return group.make_context(info_name, args, parent, **extra)


celery_command = TickerqGroup(
    "tickerq", short_help="Look into the store of tickers, and operate what it holds."
)
