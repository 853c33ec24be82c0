"""In whose name a command acts: ``--as``, else a variable, else the operating system's user."""

import getpass
import os
import socket

import click

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.tickers.actor import Actor

_VIA = "cli"
_AS_VARIABLE = "TICKERQ_AS"
_ACTOR = "tickerq_celery.actor"


def _keep_actor(ctx: click.Context, _: click.Parameter, given: str | None) -> None:
    if given is None:
        return
    try:
        ctx.meta[_ACTOR] = actor_named(given)
    except TickerValidationError as error:
        raise click.BadParameter(error.reason) from error


as_option = click.option(
    "--as",
    "acting_as",
    metavar="NAME",
    callback=_keep_actor,
    expose_value=False,
    help="Who acts, for the audit; else TICKERQ_AS, else the operating system's user.",
)


def actor_of(ctx: click.Context) -> Actor:
    """Return the actor of a command.

    Raises:
        TickerValidationError: The variable holds a name that cannot be stored.
    """
    return ctx.meta.get(_ACTOR) or actor_named(os.environ.get(_AS_VARIABLE) or user_name())


def actor_named(name: str) -> Actor:
    """Return the actor of a name, on this machine.

    Raises:
        TickerValidationError: The name cannot be stored.
    """
    return Actor(name, via=_VIA, address=socket.gethostname()[:100])


def user_name() -> str:
    """Return the operating system's user; its number where it has no name, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
