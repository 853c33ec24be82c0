"""Failures, grouped by function and type of exception, each group with its latest run."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import reduce
from uuid import UUID

from tickerq_celery.enums import TickerStatus
from tickerq_celery.stats.reading import Question, ask
from tickerq_celery.stats.windows import PeriodWindow
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs.summaries import error_heads
from tickerq_celery.store.stats import rolled_figures
from tickerq_celery.store.stats.rolled_figures import FailureKind
from tickerq_celery.tickers.figures import ErrorGroup, ErrorGroups
from tickerq_celery.tickers.tallies import Tally
from tickerq_celery.tickers.uncounted_ends import ReadEnds


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which groups are meant, and what of each; without a ``step`` they are not counted by it."""

    window: PeriodWindow
    step: timedelta | None
    function: str | None
    limit: int
    with_samples: bool


@dataclass(slots=True)
class _Failures:
    """What failed in one way: the tallies of the window's periods, and how many failures each step has."""

    tallies: list[Tally] = field(default_factory=list)
    by_step: Counter[datetime] = field(default_factory=Counter)


def groups(tx: Transaction, wanted: Wanted, uncounted: ReadEnds | None) -> ErrorGroups:
    """Return the groups that were seen last, those first."""
    window, step = wanted.window, wanted.step
    question = Question(
        window=window,
        by=("function", "error_type", *(() if step is None else ("begins_at",))),
        functions=None if wanted.function is None else {wanted.function},
        statuses={TickerStatus.FAILED},
    )
    answer = ask(tx, question, uncounted)
    failures: dict[tuple[str, str], _Failures] = defaultdict(_Failures)
    for (function, error_type, *begin), tally in answer.groups.items():
        failures[function, error_type].tallies.append(tally)
        if step is not None:
            failures[function, error_type].by_step[window.point_of(begin[0], step)] += tally.ends
    totals = {way: reduce(Tally.plus, each.tallies) for way, each in failures.items()}
    latest = sorted(totals.items(), key=lambda each: each[1].last_ended_at, reverse=True)[: wanted.limit]
    found = {
        FailureKind(function=name, error_type=error_type, last_seen=total.last_ended_at): total
        for (name, error_type), total in latest
    }
    samples = _samples(tx, found) if wanted.with_samples else {}
    heads = error_heads(tx, list(samples.values()))
    points = () if step is None else tuple(window.points(step))
    return ErrorGroups(
        **answer.about(window),
        step=step,
        groups=tuple(
            ErrorGroup(
                function=kind.function,
                error_type=kind.error_type or None,
                count=total.ends,
                first_seen=total.first_ended_at,
                last_seen=total.last_ended_at,
                sample_id=sample,
                sample_head=None if sample is None else heads.get(sample),
                counts=tuple(failures[kind.function, kind.error_type].by_step[at] for at in points),
            )
            for kind, total in found.items()
            for sample in [samples.get(kind)]
        ),
    )


def _samples(tx: Transaction, found: Mapping[FailureKind, Tally]) -> Mapping[FailureKind, UUID]:
    """Return the latest run of each: live ones are known, the others are looked up in the roll-up."""
    live = {failures: tally.last_id for failures, tally in found.items() if tally.last_id is not None}
    return live | dict(rolled_figures.samples(tx, found.keys() - live.keys()))
