"""What a command works with, and the decorator that gives it: ``@command("name")``."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec

import click

from tickerq_celery.cli.acting import actor_of, as_option
from tickerq_celery.cli.application import Application
from tickerq_celery.cli.output import Format, Output
from tickerq_celery.extension import TickerQ
from tickerq_celery.managers.acting import Managers
from tickerq_celery.store.database.schema import verify
from tickerq_celery.tickers.actor import Actor

P = ParamSpec("P")


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
            shell = _shell(ctx, kwargs)
            if needs_store:
                verify(shell.tickerq.core.database)
            body(shell, *args, **kwargs)

        options = (*([_JSONL, _JSON] if shows else []), *([as_option] if acts else []))
        return _command(name, body, with_shell, options)

    return decorate


def plain_command(
    name: str,
) -> Callable[[Callable[Concatenate[Application, Output, P], None]], click.Command]:
    """Make a command that works without an application, of a function that takes one that may be named."""

    def decorate(body: Callable[Concatenate[Application, Output, P], None]) -> click.Command:
        @click.pass_obj
        def with_output(application: Application, /, *args: P.args, **kwargs: P.kwargs) -> None:
            body(application, _output(kwargs), *args, **kwargs)

        return _command(name, body, with_output, [_JSONL, _JSON])

    return decorate


def _command(
    name: str, body: Callable[..., None], called: Callable[..., None], options: Sequence[Callable[..., Any]]
) -> click.Command:
    wrapped = update_wrapper(called, body)
    for option in options:
        wrapped = option(wrapped)
    # Click cuts a summary that it takes from the docstring itself.
    summary = inspect.cleandoc(body.__doc__ or "").splitlines()[0].removesuffix(".")
    return click.command(name, short_help=summary)(wrapped)


_JSON = click.option("--json", "as_json", is_flag=True, help="Write one JSON document.")
_JSONL = click.option("--jsonl", "as_jsonl", is_flag=True, help="Write one JSON object a line.")


def _shell(ctx: click.Context, options: dict[str, Any]) -> Shell:
    output = _output(options)
    tickerq: TickerQ = ctx.obj()
    actor = actor_of(ctx)
    return Shell(tickerq=tickerq, managers=tickerq.acting_as(actor), actor=actor, output=output)


def _output(options: dict[str, Any]) -> Output:
    """Return the output that is asked for, and take what asks for it out of a command's options."""
    as_json, as_jsonl = options.pop("as_json", False), options.pop("as_jsonl", False)
    if as_json and as_jsonl:
        raise click.UsageError("pass --json or --jsonl, not both")
    return Output(format=Format.JSON if as_json else Format.JSONL if as_jsonl else Format.TEXT)
