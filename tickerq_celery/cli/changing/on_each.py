"""One verb on each of several ids: what became of each, and exit code 1 where one was refused."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from tickerq_celery.cli.failures import what_it_is
from tickerq_celery.cli.ids import NoId
from tickerq_celery.cli.progress import progress
from tickerq_celery.cli.shell import Shell
from tickerq_celery.cli.tables import Column
from tickerq_celery.enums import SUCCEEDED, TickerStatus
from tickerq_celery.errors import (
    ConfigError,
    StoreError,
    TickerError,
    TickerStateError,
)
from tickerq_celery.tickers.summaries import RunState
from tickerq_celery.tickers.views import Run

# Those of the store or of the settings: the next id would meet them as well.
_ENDS_ALL = (StoreError, ConfigError)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerbResult:
    """What became of one of the ids: what was done, or why it was refused.

    ``status``, ``status_word`` and ``version`` are those of the run as it now is, None where there is none.
    An ``id`` that is none is the text that stood there.
    """

    id: UUID | str
    done: str | None
    status: TickerStatus | None
    status_word: str | None
    version: str | None
    error: str | None
    message: str | None


def on_each(
    shell: Shell,
    ids: Sequence[UUID | NoId],
    verb: Callable[[UUID], Run | None],
    done: Callable[[Run | None], str],
) -> None:
    """Do ``verb`` to each id, show what became of it, and exit with 1 where one was refused.

    ``done`` says what was done, by the run as the verb returned it.
    """
    results: list[VerbResult] = []
    failure: TickerError | None = None
    with progress("done", len(ids)) as shown:
        for each in dict.fromkeys(ids):
            if isinstance(each, NoId):
                results.append(_result(each.text, None, error="TickerValidationError", message=each.reason))
                continue
            try:
                run = verb(each)
                results.append(_result(each, run, done=done(run)))
            except _ENDS_ALL as error:
                failure = error
                break
            except TickerError as error:
                kind, message = type(error).__name__, _message(shell, each, error)
                results.append(_result(each, _current(error), error=kind, message=message))
            shown.advance()
    if results:
        shell.output.listing(results, _COLUMNS, empty="")
    if failure is not None:
        raise failure
    if any(result.error is not None for result in results):
        raise SystemExit(1)


def _result(
    ticker_id: UUID | str,
    run: RunState | None,
    *,
    done: str | None = None,
    error: str | None = None,
    message: str | None = None,
) -> VerbResult:
    return VerbResult(
        id=ticker_id,
        done=done,
        status=None if run is None else run.status,
        status_word=None if run is None else run.status_word,
        version=None if run is None else run.version,
        error=error,
        message=message,
    )


def _message(shell: Shell, ticker_id: UUID, error: TickerError) -> str:
    text = " ".join(str(error).split()) + what_it_is(error, shell.tickerq)
    current = _current(error)
    if isinstance(error, TickerStateError) and error.wanted == "retried" and _has_succeeded(current):
        return f"{text}; `tickerq clone {ticker_id}` runs it again"
    # A refusal for its status names that already.
    if current is None or isinstance(error, TickerStateError):
        return text
    return f"{text}; it is {current.status_word}"


def _has_succeeded(run: RunState | None) -> bool:
    return run is not None and run.status in SUCCEEDED


def _current(error: TickerError) -> RunState | None:
    """Return the run that an error is about, as it is now, where the error has it."""
    found = getattr(error, "current", None)
    return found if isinstance(found, RunState) else None


def cancelled(run: Run | None) -> str:
    """Return what a cancel has done: a run that has begun is asked to end."""
    return "cancelled" if run is None or run.status is TickerStatus.CANCELLED else "asked to end"


_COLUMNS: Sequence[Column[VerbResult]] = (
    Column("ID", lambda result: str(result.id)),
    Column(
        "RESULT",
        lambda result: result.done or "refused",
        lambda result: "green" if result.error is None else "red",
    ),
    Column("STATUS", lambda result: result.status_word or ""),
    Column("NOTE", lambda result: result.message or "", folds=True),
)
