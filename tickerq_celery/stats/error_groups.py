"""Failures, grouped by function and type of exception, each group with its latest run."""

from collections.abc import Mapping
from uuid import UUID

from tickerq_celery.enums import TickerStatus
from tickerq_celery.stats.reading import Question, ask
from tickerq_celery.stats.windows import Window
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs.summaries import error_heads
from tickerq_celery.store.stats import rolled_figures
from tickerq_celery.store.stats.rolled_figures import FailureKind
from tickerq_celery.tickers.figures import ErrorGroup, ErrorGroups
from tickerq_celery.tickers.tallies import Tally
from tickerq_celery.tickers.uncounted_ends import ReadEnds


def groups(
    tx: Transaction,
    window: Window,
    function: str | None,
    limit: int,
    uncounted: ReadEnds | None,
    *,
    with_samples: bool,
) -> ErrorGroups:
    """Return the groups that were seen last, those first."""
    question = Question(
        window=window,
        by=("function", "error_type"),
        functions=None if function is None else {function},
        statuses={TickerStatus.FAILED},
    )
    answer = ask(tx, question, uncounted)
    latest = sorted(answer.groups.items(), key=lambda each: each[1].last_ended_at, reverse=True)[:limit]
    found = {
        FailureKind(function=name, error_type=error_type, last_seen=tally.last_ended_at): tally
        for (name, error_type), tally in latest
    }
    samples = _samples(tx, found) if with_samples else {}
    heads = error_heads(tx, list(samples.values()))
    return ErrorGroups(
        **answer.about(window),
        groups=tuple(
            ErrorGroup(
                function=failures.function,
                error_type=failures.error_type or None,
                count=tally.ends,
                first_seen=tally.first_ended_at,
                last_seen=tally.last_ended_at,
                sample_id=sample,
                sample_head=None if sample is None else heads.get(sample),
            )
            for failures, tally in found.items()
            for sample in [samples.get(failures)]
        ),
    )


def _samples(tx: Transaction, found: Mapping[FailureKind, Tally]) -> Mapping[FailureKind, UUID]:
    """Return the latest run of each: live ones are known, the others are looked up in the roll-up."""
    live = {failures: tally.last_id for failures, tally in found.items() if tally.last_id is not None}
    return live | dict(rolled_figures.samples(tx, found.keys() - live.keys()))
