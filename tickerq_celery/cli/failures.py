"""Errors as the command line shows them: one line that names the store, or one object of JSON."""

import json
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any
from uuid import UUID

import click

from tickerq_celery.cli.terminal import harmless
from tickerq_celery.errors import (
    ConfigError,
    SchemaError,
    TickerError,
    TickerNotFoundError,
    TickerValidationError,
    UnknownFunctionError,
    UnknownTaskError,
)

if TYPE_CHECKING:
    from tickerq_celery.extension import TickerQ

REFUSED, MISUSED, INTERRUPTED = 1, 2, 130


class CommandFailure(click.ClickException):
    """What ended a command."""

    def __init__(
        self, message: str, *, kind: str, exit_code: int, where: dict[str, str], is_json: bool
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.exit_code = exit_code  # type: ignore[misc] # click's classes have theirs
        self._where = where
        self._is_json = is_json

    def show(self, file: IO[Any] | None = None) -> None:
        """Write it to standard error."""
        if self._is_json:
            said = {"error": self.kind, "message": self.message, **self._where, "exit_code": self.exit_code}
            click.echo(json.dumps(said), file=file, err=file is None)
        else:
            click.echo(harmless(f"Error: {self.message}{self._in_words()}"), file=file, err=file is None)

    def _in_words(self) -> str:
        """Return what of the store the message does not say already."""
        shown = self._where.get("store")
        if shown is None:
            return ""
        store = "" if shown in self.message else f"store: {shown}, "
        return f" ({store}namespace {self._where['namespace']!r})"


def failure_of(error: TickerError, tickerq: "TickerQ | None", *, is_json: bool) -> CommandFailure:
    """Return what is shown of an error of ours, with the store that was looked at."""
    message = " ".join(str(error).split()) + ("" if tickerq is None else what_it_is(error, tickerq))
    if isinstance(error, UnknownFunctionError | UnknownTaskError):
        # Its remedies are keywords of Python's calls.
        message = message.replace("allow_unknown=True", "--allow-unknown").replace("by task=", "by --task")
    return CommandFailure(
        message,
        kind=type(error).__name__,
        exit_code=REFUSED,
        where={} if tickerq is None or _is_about_input(error) else _where(tickerq),
        is_json=is_json,
    )


def what_it_is(error: TickerError, tickerq: "TickerQ") -> str:
    """Return of which other kind an id is that was not found, as the end of the message; or nothing."""
    if not isinstance(error, TickerNotFoundError) or not isinstance(error.ticker_id, UUID):
        return ""
    with suppress(TickerError):
        tickerq.cron_tickers.get(error.ticker_id)
        return ": it is a cron ticker's, see pause, run and delete-cron"
    with suppress(TickerError):
        tickerq.runs.get(error.ticker_id)
        return ": it is a run's, see show"
    return ""


def as_json_failure(error: click.ClickException) -> CommandFailure:
    """Return an error of click's as one object of JSON."""
    if isinstance(error, CommandFailure):
        return error
    kind = "UsageError" if isinstance(error, click.UsageError) else "Error"
    return CommandFailure(
        error.format_message(), kind=kind, exit_code=error.exit_code, where={}, is_json=True
    )


def _is_about_input(error: TickerError) -> bool:
    """Whether an error says the same whatever store is looked at."""
    looked_up = isinstance(error, SchemaError | UnknownFunctionError)
    return isinstance(error, ConfigError | TickerValidationError) and not looked_up


def _where(tickerq: "TickerQ") -> dict[str, str]:
    try:
        return {"store": tickerq.core.database.shown, "namespace": tickerq.config.namespace}
    except ConfigError:
        # The settings themselves are what cannot be used: no store was looked at.
        return {}
