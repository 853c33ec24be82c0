"""Findings about functions most of whose ends are failures, as where requests cannot be read any more."""

import shlex
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tickerq_celery.enums import SUCCEEDED, TickerStatus
from tickerq_celery.errors import TickerValidationError, UnreadableRequestError
from tickerq_celery.health.findings import capped, warning
from tickerq_celery.health.phrases import counted
from tickerq_celery.stats.reading import Question, ask
from tickerq_celery.stats.windows import window_of
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.health import Finding, FindingCode, Subject, SubjectKind
from tickerq_celery.wording import moment

_LATELY = timedelta(hours=1)
# Fewer ends say little, and a function that fails now and then has its retries.
_FEWEST_ENDS, _SHARE = 5, 0.5


_UNREADABLE, _MISFIT = (
    f"{error.__module__}.{error.__qualname__}" for error in (UnreadableRequestError, TickerValidationError)
)


def is_of_request(error_type: str | None, message: str | None = None) -> bool:
    """Return True if what failed is a stored request, which another attempt would read as well."""
    return error_type == _UNREADABLE or (
        error_type == _MISFIT and message is not None and message.startswith("request")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureShare:
    """A function's ends since a moment, and how many are failures; ``error_type`` is that of most of these.

    They are no numbers of runs: one that is retried manually ends once more.
    """

    function: str
    since: datetime
    ends: int
    failed: int
    error_type: str
    last_failed_at: datetime


def read(tx: Transaction) -> list[FailureShare]:
    """Return the functions of which runs failed in the last hour, or in the one before that it began in."""
    window = window_of(tx.now - _LATELY, None, now=tx.now)
    question = Question(
        window=window, by=("function", "status", "error_type"), statuses={*SUCCEEDED, TickerStatus.FAILED}
    )
    try:
        groups = ask(tx, question).groups
    except TickerValidationError:
        # The roll-up has more rows of two hours than are read at once: `tickerq errors` can narrow that.
        return []
    ends: Counter[str] = Counter()
    errors: dict[str, Counter[str]] = defaultdict(Counter)
    last: dict[str, datetime] = {}
    for (function, status, error_type), tally in groups.items():
        # A call of a Celery task that was only published has not succeeded.
        ends[function] += tally.ends - tally.published
        if status is TickerStatus.FAILED:
            errors[function][error_type] += tally.ends
            last[function] = max(last.get(function, tally.last_ended_at), tally.last_ended_at)
    return [
        FailureShare(
            function=function,
            since=window.since,
            ends=ends[function],
            failed=its.total(),
            error_type=its.most_common(1)[0][0],
            last_failed_at=last[function],
        )
        for function, its in errors.items()
    ]


def of_failures(failures: Sequence[FailureShare]) -> Iterator[Finding]:
    """Yield the functions at least half of whose ends are failures, where there are enough to say so."""
    found = [
        _failing(each)
        for each in sorted(failures, key=lambda each: each.failed, reverse=True)
        if each.ends >= _FEWEST_ENDS and each.failed >= _SHARE * each.ends
    ]
    yield from capped(found, "functions that fail")


def _failing(its: FailureShare) -> Finding:
    remedy = f"`tickerq errors --function {shlex.quote(its.function)}` shows what they failed with"
    if is_of_request(its.error_type):
        remedy += "; a retry reads the same request, and `tickerq clone ID --request JSON` stores another one"
    what = f", most of them with {its.error_type}" if its.error_type else ""
    return warning(
        FindingCode.FAILING,
        f"function {its.function} fails: {its.failed:,} of its {counted(its.ends, 'end')} since "
        f"{moment(its.since)} are failures{what}, the last at {moment(its.last_failed_at)}",
        subject=Subject(SubjectKind.FUNCTION, its.function),
        remedy=remedy,
    )
