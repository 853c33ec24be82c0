"""A run as ``show`` writes it for people: what became of it first, then why, then the rest."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from uuid import UUID

from tickerq_celery.cli import cells
from tickerq_celery.cli.output import Output
from tickerq_celery.cli.tables import Column
from tickerq_celery.enums import TERMINAL, TickerKind, TickerStatus, TickerType
from tickerq_celery.tickers.chain_trees import ChainRun, ChainTree
from tickerq_celery.tickers.views import Attempt, LogLine, Run


def write_run(output: Output, run: Run, chain: ChainTree | None, lines: int) -> None:
    """Write a run, with the newest ``lines`` of its log, and its chain if it has one."""
    output.line(f"{run.function}: {run.status_word}", fg=cells.status_style(run), bold=True)
    output.details(_what_became_of_it(run) | _what_it_is(run))
    output.block("Request", cells.request(run))
    if run.attempts:
        output.heading("Attempts")
        output.listing(run.attempts, _ATTEMPTS, empty="")
        last = run.attempts[-1]
        output.block(f"Traceback of attempt {last.number}", last.traceback)
    if lines:
        output.block("Log", "\n".join(map(_log_line, run.logs[-lines:])))
    if chain is not None:
        output.block("Chain", "\n".join(lines_of(chain, run.id)))
    if run.status not in TERMINAL and run.status is not TickerStatus.IN_PROGRESS:
        output.line()
        output.line(f"why it waits: tickerq explain {run.id}")


def _what_became_of_it(run: Run) -> dict[str, str | None]:
    held = run.held_for and f"{run.held_for} {run.hold_key or ''}".strip()
    exception = ": ".join(each for each in (run.exception_type, run.exception_message) if each)
    return {
        "failed with": exception,
        "skipped": cells.reason(run.skipped_reason),
        "held for": held and f"{held}, since {cells.moment(run.held_since)}",
        "cancel": "it is asked to end" if run.cancel_requested else None,
        "progress": None if run.progress is None else f"{run.progress:.0%} {run.progress_message or ''}",
        "planned for": cells.moment(run.execution_time),
        "next attempt": cells.moment(run.next_attempt_at),
        "published": cells.moment(run.published_at),
        "started": cells.moment(run.started_at),
        "ended": cells.moment(run.ended_at),
        "took": cells.duration(run.elapsed),
        "late": "yes" if run.is_late else None,
        "node": run.node,
    }


def _what_it_is(run: Run) -> dict[str, str | None]:
    by = f" by {run.created_by}" if run.created_by else ""
    return {
        "id": str(run.id),
        "namespace": run.namespace,
        "type": "time ticker" if run.type is TickerType.TIME_TICKER else "occurrence",
        "Celery task": run.task_id if run.kind is TickerKind.CELERY_TASK else None,
        "description": run.description,
        "origin": f"{run.origin}{by}, {cells.moment(run.created_at)}",
        "cron ticker": _text(run.cron_ticker_id),
        "cloned from": _text(run.cloned_from),
        "parent": _text(run.parent_id),
        "chain of": _text(run.root_id),
        "run condition": None if run.run_condition is None else run.run_condition.name.lower(),
        "retries": f"{run.retry_count} of {run.retries}" if run.retries else None,
        "rescued": f"{run.rescue_count} times" if run.rescue_count else None,
        **cells.options(run),
        "unique key": run.unique_key,
        "version": run.version,
    }


def _took(attempt: Attempt) -> timedelta | None:
    return None if attempt.started_at is None else attempt.ended_at - attempt.started_at


def _exception(attempt: Attempt) -> str:
    return ": ".join(each for each in (attempt.exception_type, attempt.exception_message) if each)


def _log_line(line: LogLine) -> str:
    return f"{cells.moment(line.at)}  {line.level:<8}  {line.attempt}  {line.message}"


def _text(value: object) -> str | None:
    return None if value is None else str(value)


_ATTEMPTS: Sequence[Column[Attempt]] = (
    Column("ATTEMPT", lambda attempt: str(attempt.number), is_number=True),
    Column("STATUS", lambda attempt: str(attempt.status), lambda attempt: cells.STYLES.get(attempt.status)),
    Column("STARTED", lambda attempt: cells.moment(attempt.started_at)),
    Column("TOOK", lambda attempt: cells.duration(_took(attempt)), is_number=True),
    Column("NODE", lambda attempt: attempt.node or ""),
    Column("EXCEPTION", _exception, folds=True),
)


def lines_of(tree: ChainTree, shown: UUID | None = None) -> Iterator[str]:
    """Yield a line for each run of a chain, indented below its parent; the one ``shown`` is marked."""
    for each in _in_order(tree, None):
        yield _line(each, is_shown=each.run.id == shown)
    if tree.truncated:
        yield f"and more than these {len(tree.runs):,}"


def _in_order(tree: ChainTree, above: UUID | None) -> Iterator[ChainRun]:
    # A stack, not recursion: a chain may be as deep as it has runs.
    waiting = list(reversed(tree.children_of(above)))
    while waiting:
        each = waiting.pop()
        yield each
        waiting.extend(reversed(tree.children_of(each.run.id)))


def _line(each: ChainRun, *, is_shown: bool) -> str:
    run = each.run
    condition = "" if each.run_condition is None else f" [{each.run_condition.name.lower()}]"
    parts = [
        f"{'  ' * each.depth}{run.function}{condition}: {run.status_word}",
        str(run.id),
        "(this run)" if is_shown else "",
        each.waits_for or "",
    ]
    return "  ".join(part for part in parts if part)
