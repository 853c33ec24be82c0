"""The checker against histories in which all is well, and against those that it must reject."""

from dataclasses import replace

import pytest

from tests.soak.checker import check
from tests.soak.histories import (
    CHAIN,
    COUNTED,
    KEYED,
    LIMITED,
    OVERLAPPING,
    VALID,
    at,
    calm,
    changed,
    ended,
    missed_row,
    more,
    started,
    ticker_id,
    without,
)
from tests.soak.history import History
from tests.soak.rejected import FAILED_AS_LOST, FIRST_LIMITED, ONE, REJECTED, TWO
from tests.soak.violation import Rule
from tickerq_celery import MisfirePolicy
from tickerq_celery.enums import TickerStatus

CASES = [(rule, words) for rule, histories in REJECTED.items() for words in histories]


def rules_broken_by(history: History) -> set[Rule]:
    return {violation.rule for violation in check(history)}


@pytest.mark.parametrize(
    "history",
    [VALID, LIMITED, KEYED, OVERLAPPING, CHAIN, COUNTED, calm(2), History()],
    ids=["all kinds", "limited", "keyed", "overlapping", "chain", "counted", "calm", "empty"],
)
def test_a_history_in_which_all_is_well_is_accepted(history: History) -> None:
    assert check(history) == []


@pytest.mark.parametrize(("rule", "words"), CASES, ids=[words for _, words in CASES])
def test_the_checker_rejects(rule: Rule, words: str) -> None:
    assert rule in rules_broken_by(REJECTED[rule][words])


def test_each_rule_rejects_something() -> None:
    # The fleet itself sees how its processes end.
    assert set(REJECTED) == set(Rule) - {Rule.PROCESSES_ENDURE, Rule.BEATS_END_IN_TIME}


def test_a_zombie_that_goes_on_after_its_rescue_breaks_no_rule() -> None:
    assert check(more(VALID, "ended", ended(2, 2, 7))) == []


def test_a_claim_that_was_lost_before_its_body_began_breaks_no_rule() -> None:
    assert check(without(VALID, "started", **TWO, claim_no=2)) == []


def test_a_body_that_began_after_its_rescue_was_recorded_breaks_no_rule() -> None:
    assert check(changed(VALID, "started", {"at": at(6.5)}, **TWO, claim_no=2)) == []


def test_a_body_in_the_claim_that_is_in_progress_needs_no_attempt_yet() -> None:
    running = without(
        changed(VALID, "runs", {"status": TickerStatus.IN_PROGRESS}, serial=1), "attempts", **ONE
    )
    assert Rule.STARTS_ARE_SEPARATED not in rules_broken_by(running)


def test_a_record_of_instants_older_than_the_latest_that_all_run_breaks_no_rule() -> None:
    runs_two = changed(VALID, "crons", {"misfire": MisfirePolicy.RUN_ALL, "misfire_limit": 2})
    rows = (*without(VALID, "runs", id=ticker_id(11)).runs, missed_row(11, 2, 3, policy="run_all"))
    assert check(replace(runs_two, runs=rows)) == []


def test_a_run_that_waits_for_a_slot_may_be_stalled() -> None:
    assert check(replace(calm(-99), limits={"Work": 9})) == []


def test_a_zombie_that_was_rescued_does_not_count_against_the_limit() -> None:
    lost = changed(LIMITED, "attempts", {**FAILED_AS_LOST, "ended_at": at(2)}, **FIRST_LIMITED)
    zombie = changed(lost, "ended", {"at": at(9)}, **FIRST_LIMITED)
    assert Rule.LIMIT_IS_KEPT not in rules_broken_by(zombie)


def test_a_violation_names_the_ticker_and_shows_the_evidence() -> None:
    (violation,) = check(more(VALID, "started", started(1, 1, 1.5)))
    assert violation.subject == ticker_id(1)
    assert "claim 1, 2 starts" in violation.evidence
