"""What a command works with, and the decorator that gives it: ``@command("name")``."""

import getpass
import inspect
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec

import click

from tickerq_celery.cli.output import Format, Output
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.extension import TickerQ
from tickerq_celery.managers.acting import Managers
from tickerq_celery.store.database.schema import verify
from tickerq_celery.tickers.actor import Actor

P = ParamSpec("P")
VIA = "cli"
AS_VARIABLE = "TICKERQ_AS"
_ACTOR = "tickerq_celery.actor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """What a command works with: the application, the actor's managers, and the output.

    What changes something goes through ``managers``, so that it is audited in the actor's name.
    """

    tickerq: TickerQ
    managers: Managers
    actor: Actor
    output: Output


def command(
    name: str, *, acts: bool = False, shows: bool = True, needs_store: bool = True
) -> Callable[[Callable[Concatenate[Shell, P], None]], click.Command]:
    """Make a command of a function that takes a Shell first.

    One that ``acts`` takes ``--as NAME`` after its name as well as before it, one that ``shows`` something
    ``--json`` and ``--jsonl``. If it ``needs_store``, it does not begin where this version cannot work with
    the store. Options that click gives to the function stand below this decorator.
    """

    def decorate(body: Callable[Concatenate[Shell, P], None]) -> click.Command:
        @click.pass_context
        def with_shell(ctx: click.Context, /, *args: P.args, **kwargs: P.kwargs) -> None:
            options: dict[str, Any] = kwargs
            shell = _shell(ctx, options.pop("as_json", False), options.pop("as_jsonl", False))
            if needs_store:
                verify(shell.tickerq.core.database)
            body(shell, *args, **kwargs)

        wrapped = update_wrapper(with_shell, body)
        for option in (*([_JSONL, _JSON] if shows else []), *([as_option] if acts else [])):
            wrapped = option(wrapped)
        # Click cuts a summary that it takes from the docstring itself.
        summary = inspect.cleandoc(body.__doc__ or "").splitlines()[0].removesuffix(".")
        return click.command(name, short_help=summary)(wrapped)

    return decorate


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
_JSON = click.option("--json", "as_json", is_flag=True, help="Write one JSON document.")
_JSONL = click.option("--jsonl", "as_jsonl", is_flag=True, help="Write one JSON object a line.")


def actor_named(name: str) -> Actor:
    """Return the actor of a name, on this machine.

    Raises:
        TickerValidationError: The name cannot be stored.
    """
    return Actor(name, via=VIA, address=socket.gethostname()[:100])


def user_name() -> str:
    """Return the operating system's user; its number where it has no name, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _shell(ctx: click.Context, as_json: bool, as_jsonl: bool) -> Shell:
    if as_json and as_jsonl:
        raise click.UsageError("pass --json or --jsonl, not both")
    written = Format.JSON if as_json else Format.JSONL if as_jsonl else Format.TEXT
    tickerq: TickerQ = ctx.obj()
    actor = ctx.meta.get(_ACTOR) or actor_named(os.environ.get(AS_VARIABLE) or user_name())
    return Shell(
        tickerq=tickerq, managers=tickerq.acting_as(actor), actor=actor, output=Output(format=written)
    )
