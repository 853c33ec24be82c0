"""How the times that the bodies noted must fit those that the store holds."""

from collections.abc import Iterator
from datetime import timedelta

from tests.soak.history import History
from tests.soak.traces import AttemptRow
from tests.soak.violation import Rule, Violation

# Both read one clock of one machine, but the bodies round it to microseconds through a float.
CLOCKS_APART = timedelta(milliseconds=3)


def bodies_fit_their_records(history: History) -> Iterator[Violation]:
    """A body begins after its start was recorded, and ends before its end was.

    It notes its start after the commit. Where a rescue was recorded instead of its end, it may begin and
    end later than that.
    """
    for attempt in history.attempts:
        for evidence in _wrong(history, attempt):
            yield Violation(
                rule=Rule.TIMES_AGREE, subject=attempt.ticker_id, evidence=f"{evidence}: {attempt}"
            )


def _wrong(history: History, attempt: AttemptRow) -> Iterator[str]:
    for start in history.starts_of.get(attempt.ticker_id, ()):
        if start.claim_no == attempt.claim_no and start.at < attempt.started_at - CLOCKS_APART:
            yield f"began at {start.at}, before its recorded start"
    if attempt.is_rescue:
        return
    for end in history.ends_of.get((attempt.ticker_id, attempt.claim_no), ()):
        if end.at > attempt.ended_at + CLOCKS_APART:
            yield f"came to its end at {end.at}, after that was recorded"


TIME_RULES = (bodies_fit_their_records,)
