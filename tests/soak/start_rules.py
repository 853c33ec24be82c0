"""How often the bodies of one ticker may have been started."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from tests.soak.history import History
from tests.soak.violation import Rule, Violation
from tickerq_celery.enums import TickerStatus


def a_claim_starts_once(history: History) -> Iterator[Violation]:
    """No claim is started twice, by whatever messages."""
    counts = Counter((start.ticker_id, start.claim_no) for start in history.started)
    for (run_id, claim_no), count in counts.items():
        if count > 1:
            lines = [str(each) for each in history.starts_of[run_id] if each.claim_no == claim_no]
            yield Violation(
                rule=Rule.ONE_START, subject=run_id, evidence=f"claim {claim_no}, {count} starts: {lines}"
            )


def starts_are_separated_by_records(history: History) -> Iterator[Violation]:
    """Between two starts of a ticker stands a failed attempt, of the earlier claim, that tells why."""
    for run_id, starts in history.starts_of.items():
        claims = sorted({start.claim_no for start in starts})
        for earlier, later in pairwise(claims):
            attempt = history.attempt_of.get((run_id, earlier))
            if attempt is None or attempt.status is not TickerStatus.FAILED:
                yield Violation(
                    rule=Rule.STARTS_ARE_SEPARATED,
                    subject=run_id,
                    evidence=f"claim {earlier} and claim {later} started, between them: {attempt}",
                )


def starts_are_accounted_for(history: History) -> Iterator[Violation]:
    """A body that started has its attempt, however it ended, once the run has."""
    for run_id, starts in history.starts_of.items():
        run = history.run_of.get(run_id)
        if run is None or run.status < TickerStatus.DONE:
            continue
        last = starts[-1]
        if (run_id, last.claim_no) not in history.attempt_of:
            yield Violation(
                rule=Rule.STARTS_ARE_SEPARATED,
                subject=run_id,
                evidence=f"no attempt of a claim that started, and the run is {run.status.name}: {last}",
            )


START_RULES = (a_claim_starts_once, starts_are_separated_by_records, starts_are_accounted_for)
