"""The words in which the pages speak of runs."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from tickerq_celery import Cron, Run, RunCondition, TickerStatus, TickerType
from tickerq_celery.enums import UNSTARTED, HoldReason, Origin, TickerKind
from tickerq_celery.errors import UnreadableRequestError
from tickerq_celery.views import Count, CronSummary, Pause, RunResult, RunSummary
from tickerq_dashboard.reading.waiters import MOST_COUNTED, Waiters
from tickerq_dashboard.show.durations import THIN, exact
from tickerq_dashboard.show.json_tree import Node, tree_of

NONE = "\N{EN DASH}"
LONGEST_JSON = 20_000
BYTES, KILO = ("B", "kB", "MB", "GB", "TB"), 1024

HELD = {
    HoldReason.FUNCTION: "No live worker has its function",
    HoldReason.LIMIT: "Waits for a free slot",
    HoldReason.KEY: "Waits for a free slot of its key",
    HoldReason.RATE: "Waits for its rate limit",
    HoldReason.PAUSED: "Paused",
    HoldReason.PARENT: "Waits for its parent",
    HoldReason.OVERLAP: "Waits for the occurrence before it",
}
CONDITIONS = {
    RunCondition.ON_SUCCESS: "runs on success",
    RunCondition.ON_FAILURE: "runs on failure",
    RunCondition.ON_CANCELLED: "runs if cancelled",
    RunCondition.ON_FAILURE_OR_CANCELLED: "runs on failure or if cancelled",
    RunCondition.ON_ANY_COMPLETED_STATUS: "runs after any end",
    RunCondition.IN_PROGRESS: "runs once its parent starts",
}
ORIGINS = {
    Origin.ADDED: "Code, a form or a command",
    Origin.CLONE: "A copy",
    Origin.CALL: "A call of Celery's",
    Origin.OUTBOX: "A call in an outbox",
    Origin.CRON: "Its cron ticker",
    Origin.MANUAL: "Run now",
    Origin.BACKFILL: "A backfill",
    Origin.SKIP: "A skipped instant",
    Origin.MISFIRE: "A record of missed instants",
    Origin.CHAIN: "Its chain",
}


class Name(NamedTuple):
    """A function's name: the dimmed path, and the last part, which stays whole."""

    path: str
    last: str


class Sign(NamedTuple):
    """The icon before a function, and what it stands for."""

    icon: str
    word: str


class Described(Protocol):
    """What has the name of a function, and may say in a few words what it is: a run, a cron ticker."""

    @property
    def function(self) -> str: ...

    @property
    def description(self) -> str | None: ...


class Shown(NamedTuple):
    """What a run is given or returned: a tree, the same as text, or why it cannot be shown."""

    tree: Node | None
    text: str
    problem: str
    size: int


def name_of(function: str) -> Name:
    """Return the parts of a function's name."""
    path, dot, last = function.rpartition(".")
    return Name(path + dot, last) if last else Name("", function)


def called(thing: Described) -> str:
    """Return how people call a run or a cron ticker: "charge_card “Order 10342”"."""
    return title_of(thing.function, thing.description)


def title_of(function: str, description: str | None) -> str:
    """Return the last part of a function's name, with the description of what it is to do."""
    last = name_of(function).last
    return f"{last} “{description}”" if description else last


def sign_of(run: Run | RunSummary) -> Sign:
    """Return what made a run, as the sign before its function."""
    if run.parent_id is not None:
        return Sign("link", "Chain")
    if run.type is TickerType.CRON_TICKER_OCCURRENCE:
        return Sign("history", "Cron")
    return Sign("clock", "Time ticker")


def is_call(ticker: Run | RunSummary | CronSummary) -> bool:
    """Whether it calls a task of Celery's, which has options of its own instead of ours."""
    return ticker.kind is TickerKind.CELERY_TASK


def is_record(run: Run | RunSummary) -> bool:
    """Whether it stands for instants that did not run, and for none that could run again."""
    return run.origin is Origin.MISFIRE


def held_words(reason: HoldReason) -> str:
    """Return why a due run may not run yet."""
    return HELD[reason]


def total(counts: Iterable[Count]) -> Count:
    """Return the sum of bounded counts: 3, or 10,000+ where one of them may be more."""
    each = list(counts)
    return Count(sum(map(int, each)), is_partial=any(count.or_more for count in each))


