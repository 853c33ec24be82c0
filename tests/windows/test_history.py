"""The check that every window ends with: it passes what may happen, and nothing else."""

from dataclasses import replace
from uuid import UUID

import pytest

from tests.inner import LOST
from tests.soak import body_file
from tests.soak.checker import check
from tests.soak.histories import attempt, changed, row, ticker_id, without
from tests.soak.history import History
from tests.soak.violation import Rule
from tests.windows.history import CALM, Trail, trail_of, with_plan
from tickerq_celery import TickerStatus

DONE, FAILED = TickerStatus.DONE, TickerStatus.FAILED
HIT, OTHER = ticker_id(0), ticker_id(1)
EXPECTED = {HIT: Trail(claims=3, rescues=1, retries=1, bodies=2), OTHER: CALM}


def line(word: str, run_id: UUID, claim_no: int, seconds: float) -> str:
    return f"{word} {run_id} {claim_no} 7 {1_704_067_200 + seconds} Traced"


# The first was rescued once, retried once; under its first claim the function did not begin.
STORED = History(
    runs=(row(0, claim_no=3, retry_count=1, rescue_count=1), row(1)),
    attempts=(
        attempt(0, 1, 0, 1, 2, FAILED, exception_type=LOST),
        attempt(0, 2, 1, 3, 4, FAILED),
        attempt(0, 3, 2, 5, 6),
        attempt(1, 1, 0, 1, 2),
    ),
)
LINES = [
    line(body_file.START, OTHER, 1, 1),
    line(body_file.DONE, OTHER, 1, 2),
    line(body_file.START, HIT, 2, 3),
    line(body_file.FAILED, HIT, 2, 4),
    line(body_file.START, HIT, 3, 5),
    line(body_file.DONE, HIT, 3, 6),
]


def test_a_run_that_was_rescued_and_retried_breaks_no_rule() -> None:
    history = with_plan(STORED, LINES, EXPECTED)
    assert check(history) == []
    assert {run.id: trail_of(history, run) for run in history.runs} == EXPECTED


@pytest.mark.parametrize(
    ("stored", "rule"),
    [
        (changed(STORED, "runs", {"status": TickerStatus.QUEUED}, id=HIT), Rule.NOTHING_IS_ACTIVE),
        (changed(STORED, "runs", {"status": FAILED}, id=HIT), Rule.RETRIES_OBEY_THE_PLAN),
        (changed(STORED, "runs", {"claim_no": 4}, id=HIT), Rule.END_IS_THE_LAST_ATTEMPTS),
        (changed(STORED, "runs", {"retry_count": 0}, id=HIT), Rule.COUNTS_ARE_TRUE),
        (changed(STORED, "runs", {"rescue_count": 2}, id=HIT), Rule.COUNTS_ARE_TRUE),
        (changed(STORED, "runs", {"serial": None}, id=HIT), Rule.ROW_WAS_ADDED),
        (without(STORED, "runs", id=HIT), Rule.COMMITTED_IS_TERMINAL),
        (without(STORED, "attempts", ticker_id=HIT), Rule.STARTS_ARE_SEPARATED),
        (changed(STORED, "attempts", {"status": DONE}, claim_no=2), Rule.STARTS_ARE_SEPARATED),
        (changed(STORED, "attempts", {"status": FAILED}, claim_no=3), Rule.END_IS_THE_LAST_ATTEMPTS),
        (changed(STORED, "attempts", {"number": 1}, claim_no=3), Rule.ATTEMPTS_IN_ORDER),
    ],
)
def test_what_is_stored_wrongly_is_named_by_its_rule(stored: History, rule: Rule) -> None:
    assert rule in {each.rule for each in check(with_plan(stored, LINES, EXPECTED))}


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        ([*LINES, line(body_file.START, HIT, 3, 5.5)], Rule.ONE_START),
        ([*LINES, line(body_file.START, HIT, 4, 7)], Rule.STARTS_ARE_SEPARATED),
        (LINES[:-1], Rule.NO_STALE_FINISH),
    ],
)
def test_what_bodies_noted_wrongly_is_named_by_its_rule(lines: list[str], rule: Rule) -> None:
    assert rule in {each.rule for each in check(with_plan(STORED, lines, EXPECTED))}


def test_bodies_of_a_function_with_a_limit_never_run_beside_each_other() -> None:
    beside = [text.replace("Traced", "Limited") for text in LINES]
    beside[0] = line(body_file.START, OTHER, 1, 3.5).replace("Traced", "Limited")
    beside[1] = line(body_file.DONE, OTHER, 1, 4.5).replace("Traced", "Limited")
    stored = replace(STORED, attempts=(*STORED.attempts[:3], attempt(1, 1, 0, 3.5, 4.5)))
    assert [each.rule for each in check(with_plan(stored, beside, EXPECTED))] == [Rule.LIMIT_IS_KEPT]
