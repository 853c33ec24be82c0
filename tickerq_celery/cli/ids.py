"""Ids as arguments: what is none is said in words, with the function that was named instead."""

from dataclasses import dataclass
from uuid import UUID

import click

from tickerq_celery.cli.application import Application
from tickerq_celery.errors import TickerError
from tickerq_celery.store.functions import functions

# What is done to a function instead, by the command that takes an id.
_BY_FUNCTION = frozenset({"pause", "resume", "cancel", "retry", "delete"})
_LENGTH = 36
_OF_CRONS = frozenset({"backfill", "skip-next", "unskip-next", "revert", "delete-cron"})


@dataclass(frozen=True, slots=True)
class NoId:
    """A text that stands among ids and is none, and why."""

    text: str
    reason: str


class TickerId(click.ParamType):  # type: ignore[type-arg] # generic since click 8.4
    """The id of a run or of a cron ticker."""

    name = "id"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> UUID:
        found = _read(value, ctx)
        return self.fail(found.reason, param, ctx) if isinstance(found, NoId) else found


def each_id(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> tuple[UUID | NoId, ...]:
    """Read several ids: one that is none does not keep a command from the others.

    Raises:
        click.BadParameter: None of them is an id.
    """
    found = tuple(_read(each, ctx) for each in given)
    if found and all(isinstance(each, NoId) for each in found):
        raise click.BadParameter(
            "; ".join(each.reason for each in found if isinstance(each, NoId)), ctx, param
        )
    return found


def _read(value: object, ctx: click.Context | None) -> UUID | NoId:
    if isinstance(value, UUID):
        return value
    text = str(value)
    try:
        return UUID(text)
    except ValueError:
        if ctx is not None and _is_function(ctx, text):
            return NoId(text, f"{text!r} is a function: `tickerq {_instead(ctx, text)}`")
        needs = "has 36 characters" if len(text) != _LENGTH else "is 32 of 0-9 and a-f, and four hyphens"
        return NoId(text, f"{text!r} is no id: an id {needs}")


def _instead(ctx: click.Context, name: str) -> str:
    command = ctx.command.name
    if command in _BY_FUNCTION:
        return f"{command} --function {name}"
    if command in _OF_CRONS:
        return f"crons --function {name}"
    return {"run": f"add {name}", "show": f"functions {name}"}.get(str(command), f"runs --function {name}")


def _is_function(ctx: click.Context, name: str) -> bool:
    """Whether a function of this name is known; False where that cannot be looked up."""
    application = ctx.find_object(Application)
    if application is None:
        return False
    try:
        core = application().core
        return core.registry.get(name) is not None or bool(core.read_bounded(functions.find, [name]))
    except (TickerError, click.ClickException):
        return False
