"""How a cron ticker has done lately: the ends of its last instants, and figures of these."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tickerq_celery.enums import DECIDED, SUCCEEDED, Origin, TickerKind, TickerStatus
from tickerq_celery.tickers.known_outcomes import PUBLISHED, outcome_known

MOST_OUTCOMES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CronOutcome:
    """How one occurrence ended; ``instant`` is None of a manual run, and ``elapsed`` where it never ran.

    ``started_at`` is None, too, of a call of a Celery task that no worker reported.
    """

    run_id: UUID
    kind: TickerKind
    status: TickerStatus
    origin: Origin
    instant: datetime | None
    started_at: datetime | None
    ended_at: datetime
    elapsed: timedelta | None

    @property
    def outcome_known(self) -> bool:
        """Whether ``status`` says how it went; False where Done means "published"."""
        return outcome_known(self.kind, self.status, self.started_at)

    @property
    def status_word(self) -> str:
        """The word that people read of its status: Published where that is all that is known."""
        return str(self.status) if self.outcome_known else PUBLISHED


@dataclass(frozen=True, slots=True, kw_only=True)
class CronFigures:
    """How a cron ticker has done lately.

    ``outcomes`` are up to 20 ends of its instants, the newest last, without manual runs, backfills and
    records of what was skipped or missed; the latest manual run is ``last_manual``.
    """

    cron_ticker_id: UUID
    next_run_at: datetime | None
    outcomes: tuple[CronOutcome, ...]
    last_manual: CronOutcome | None

    @property
    def last(self) -> CronOutcome | None:
        """The latest end of an instant."""
        return self.outcomes[-1] if self.outcomes else None

    @property
    def published(self) -> int:
        """How many of the outcomes are calls that no worker reported, which neither succeeded nor failed."""
        return sum(not each.outcome_known for each in self.outcomes)

    @property
    def success_share(self) -> float | None:
        """The share of the outcomes that succeeded, of those that succeeded or failed; None without any."""
        known = [each for each in self.outcomes if each.outcome_known]
        decided = [each.status for each in known if each.status in DECIDED]
        return sum(status in SUCCEEDED for status in decided) / len(decided) if decided else None

    @property
    def mean_duration(self) -> timedelta | None:
        """How long the last attempts of the outcomes took on average; None where none ran."""
        took = [each.elapsed for each in self.outcomes if each.elapsed is not None]
        return sum(took, timedelta(0)) / len(took) if took else None


def figures_of(
    cron_ticker_id: UUID,
    next_run_at: datetime | None,
    newest: Mapping[TickerStatus, Sequence[CronOutcome]],
    *,
    looked_at: int,
) -> CronFigures:
    """Return the figures from the ``newest`` ends of each status, the latest first, ``looked_at`` at most.

    Where others than instants fill what was looked at of a status, older instants of it may be unknown: then
    the outcomes begin behind these, so that none is missing between two.
    """
    known_from: datetime | None = None
    instants: list[CronOutcome] = []
    for ends in newest.values():
        own = [each for each in ends if each.origin is Origin.CRON]
        instants += own
        if len(ends) == looked_at and len(own) < MOST_OUTCOMES:
            oldest = ends[-1].ended_at
            known_from = oldest if known_from is None else max(known_from, oldest)
    if known_from is not None:
        instants = [each for each in instants if each.ended_at >= known_from]
    instants.sort(key=_order)
    manual = [each for ends in newest.values() for each in ends if each.origin is Origin.MANUAL]
    return CronFigures(
        cron_ticker_id=cron_ticker_id,
        next_run_at=next_run_at,
        outcomes=tuple(instants[-MOST_OUTCOMES:]),
        last_manual=max(manual, key=_order, default=None),
    )


def _order(outcome: CronOutcome) -> tuple[datetime, UUID]:
    return outcome.ended_at, outcome.run_id
