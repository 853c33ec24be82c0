"""How often the bodies of one ticker may have been started."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from tests.soak.history import History
from tests.soak.time_rules import CLOCKS_APART
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
    """Between two starts of a ticker stands a failed attempt, of the earlier claim, that says why."""
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


def starts_come_after_what_was_before(history: History) -> Iterator[Violation]:
    """No body starts before each attempt of an earlier claim has its recorded end.

    The body of such an attempt may go on as a zombie; the new start comes after the record all the same.
    """
    for run_id, starts in history.starts_of.items():
        for start in starts:
            for attempt in history.attempts_of.get(run_id, ()):
                if attempt.claim_no < start.claim_no and start.at < attempt.ended_at - CLOCKS_APART:
                    yield Violation(
                        rule=Rule.STARTS_ARE_SEPARATED,
                        subject=run_id,
                        evidence=f"started before an earlier attempt was recorded: {start} {attempt}",
                    )


def starts_are_accounted_for(history: History) -> Iterator[Violation]:
    """The last body that started has its attempt, unless it may still run: in the claim InProgress."""
    for run_id, starts in history.starts_of.items():
        run, last = history.run_of.get(run_id), starts[-1]
        if run is None or (run.status is TickerStatus.IN_PROGRESS and run.claim_no == last.claim_no):
            continue
        if (run_id, last.claim_no) not in history.attempt_of:
            yield Violation(
                rule=Rule.STARTS_ARE_SEPARATED,
                subject=run_id,
                evidence=f"no attempt of a claim that started, and the run is {run.status.name}: {last}",
            )


START_RULES = (
    a_claim_starts_once,
    starts_are_separated_by_records,
    starts_come_after_what_was_before,
    starts_are_accounted_for,
)
