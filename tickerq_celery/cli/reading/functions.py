"""``functions``: what workers registered, who has it, and how much of it waits."""

import json
from collections.abc import Sequence
from typing import Any

import click

from tickerq_celery.cli import cells
from tickerq_celery.cli.output import Output
from tickerq_celery.cli.paging import page_options
from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.cli.tables import Column
from tickerq_celery.cli.words import FunctionParam
from tickerq_celery.enums import HoldReason
from tickerq_celery.health.phrases import counted, listed
from tickerq_celery.tickers.function_views import FunctionView, SettingDifference

# In place of the workers that have a value, where none is alive.
LATEST = ("none, as registered last",)


@command("functions")
@click.argument("name", required=False, type=FunctionParam(), metavar="[NAME]")
@click.option("--prefix", metavar="TEXT", help="Those whose name begins so.")
@click.option("--namespace", metavar="NAME", help="Of this namespace; else the application's own.")
@page_options
def functions(
    shell: Shell,
    name: str | None,
    prefix: str | None,
    namespace: str | None,
    limit: int,
    cursor: str | None,
    is_all: bool,
) -> None:
    """List functions with the workers that have them, or show one.

    A function stays known when no worker has it any more. One that no worker ever registered is listed where
    runs or cron tickers wait for it.
    """
    manager, output = shell.managers.functions, shell.output
    if name is not None:
        one = manager.get(name, namespace=namespace)
        output.value(one, lambda: _write(output, one))
        return
    found: Any = (
        manager.iterate(prefix=prefix, namespace=namespace)
        if is_all
        else manager.find(prefix=prefix, namespace=namespace, limit=limit, cursor=cursor)
    )
    output.listing(found, _COLUMNS, empty="no worker has registered a function yet")


def _write(output: Output, function: FunctionView) -> None:
    output.line(function.name, bold=True)
    output.details(
        {
            "summary": function.summary,
            "note": _note(function),
            "code": function.path,
            "workers": "\n".join(function.nodes) or "none",
            "differ": "\n".join(map(_difference, function.differences)) or None,
            "active": _active(function) or "no run",
            "queue": _queue(function) or "none: its route names an exchange, or the router fails",
            "priority": function.priority.name.lower(),
            "retries": str(function.retries),
            "timeout": cells.setting(function.timeout),
            "hard timeout": cells.setting(function.hard_timeout),
            "max concurrency": _limit(function.max_concurrency),
            "of one key": _limit(function.max_concurrency_per_key),
            "rate limit": function.rate_limit,
            "registered": cells.moment(function.registered_at),
            "changed": cells.moment(function.updated_at),
        }
    )
    schema = function.request_schema
    output.block("Request", None if schema is None else json.dumps(schema, indent=2, ensure_ascii=False))


def _difference(difference: SettingDifference) -> str:
    """Return a setting with its values and the workers that have each."""
    values = [f"{json.dumps(each.value)} on {listed(each.nodes or LATEST)}" for each in difference.values]
    return f"{difference.setting}: {'; '.join(values)}"


def _queue(function: FunctionView) -> str:
    """Return where its messages go."""
    return function.queue or function.routed_queue or ""


def _limit(most: int | None) -> str | None:
    return None if most is None else f"{most:,}"


def _active(function: FunctionView) -> str:
    """Return how many runs have not ended, by what they do."""
    active = function.active
    counts = {
        "in progress": active.in_progress,
        "queued": active.queued,
        "due": active.due,
        "scheduled": active.scheduled,
        **{f"held: {reason}": count for reason, count in active.held.items()},
    }
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count.number)


def _note(function: FunctionView) -> str:
    """Return what keeps its runs from starting, or lets workers differ."""
    notes = [] if function.nodes else ["no live worker has it"]
    if not function.is_registered:
        waiting = function.active.held[HoldReason.FUNCTION]
        verb = "waits" if int(waiting) == 1 else "wait"
        notes = [f"never registered: {counted(waiting, 'run')} {verb} for a worker that has it"]
    if function.is_skewed:
        notes.append("live workers define it in different ways")
    for pause in function.pauses:
        by = f" by {pause.paused_by}" if pause.paused_by else ""
        notes.append(f"paused{by}: {pause.reason}" if pause.reason else f"paused{by}")
    return "; ".join(notes)


_COLUMNS: Sequence[Column[FunctionView]] = (
    Column("FUNCTION", lambda function: function.name),
    Column("WORKERS", lambda function: str(len(function.nodes)), is_number=True),
    Column("ACTIVE", _active),
    Column("QUEUE", _queue),
    Column("NOTE", _note, lambda function: "yellow", folds=True),
    Column("SUMMARY", lambda function: function.summary or "", folds=True),
)