def waiters_words(waiters: Waiters, run: Run) -> str:
    """Return how many runs wait for what of a run: "25 runs wait for its slot (key smtp)"."""
    more = "+" if waiters.runs >= MOST_COUNTED else ""
    count = f"{waiters.runs:,}{more} run{'s' if waiters.runs > 1 else ''}"
    what = {
        HoldReason.LIMIT: "a slot of its function",
        HoldReason.KEY: f"its slot (key {run.concurrency_key})",
        HoldReason.OVERLAP: "its end: occurrences of its cron ticker may not overlap",
    }[waiters.reason]
    return f"{count} {'wait' if waiters.runs > 1 else 'waits'} for {what}"


def condition_words(condition: RunCondition | None) -> str:
    """Return when a child runs."""
    return "runs after any end" if condition is None else CONDITIONS[condition]


def made_by(origin: Origin) -> str:
    """Return what makes runs of an origin, within a sentence: "its cron ticker"."""
    return f"{ORIGINS[origin][0].lower()}{ORIGINS[origin][1:]}"


def origin_words(run: Run | RunSummary) -> str:
    """Return who or what made a run: "ann", "Code", "Its cron ticker", "A copy, by ann"."""
    word = ORIGINS[run.origin]
    if run.origin is Origin.ADDED:
        return run.created_by or "Code"
    return f"{word}, by {run.created_by}" if run.created_by else word


def scope_words(kind: str, name: str) -> str:
    """Return what a pause is of: "everything", "tag eu"."""
    return f"{kind} {name}" if name else "everything"


def pause_words(pause: Pause) -> str:
    """Return what a pause is of, as a sentence begins."""
    words = scope_words(pause.kind, pause.name)
    return words[0].upper() + words[1:]


def active_since(run: RunSummary) -> datetime:
    """Return since when a run is as it is now: what its earlier attempts left in it does not count."""
    if run.status is TickerStatus.IN_PROGRESS and run.started_at is not None:
        return run.started_at
    if run.status is TickerStatus.QUEUED:
        return run.published_at or run.updated_at
    return run.held_since or run.published_at or run.execution_time or run.created_at


def has_lag(run: Run | RunSummary) -> bool:
    """Whether it is known how late a run began: a run keeps the start of its last attempt alone."""
    is_waiting = run.status in UNSTARTED
    had_others = run.retry_count or run.rescue_count or run.attempts_before or run.executions > 1
    return None not in (run.started_at, run.execution_time) and not is_waiting and not had_others


def intervals(waits: Sequence[timedelta]) -> str:
    """Return the waits before retries, the last of which repeats."""
    return ", ".join(exact(each) for each in waits)


def percent(fraction: float, digits: int = 0) -> str:
    """Return a fraction in per cent, never 100 before it is 1."""
    scale = 10**digits
    cut = int(fraction * 100 * scale + 1e-6) / scale
    return f"{cut:.{digits}f}".removesuffix(".0") + f"{THIN}%"


def request_of(ticker: Run | Cron) -> Shown | None:
    """Return what a run is given, its secrets masked; None where it is given nothing."""
    try:
        stored = ticker.stored_request.json
    except UnreadableRequestError as error:
        return Shown(None, "", f"{error}.", 0)
    return None if stored is None else _shown(lambda: ticker.shown_request, len(stored))


def result_of(result: RunResult | None) -> Shown | None:
    """Return what a run returned, its secrets masked; None where that was nothing."""
    if result is None:
        return None
    if result.problem is not None:
        said = f"It returned what its children cannot be given: {result.problem}."
        return Shown(None, "", said, 0)
    return _shown(lambda: result.shown, result.size)


def _shown(read: Callable[[], Any], size: int) -> Shown:
    try:
        value = read()
        text = json.dumps(value, indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return Shown(None, "", f"These {size:,} bytes cannot be read as JSON.", size)
    if len(text) > LONGEST_JSON:
        text = f"{text[:LONGEST_JSON]}\n\N{HORIZONTAL ELLIPSIS}"
    return Shown(tree_of(value), text, "", size)


def plural(count: int, noun: str, many: str | None = None) -> str:
    """Return a count with its noun: 1 run, 2 runs."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def json_text(value: Any) -> str:
    """Return a short JSON value in one line."""
    return json.dumps(value, ensure_ascii=False, default=str)


def size(number: int) -> str:
    """Return a number of bytes in the unit that leaves the fewest digits: "812 B", "1.4 MB", "14 MB"."""
    value = float(number)
    for unit in BYTES[:-1]:
        # What would be rounded up to the next unit is of that.
        if round(value) < KILO:
            return f"{value:.0f} {unit}" if unit == BYTES[0] or value >= 10 else f"{value:.1f} {unit}"
        value /= KILO
    return f"{value:,.1f} {BYTES[-1]}"


def node_words(name: str) -> str:
    """Return the name of a node without the process's number and what makes it unique: w1@shop, beat@shop."""
    return name.rsplit(":", 2)[0]
